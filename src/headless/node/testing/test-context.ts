// What a test's function is given: `t`. A suite gets a smaller one.
import { testFailure } from "./failure.ts";
import { MockTracker } from "./mock.ts";
import { type HookName, type TestNode, type TestOptions, TestNode as Node } from "./test-node.ts";
import type { AnyFunction, Dict } from "../runtime.ts";
import { checkInteger } from "../errors.ts";
import { snapshots } from "./snapshot.ts";

const COUNTED_ASSERTIONS = [
  "deepEqual", "deepStrictEqual", "doesNotMatch", "doesNotReject", "doesNotThrow", "equal", "fail", "ifError", "match", "notDeepEqual", "notDeepStrictEqual", "notEqual",
  "notStrictEqual", "ok", "rejects", "strictEqual", "throws",
] as const;

/** Arguments of `test(name, options, fn)`, any of which may be left out. */
export function testArguments(given: readonly unknown[]): { name: string; options: TestOptions; fn: AnyFunction | undefined } {
  let [name, options, fn] = given;
  if (typeof name === "function") {
    fn = name;
    name = undefined;
    options = undefined;
  } else if (name !== null && typeof name === "object") {
    fn = options;
    options = name;
    name = undefined;
  } else if (typeof options === "function") {
    fn = options;
    options = undefined;
  }
  const settings = (options !== null && typeof options === "object" ? options : {}) as TestOptions & { name?: unknown; fn?: unknown };
  const title = settings.name ?? name;
  const body = settings.fn ?? fn;
  return { name: typeof title === "string" ? title : "", options: settings, fn: typeof body === "function" ? (body as AnyFunction) : undefined };
}

const MAX_UINT32 = 2 ** 32 - 1;

export class TestPlan {
  readonly #expected: number;
  actual = 0;

  constructor(expected: number) {
    checkInteger(expected, "count", 0, MAX_UINT32);
    this.#expected = expected;
  }

  check(): void {
    if (this.actual !== this.#expected) throw testFailure(`plan expected ${this.#expected} assertions but received ${this.actual}`, "testCodeFailure");
  }
}

export class TestContext {
  readonly #test: TestNode;
  #assert: Dict | undefined;

  constructor(test: TestNode) {
    this.#test = test;
  }

  get signal(): AbortSignal {
    return this.#test.signal;
  }

  get name(): string {
    return this.#test.name;
  }

  get fullName(): string {
    return this.#test.fullName;
  }

  get error(): unknown {
    return this.#test.error ?? null;
  }

  get passed(): boolean {
    return this.#test.passed;
  }

  get assert(): Dict {
    if (this.#assert) return this.#assert;
    const { plan, harness } = this.#test;
    const assert = harness.runtime.builtin("assert");
    const own = (this.#assert = Object.create(null) as Dict);
    const count = (name: string, check: AnyFunction): void => {
      own[name] = (...args: unknown[]) => {
        if (plan) plan.actual++;
        return Reflect.apply(check, this, args) as unknown;
      };
    };
    for (const name of COUNTED_ASSERTIONS) count(name, assert[name] as AnyFunction);
    const known = snapshots(harness.runtime);
    count("snapshot", ((actual: unknown, options?: Dict) => known.compare(this.#test, actual, options)) as AnyFunction);
    count("fileSnapshot", ((actual: unknown, path: unknown, options?: Dict) => known.compareFile(actual, path, options)) as AnyFunction);
    for (const [name, check] of harness.ownAssertions) count(name, check);
    return own;
  }

  get mock(): MockTracker {
    return (this.#test.mock ??= new MockTracker(this.#test.harness.runtime));
  }

  diagnostic(message: unknown): void {
    this.#test.diagnostics.push(String(message));
  }

  plan(count: number): void {
    if (this.#test.plan) throw testFailure("cannot set plan more than once", "testCodeFailure");
    this.#test.plan = new TestPlan(count);
  }

  runOnly(value: unknown): void {
    this.#test.runOnlySubtests = Boolean(value);
  }

  skip(message?: string): void {
    this.#test.skipped = true;
    this.#test.message = message;
  }

  todo(message?: string): void {
    this.#test.isTodo = true;
    this.#test.message = message;
  }

  test(...given: unknown[]): Promise<void> {
    const { harness, plan } = this.#test;
    const location = harness.here();
    if (plan) plan.actual++;
    const { name, options, fn } = testArguments(given);
    return this.#test.createSubtest(Node, name, fn, options, location).start();
  }

  #hook(name: HookName, fn: AnyFunction | undefined, options: TestOptions = {}): void {
    this.#test.createHook(name, fn, options, this.#test.harness.here());
  }

  before(fn?: AnyFunction, options?: TestOptions): void {
    this.#hook("before", fn, options);
  }

  after(fn?: AnyFunction, options?: TestOptions): void {
    this.#hook("after", fn, options);
  }

  beforeEach(fn?: AnyFunction, options?: TestOptions): void {
    this.#hook("beforeEach", fn, options);
  }

  afterEach(fn?: AnyFunction, options?: TestOptions): void {
    this.#hook("afterEach", fn, options);
  }
}

export class SuiteContext {
  readonly #suite: TestNode;

  constructor(suite: TestNode) {
    this.#suite = suite;
  }

  get signal(): AbortSignal {
    return this.#suite.signal;
  }

  get name(): string {
    return this.#suite.name;
  }

  get fullName(): string {
    return this.#suite.fullName;
  }
}
