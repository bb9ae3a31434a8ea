// One test run in one process: the root of the tree, its counters, its reporters, and who gets the blame for an error
// that no test's own code caught. (Over 300 lines: all that is one per run, and little of it can stand alone.)
import { monotonicMs } from "../../clock.ts";
import { startTimer } from "../builtins/timers.ts";
import { invalidArgValue, nodeError } from "../errors.ts";
import { urlToFile } from "../file-url.ts";
import type { AnyFunction, Runtime } from "../runtime.ts";
import type { Location, TestData, TestDetails, TestEvent, TestEventType } from "./events.ts";
import { CANCELLED, type FailureType, testFailure } from "./failure.ts";
import { type EventSink, isReporterFailure, makeSinks } from "./reporter.ts";
import { snapshots } from "./snapshot.ts";
import { TestNode } from "./test-node.ts";

export interface HarnessOptions {
  readonly testOnly: boolean;
  readonly patterns: readonly RegExp[];
  readonly skipPatterns: readonly RegExp[];
}

interface Counters {
  all: number;
  passed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  todo: number;
  topLevel: number;
  suites: number;
}

interface Counted {
  readonly nesting: number;
  readonly reportedType: string | undefined;
  readonly skipped: boolean;
  readonly isTodo: boolean;
  readonly cancelled: boolean;
  readonly passed: boolean;
}

/** Of `node --test`, or of `run()`, whose events go to a stream of its own and do not touch the exit code. */
export interface RunnerSettings {
  readonly concurrency?: boolean | number | undefined;
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly sinks?: EventSink[];
}

/** "/re/flags" or the source of one, as --test-name-pattern takes it. */
export function patternOf(text: string, name = "--test-name-pattern"): RegExp {
  const [, body = text, flags = ""] = /^\/(.*)\/([a-z]*)$/.exec(text) ?? [];
  try {
    return new RegExp(body, flags);
  } catch (error) {
    throw invalidArgValue(name, text, `is an invalid regular expression. ${(error as Error).message}`);
  }
}

const PENDING_AT_END = "Promise resolution is still pending but the event loop has already resolved";

export class Harness {
  readonly runtime: Runtime;
  readonly options: HarnessOptions;
  readonly root: TestNode;
  readonly counters: Counters = { all: 0, passed: 0, failed: 0, cancelled: 0, skipped: 0, todo: 0, topLevel: 0, suites: 0 };
  mayRun = false;
  /** `assert.register` of node:test: what it adds to `t.assert`. */
  readonly ownAssertions = new Map<string, AnyFunction>();
  readonly #sinks: EventSink[];
  /** Key of the running test in the event loop's scope. */
  readonly #scopeKey = {};
  readonly #running: TestNode[] = [];
  #suite: TestNode | undefined;
  readonly #queue: TestEvent[] = [];
  #begun = false;
  #reported = false;

  readonly #failsProcess: boolean;
  readonly #forceExit: boolean;
  #unlisten: () => void = () => undefined;

  /** `runner`: a run whose own tests are files. */
  constructor(runtime: Runtime, runner?: RunnerSettings) {
    this.runtime = runtime;
    const { options } = runtime;
    this.options = runner ? { testOnly: false, patterns: [], skipPatterns: [] } : {
      testOnly: options.testOnly, patterns: options.testNamePatterns.map((text) => patternOf(text)), skipPatterns: options.testSkipPatterns.map((text) => patternOf(text, "--test-skip-pattern")),
    };
    this.#sinks = runner?.sinks ?? makeSinks(runtime);
    this.#failsProcess = runner?.sinks === undefined;
    this.#forceExit = runner === undefined && options.testForceExit;
    const { concurrency, timeout, signal } = runner ?? {};
    this.root = new TestNode({
      harness: this, name: "<root>", fn: undefined, parent: undefined, location: undefined,
      ...(concurrency === undefined ? {} : { concurrency }), ...(timeout === undefined ? {} : { timeout }), ...(signal === undefined ? {} : { signal }),
    });
    this.root.startMs = monotonicMs();
    this.#listen();
    if (runner && this.#failsProcess) this.#endOnSignals();
  }

  /** `node --test` that is told to end: what has not run is cancelled. */
  #endOnSignals(): void {
    for (const signal of ["SIGINT", "SIGTERM"]) {
      this.runtime.process.on(signal, async () => {
        await this.finish();
        this.runtime.loop.post(() => this.runtime.exit());
      });
    }
  }

