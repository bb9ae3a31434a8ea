// One test in the tree: it waits for its turn, runs between its parent's hooks, reports in order, and knows what its
// subtests did. Suites (suite.ts), hooks and test files are kinds of it. (Over 300 lines: one state machine, whose states
// all read and change the same fields; what it shows to programs is in test-context.ts.)
import { monotonicMs } from "../../clock.ts";
import { isTestFailure, testFailure, type FailureType, type TestFailure } from "./failure.ts";
import type { Location } from "./events.ts";
import type { Harness } from "./harness.ts";
import type { MockTracker } from "./mock.ts";
import { TestContext, TestPlan } from "./test-context.ts";
import type { AnyFunction } from "../runtime.ts";
import { invalidArgType, outOfRange } from "../errors.ts";

export interface TestOptions {
  readonly only?: boolean;
  readonly skip?: boolean | string;
  readonly todo?: boolean | string;
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly concurrency?: boolean | number | null;
  readonly plan?: number;
}

export interface TestInit extends TestOptions {
  readonly harness: Harness;
  readonly name: string;
  readonly fn: AnyFunction | undefined;
  readonly parent: TestNode | undefined;
  readonly location: Location | undefined;
}

export type HookName = "before" | "after" | "beforeEach" | "afterEach";
export type TestFactory = new (init: TestInit) => TestNode;

interface Pending {
  readonly test: TestNode;
  readonly resolve: () => void;
}

export interface RunArguments {
  readonly context: object;
  readonly args: readonly unknown[];
}

export const noop = (): void => undefined;

export class TestNode {
  readonly harness: Harness;
  readonly name: string;
  readonly parent: TestNode | undefined;
  readonly location: Location | undefined;
  readonly nesting: number;
  readonly testNumber: number;
  readonly only: boolean;
  readonly hooks: Record<HookName, TestHook[]>;
  readonly subtests: TestNode[] = [];
  readonly diagnostics: string[] = [];
  readonly concurrency: number;
  readonly timeoutMs: number | undefined;
  readonly reportedType: string | undefined = undefined;
  /** Of a hook: which. */
  readonly hookName: HookName | undefined = undefined;
  protected controller = new AbortController();
  protected readonly outerSignal: AbortSignal | undefined;
  runOnlySubtests: boolean;
  fn: AnyFunction;
  plan: TestPlan | undefined;
  mock: MockTracker | undefined;
  skipped: boolean;
  isTodo: boolean;
  message: string | undefined;
  cancelled = false;
  passed = false;
  finished = false;
  error: unknown;
  activeSubtests = 0;
  startMs: number | undefined;
  endMs: number | undefined;
  /** A suite's function has returned: what is added now comes too late. */
  built = false;
  readonly #expectedAssertions: number | undefined;
  #ownAfterEach = 0;
  #pending: Pending[] = [];
  readonly #ready = new Map<number, TestNode>();
  #waitingOn = 0;
  #announced = false;