  #listen(): void {
    const { process } = this.runtime;
    const onException: AnyFunction = (error) => this.#uncaught(error, "uncaughtException");
    const onRejection: AnyFunction = (error) => this.#uncaught(error, "unhandledRejection");
    const onEnd: AnyFunction = () => {
      process.off("beforeExit", onEnd);
      return this.finish();
    };
    this.#unlisten = () => {
      process.off("beforeExit", onEnd);
      process.off("uncaughtException", onException);
      process.off("unhandledRejection", onRejection);
    };
    process.on("uncaughtException", onException);
    process.on("unhandledRejection", onRejection);
    process.on("beforeExit", onEnd);
  }

  async finish(): Promise<void> {
    const { root } = this;
    if (root.subtests.length === 0 && root.hooks.before.length + root.hooks.after.length > 0) await root.run();
    root.postRun(testFailure(PENDING_AT_END, "cancelledByParent"));
    this.#unlisten();
  }

  /** The test or suite that code calling `test` or a hook right now belongs to. */
  get parent(): TestNode {
    const running = this.runtime.loop.scope.get(this.#scopeKey) as TestNode | undefined;
    return this.#suite ?? running ?? this.root;
  }

  get buildingSuite(): boolean {
    return this.#suite !== undefined;
  }

  /** No test begins before `letGo`: more files are still to be loaded. */
  holdBack(): void {
    this.#begun = true;
  }

  letGo(): void {
    this.mayRun = true;
    void this.root.runPending();
  }

  /** Starts a top-level test; tests begin once the file has had its first turn. */
  async begin(test: TestNode): Promise<void> {
    if (!this.#begun) {
      this.#begun = true;
      queueMicrotask(() => {
        this.mayRun = true;
        void this.root.runPending();
      });
    }
    await test.start();
  }

  inside<T>(test: TestNode, run: () => T): T {
    const { loop } = this.runtime;
    this.#running.push(test);
    const result = loop.within(new Map([...loop.scope, [this.#scopeKey, test]]), run);
    return result;
  }

  building<T>(suite: TestNode, run: () => T): T {
    const outer = this.#suite;
    this.#suite = suite;
    try {
      // What it starts after an `await` belongs to it too.
      return this.inside(suite, run);
    } finally {
      this.#suite = outer;
    }
  }

  /** A promise that rejects after the time, or settles when the signal fires; `clear` when the race is over. */
  stopAfter(timeoutMs: number | undefined, signal: AbortSignal): { stop: Promise<void>; clear: () => void } {
    let timer: { unref(): void; close(): void } | undefined;
    let onAbort: () => void = () => undefined;
    const stop = new Promise<void>((resolve, reject) => {
      const timedOut = (): void => reject(testFailure(`test timed out after ${timeoutMs}ms`, "testTimeoutFailure"));
      onAbort = timeoutMs === undefined ? resolve : timedOut;
      signal.addEventListener("abort", onAbort, { once: true });
      if (timeoutMs === undefined) return;
      timer = startTimer(this.runtime, timedOut, timeoutMs);
      timer.unref();
    });
    // It may reject after the race was won by the test; nobody listens then.
    stop.catch(() => undefined);
    return {
      stop, clear: () => {
        timer?.close();
        signal.removeEventListener("abort", onAbort);
      },
    };
  }

  abortError(): Error {
    const error = nodeError(Error, "ABORT_ERR", "The test was aborted");
    error.name = "AbortError";
    return error;
  }

  /** The place in the program that called: in its sources, if the command line asks for their maps. */
  here(): Location | undefined {
    const { sources, options } = this.runtime;
    const called = sources.here();
    if (!called) return undefined;
    const place = (options.sourceMaps ? sources.maps?.through(called) : undefined) ?? called;
    return { file: place.label.startsWith("file:") ? urlToFile(place.label) : place.label, line: place.line, column: place.column };
  }

  #uncaught(error: unknown, kind: FailureType & ("uncaughtException" | "unhandledRejection")): void {
    // What a reporter throws is the run's own failure, whatever tests are running.
    if (isReporterFailure(error)) throw error;
    // The file itself failed before its tests could begin: that is not a test's business, and ends the process.
    if (!this.mayRun) throw error;
    const scoped = this.runtime.loop.scope.get(this.#scopeKey) as TestNode | undefined;
    const test = scoped ?? this.#running.findLast((one) => one.endMs === undefined);
    if (test && !test.finished && test.endMs === undefined) {
      test.fail(testFailure(error, kind));
      test.stop();
      return;
    }
    const place = test?.location && `${relativeTo(this.runtime.cwd, test.location.file)}:${test.location.line}:${test.location.column}`;
    const message = test
      ? `Error: Test ${test.hookName === undefined ? "" : "hook "}"${test.hookName ?? test.name}"${place ? ` at ${place}` : ""} generated asynchronous activity after the test ended. This activity created the error "${String(error)}" and would have caused the test to fail, but instead triggered an ${kind} event.`
      : `Error: A resource generated asynchronous activity after the test ended. This activity created the error "${String(error)}" which triggered an ${kind} event, caught by the test runner.`;
    this.root.diagnostics.push(message);
    this.runtime.process.exitCode = 1;
  }

  count(test: Counted): void {
    const { counters } = this;
    if (test.nesting === 0) counters.topLevel++;
    if (test.reportedType === "suite") {
      counters.suites++;
      return;
    }
    if (test.skipped) counters.skipped++;
    else if (test.isTodo) counters.todo++;
    else if (test.cancelled) counters.cancelled++;
    else if (test.passed) counters.passed++;
    else counters.failed++;
    counters.all++;
  }

  /** Counts and passes on what a test file's process reported. */
  forward(event: TestEvent): void {
    const { type, data } = event;
    if (type !== "test:pass" && type !== "test:fail") {
      this.#send(event);
      return;
    }
    const testNumber = data.nesting === 0 ? this.counters.topLevel + 1 : data.testNumber;
    this.count({
      nesting: data.nesting, reportedType: data.details?.type, skipped: data.skip !== undefined, isTodo: data.todo !== undefined, passed: type === "test:pass",
      cancelled: CANCELLED.has((data.details?.error as { failureType?: string } | undefined)?.failureType ?? ""),
    });
    this.#send({ type, data: testNumber === undefined ? data : { ...data, testNumber } });
  }

  emit(type: TestEventType, test: TestNode, more: Partial<TestData> = {}): void {
    this.#send({ type, data: { ...test.location, nesting: test.nesting, name: test.name, ...more } });
  }

  emitPlan(nesting: number, location: Location | undefined, count: number): void {
    this.#send({ type: "test:plan", data: { ...location, nesting, count } });
  }

  emitDiagnostic(nesting: number, location: Location | undefined, message: string): void {
    this.#send({ type: "test:diagnostic", data: { ...location, nesting, message } });
  }

  emitHookFailure(testNumber: number, location: Location | undefined, details: TestDetails): void {
    this.#send({ type: "test:fail", data: { ...location, nesting: 0, name: location?.file ?? "", testNumber, details } });
  }

  #send(event: TestEvent): void {
    if (this.#failsProcess && event.type === "test:fail" && event.data.todo === undefined) this.runtime.process.exitCode = 1;
    this.#queue.push(event);
    if (this.#queue.length > 1) return;
    // As Node's reporters, which are streams: what a test prints itself comes before the report of it, and what was
    // not reported when the program calls process.exit is not told at all.
    this.runtime.loop.post(() => {
      for (const queued of this.#queue.splice(0)) for (const sink of this.#sinks) sink.send(queued);
      if (!this.#reported) return;
      for (const sink of this.#sinks) void sink.end();
      // All known tests have run: what else the program waits for does not count.
      if (this.#forceExit) this.runtime.exit();
    });
  }

  /** The last known test has ended: with --test-force-exit so does the process, whatever it still waits for. */
  allDone(): void {
    if (this.#forceExit) void this.finish();
  }

  /** The end of the run: plan, diagnostics, totals. */
  reportRun(root: TestNode): void {
    if (this.#reported) return;
    this.#reported = true;
    snapshots(this.runtime).save();
    const { counters } = this;
    this.emitPlan(0, undefined, counters.topLevel);
    const totals = [`tests ${counters.all}`, `suites ${counters.suites}`, `pass ${counters.passed}`, `fail ${counters.failed}`, `cancelled ${counters.cancelled}`, `skipped ${counters.skipped}`, `todo ${counters.todo}`, `duration_ms ${root.durationMs}`];
    for (const message of [...root.diagnostics, ...totals]) this.emitDiagnostic(0, undefined, message);
  }
}

function relativeTo(folder: string, file: string): string {
  return file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
}

const harnesses = new WeakMap<Runtime, Harness>();

/** The run that `test()` calls of this process belong to. */
export function harnessOf(runtime: Runtime): Harness {
  const known = harnesses.get(runtime);
  if (known) return known;
  const made = new Harness(runtime);
  harnesses.set(runtime, made);
  return made;
}