  constructor(init: TestInit) {
    const { harness, parent } = init;
    const { options } = harness;
    this.harness = harness;
    this.parent = parent;
    this.location = init.location;
    this.name = init.name || init.fn?.name || "<anonymous>";
    this.nesting = !parent || parent.parent === undefined ? 0 : parent.nesting + 1;
    this.testNumber = parent ? parent.subtests.length + 1 : 0;
    this.only = parent ? (init.only ?? !parent.runOnlySubtests) : options.testOnly;
    this.runOnlySubtests = parent ? !this.only : this.only;
    this.hooks = { before: [], after: [], beforeEach: [...(parent?.hooks.beforeEach ?? [])], afterEach: [...(parent?.hooks.afterEach ?? [])] };
    this.concurrency = concurrencyOf(init.concurrency, parent?.concurrency ?? 1, parent === undefined);
    if (init.timeout !== undefined && init.timeout !== null && typeof init.timeout !== "number") throw invalidArgType("options.timeout", "number", init.timeout);
    if (typeof init.timeout === "number" && (Number.isNaN(init.timeout) || init.timeout < 0 || (init.timeout > MAX_TIMEOUT_MS && init.timeout !== Number.POSITIVE_INFINITY))) throw outOfRange("options.timeout", ">= 0 && <= 2147483647", init.timeout);
    this.timeoutMs = init.timeout === undefined || init.timeout === null || init.timeout === Number.POSITIVE_INFINITY ? parent?.timeoutMs : init.timeout;
    let skip = init.skip;
    if (options.patterns.length > 0 && parent && !this.matchesPatterns()) skip = "test name does not match pattern";
    if (parent && options.skipPatterns.some((pattern) => pattern.test(this.name))) skip = "test name matches skip pattern";
    if (options.testOnly && !this.only) skip = "'only' option not set";
    this.fn = skip || typeof init.fn !== "function" ? noop : init.fn;
    if (init.signal !== undefined && typeof (init.signal as { aborted?: unknown } | null)?.aborted !== "boolean") throw invalidArgType("options.signal", "AbortSignal", init.signal);
    this.outerSignal = init.signal;
    this.outerSignal?.addEventListener("abort", this.#onAbort);
    this.#expectedAssertions = init.plan;
    this.skipped = skip !== undefined && skip !== false;
    this.isTodo = init.todo !== undefined && init.todo !== false;
    this.message = typeof skip === "string" ? skip : typeof init.todo === "string" ? init.todo : undefined;
    if (!options.testOnly && parent && (init.only || this.runOnlySubtests)) this.diagnostics.push("'only' and 'runOnly' require the --test-only command-line option.");
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get fullName(): string {
    return this.parent?.parent ? `${this.parent.fullName} > ${this.name}` : this.name;
  }

  matchesPatterns(): boolean {
    return this.harness.options.patterns.some((pattern) => pattern.test(this.name)) || (this.parent?.parent !== undefined && this.parent.matchesPatterns());
  }

  createSubtest(Factory: TestFactory, name: string, fn: AnyFunction | undefined, options: TestOptions, location: Location | undefined): TestNode {
    const late = this.finished || this.built;
    const parent: TestNode = late ? this.harness.root : this;
    const test = new Factory({ ...options, harness: this.harness, name, fn, parent, location });
    if (parent.#waitingOn === 0) parent.#waitingOn = test.testNumber;
    if (late) test.fail(testFailure("test could not be started because its parent finished", "parentAlreadyFinished"));
    parent.subtests.push(test);
    return test;
  }

  createHook(name: HookName, fn: AnyFunction | undefined, options: TestOptions, location: Location | undefined): void {
    const hook = new TestHook({ ...options, harness: this.harness, name: "", fn, parent: undefined, location }, name, this);
    if (name === "before" && this.startMs !== undefined) {
      void hook.runHookOnce(this.runArguments()).then(() => {
        if (hook.error !== undefined) this.fail(hook.error);
      });
    }
    // A test's own afterEach hooks run before its ancestors'.
    if (name === "afterEach") this.hooks.afterEach.splice(this.#ownAfterEach++, 0, hook);
    else this.hooks[name].push(hook);
  }

  fail(error: unknown): void {
    if (this.error !== undefined) return;
    this.passed = false;
    this.error = error;
  }

  pass(): void {
    if (this.error === undefined) this.passed = true;
  }

  /** Runs it now if there is room, otherwise when its turn comes. */
  start(): Promise<void> {
    const { parent } = this;
    this.harness.emit("test:enqueue", this);
    if (parent && !(this.harness.mayRun && parent.hasRoom())) return new Promise((resolve) => parent.#pending.push({ test: this, resolve }));
    this.harness.emit("test:dequeue", this);
    return this.run();
  }

  hasRoom(): boolean {
    return this.concurrency > this.activeSubtests;
  }

  async runPending(): Promise<void> {
    while (this.#pending.length > 0 && this.hasRoom()) {
      const { test, resolve } = this.#pending.shift() as Pending;
      this.harness.emit("test:dequeue", test);
      await test.run();
      resolve();
    }
  }

  get hasPending(): boolean {
    return this.#pending.length > 0 || this.#ready.size > 0 || this.activeSubtests > 0;
  }

  /** Ends what still runs of it, as a failure from outside does. */
  stop(): void {
    this.controller.abort();
  }

  runArguments(): RunArguments {
    const context = new TestContext(this);
    return { context, args: [context] };
  }

  async runHooks(name: HookName, args: RunArguments): Promise<void> {
    try {
      for (const hook of this.hooks[name]) {
        await (name === "before" || name === "after" ? hook.runHookOnce(args) : hook.runHook(args));
        if (hook.error !== undefined) throw hook.error;
      }
    } catch (error) {
      const failure = testFailure(`failed running ${name} hook`, "hookFailed");
      failure.cause = isTestFailure(error) ? error.cause : error;
      throw failure;
    }
  }

  protected failWith(error: unknown): void {
    if (!isTestFailure(error)) this.fail(testFailure(error, "testCodeFailure"));
    else if (error.failureType === "testTimeoutFailure") this.cancel(error);
    else this.fail(error);
  }

  async run(): Promise<void> {
    const { parent } = this;
    if (parent) parent.activeSubtests++;
    this.startMs ??= monotonicMs();
    if (this.abortedEarly()) {
      this.postRun();
      return;
    }
    const args = this.runArguments();
    const context = args.context as TestContext;
    if (this.plan === undefined && this.#expectedAssertions) context.plan(this.#expectedAssertions);
    const afterEach = once(async () => {
      if (parent && parent.hooks.afterEach.length > 0 && !this.skipped) await parent.runHooks("afterEach", args);
    });
    const after = async (): Promise<void> => {
      if (this.hooks.after.length > 0) await this.runHooks("after", args);
    };
    try {
      if (parent && parent.hooks.before.length > 0) await parent.runHooks("before", parent.runArguments());
      if (parent && parent.hooks.beforeEach.length > 0 && !this.skipped) await parent.runHooks("beforeEach", args);
      await this.callFunction(args);
      this.abortedEarly();
      this.plan?.check();
      this.pass();
      await afterEach();
      await after();
    } catch (error) {
      this.failWith(error);
      await quietly(afterEach);
      await quietly(after);
    } finally {
      if (parent) this.controller.abort();
    }
    if (parent || this.isHook) this.postRun();
    else this.harness.allDone();
  }

  protected get isHook(): boolean {
    return false;
  }

  /** Calls the test's function: with a callback when it takes one more argument than it is given. */
  protected async callFunction(args: RunArguments): Promise<void> {
    const { stop, clear } = this.harness.stopAfter(this.timeoutMs, this.signal);
    try {
      const call = (more: readonly unknown[]): unknown => this.harness.inside(this, () => Reflect.apply(this.fn, args.context, [...args.args, ...more]));
      if (this.fn.length !== args.args.length + 1) {
        await race([Promise.resolve(call([])), stop]);
        return;
      }
      let calls = 0;
      let [resolve, reject]: [() => void, (error: unknown) => void] = [noop, noop];
      const finished = new Promise<void>((...settle) => ([resolve, reject] = settle));
      const result = call([(error: unknown) => {
        calls++;
        if (calls === 2) throw testFailure("callback invoked multiple times", "multipleCallbackInvocations");
        if (calls > 1) return;
        if (error) reject(error);
        else resolve();
      }]);
      if (result instanceof Promise) {
        this.fail(testFailure("passed a callback but also returned a Promise", "callbackAndPromisePresent"));
        await race([result, stop]);
        return;
      }
      await race([finished, stop]);
    } finally {
      clear();
    }
  }

  readonly #onAbort = (): void => {
    const reason: unknown = this.outerSignal?.reason ?? this.harness.abortError();
    if (typeof reason === "object" && reason !== null) (reason as TestFailure).failureType = "testAborted" satisfies FailureType;
    this.cancel(reason);
  };

  protected abortedEarly(): boolean {
    if (!this.signal.aborted && this.outerSignal?.aborted !== true) return false;
    this.#onAbort();
    return true;
  }

  cancel(error?: unknown): void {
    if (this.endMs !== undefined || this.error !== undefined) return;
    this.fail(error ?? testFailure("test did not finish before its parent and was cancelled", "cancelledByParent"));
    this.cancelled = true;
    this.controller.abort();
  }

  /** `pendingError` fails what has not finished. */
  postRun(pendingError?: unknown): void {
    this.endMs ??= monotonicMs();
    this.startMs ??= this.endMs;
    this.#pending = [];
    let failed = 0;
    for (const subtest of this.subtests) {
      if (!subtest.finished) {
        subtest.cancel(pendingError);
        subtest.postRun(pendingError);
      }
      if (!subtest.passed && !subtest.isTodo) failed++;
    }
    const { parent } = this;
    if ((this.passed || !parent) && failed > 0) this.fail(testFailure(`${failed} subtest${failed > 1 ? "s" : ""} failed`, "subtestsFailed"));
    this.outerSignal?.removeEventListener("abort", this.#onAbort);
    this.mock?.reset();
    if (!parent) {
      this.harness.reportRun(this);
      return;
    }
    this.harness.emit("test:complete", this, this.details());
    parent.activeSubtests--;
    parent.#ready.set(this.testNumber, this);
    parent.#reportReady(false);
    void parent.runPending();
    if (!parent.parent && !parent.hasPending) void parent.run();
  }

  /** Reports finished subtests in the order they were made. */
  #reportReady(allowed: boolean): void {
    for (let k = this.#waitingOn; ; k++) {
      const subtest = this.#ready.get(k);
      if (!subtest || !(allowed || this.isClearToSend())) return;
      this.#ready.delete(k);
      subtest.#reportReady(true);
      subtest.report();
      this.#waitingOn++;
      subtest.finished = true;
    }
  }

  isClearToSend(): boolean {
    return this.parent === undefined || (this.parent.#waitingOn === this.testNumber && this.parent.isClearToSend());
  }

  get durationMs(): number {
    return Math.round(((this.endMs ?? 0) - (this.startMs ?? 0)) * 1e6) / 1e6;
  }

  protected details(): { details: { duration_ms: number; type?: string; error?: unknown; passed?: boolean }; skip?: string | true; todo?: string | true } {
    const directive = this.skipped ? { skip: this.message ?? (true as const) } : this.isTodo ? { todo: this.message ?? (true as const) } : {};
    return {
      details: { duration_ms: this.durationMs, ...(this.reportedType === undefined ? {} : { type: this.reportedType }), ...(this.passed ? {} : { error: this.error }) },
      ...directive,
    };
  }

  report(): void {
    const { harness } = this;
    harness.count(this);
    const [first] = this.subtests;
    if (first) harness.emitPlan(first.nesting, this.location, this.subtests.length);
    else this.announce();
    harness.emit(this.passed ? "test:pass" : "test:fail", this, { testNumber: this.testNumber, ...this.details() });
    for (const message of this.diagnostics) harness.emitDiagnostic(this.nesting, this.location, message);
  }

  announce(): void {
    if (this.#announced || !this.parent) return;
    this.#announced = true;
    this.parent.announce();
    this.harness.emit("test:start", this);
  }
}

const MAX_UINT32 = 2 ** 32 - 1;
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

function concurrencyOf(asked: TestInit["concurrency"], inherited: number, isRoot: boolean): number {
  if (asked === undefined || asked === null) return inherited;
  if (typeof asked === "boolean") return asked ? (isRoot ? 2 : Number.POSITIVE_INFINITY) : 1;
  if (typeof asked !== "number") throw invalidArgType("options.concurrency", ["boolean", "number"], asked);
  if (!Number.isInteger(asked)) throw outOfRange("options.concurrency", "an integer", asked);
  if (asked < 1 || asked > MAX_UINT32) throw outOfRange("options.concurrency", `>= 1 && <= ${MAX_UINT32}`, asked);
  return asked;
}

export function once(run: () => Promise<void>): () => Promise<void> {
  let result: Promise<void> | undefined;
  return () => (result ??= run());
}

/**
 * As Node's runner waits: with as many turns of the promise queue between the end of a test and what follows. Programs that
 * finish their work in such turns after calling `done` depend on it.
 */
export function race(promises: readonly Promise<unknown>[]): Promise<void> {
  return new Promise((resolve, reject) => {
    const inner = promises.map((promise) => new Promise((settle, fail) => void promise.then(settle, fail)));
    // The engine's own functions as handlers: its stack traces then find their way through here.
    Promise.race(inner).then(resolve as (value: unknown) => void, reject);
  });
}

/** A test that is failing already reports its first error; what its hooks throw afterwards is not told. */
export async function quietly(run: () => Promise<void>): Promise<void> {
  await run().catch(noop);
}

export class TestHook extends TestNode {
  readonly #owner: TestNode;
  override readonly hookName: HookName;
  #args: RunArguments | undefined;
  #once: Promise<void> | undefined;

  constructor(init: TestInit, hookName: HookName, owner: TestNode) {
    super(init);
    this.hookName = hookName;
    this.#owner = owner;
  }

  runHook(args: RunArguments): Promise<void> {
    this.endMs = undefined;
    if (this.error !== undefined && this.outerSignal?.aborted !== true) {
      this.passed = false;
      this.error = undefined;
      this.controller.abort();
      this.controller = new AbortController();
    }
    this.#args = args;
    return this.run();
  }

  runHookOnce(args: RunArguments): Promise<void> {
    return (this.#once ??= this.runHook(args));
  }

  override runArguments(): RunArguments {
    return this.#args as RunArguments;
  }

  protected override get isHook(): boolean {
    return true;
  }

  /** Only a failure of the whole run's `after` hook has nobody else to tell it. */
  override postRun(): void {
    const { error } = this;
    this.endMs = monotonicMs();
    if (error === undefined || this.#owner.parent || this.hookName !== "after") return;
    if (isTestFailure(error)) error.failureType = "hookFailed";
    this.harness.emitHookFailure(this.#owner.subtests.length + 1, this.location, { duration_ms: this.durationMs, error });
  }
}
