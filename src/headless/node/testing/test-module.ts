// node:test: the functions a test file imports.
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { createStream } from "../builtins/stream.ts";
import { harnessOf } from "./harness.ts";
import { MockTracker } from "./mock.ts";
import { BUILTIN_REPORTERS, checkReporters, makeReporter } from "./reporter.ts";
import { checkFunction, checkString } from "../errors.ts";
import { snapshots } from "./snapshot.ts";
import { testArguments } from "./test-context.ts";
import { TestSuite } from "./suite.ts";
import { type HookName, type TestFactory, TestNode, type TestOptions } from "./test-node.ts";
import { runFiles } from "./test-command.ts";
import type { TestEvent } from "./events.ts";

export function createTest(runtime: Runtime): Dict {
  checkReporters(runtime);
  const define = (Factory: TestFactory): AnyFunction & Dict => {
    const run = (given: readonly unknown[], extra: TestOptions): Promise<void> => {
      const harness = harnessOf(runtime);
      const location = harness.here();
      const { name, options, fn } = testArguments(given);
      const { parent } = harness;
      const test = parent.createSubtest(Factory, name, fn, { ...options, ...extra }, location);
      // A suite starts its tests itself.
      return parent instanceof TestSuite ? Promise.resolve() : harness.begin(test);
    };
    const plain = (...given: unknown[]): Promise<void> => run(given, {});
    const variants = { skip: { skip: true }, todo: { todo: true }, only: { only: true } } as const;
    for (const [name, extra] of Object.entries(variants)) Object.assign(plain, { [name]: (...given: unknown[]) => run(given, extra) });
    return plain as AnyFunction & Dict;
  };
  const hook = (name: HookName) => (fn?: AnyFunction, options: TestOptions = {}): void => {
    const harness = harnessOf(runtime);
    harness.parent.createHook(name, fn, options, harness.here());
  };
  const test = define(TestNode);
  const suite = define(TestSuite);
  Object.defineProperty(test, "name", { value: "test" });
  Object.defineProperty(suite, "name", { value: "suite" });
  let mock: MockTracker | undefined;
  Object.assign(test, {
    test, it: test, describe: suite, suite, before: hook("before"), after: hook("after"), beforeEach: hook("beforeEach"), afterEach: hook("afterEach"),
    run: (options?: Dict) => runFiles(runtime, options), snapshot: snapshots(runtime).settings,
    assert: {
      register: (name: unknown, check: unknown) => {
        checkString(name, "name");
        checkFunction(check, "fn");
        harnessOf(runtime).ownAssertions.set(name, check as AnyFunction);
      },
    },
  });
  Object.defineProperty(test, "mock", { enumerable: true, configurable: true, get: () => (mock ??= new MockTracker(runtime)) });
  Object.defineProperty(test, "reporters", { enumerable: false, configurable: true, get: () => createReporters(runtime) });
  return test;
}

/** node:test/reporters: spec is a Transform stream (to be made with or without `new`), the others are async generators. */
function createReporters(runtime: Runtime): Dict {
  const { Transform } = createStream() as unknown as { Transform: new (options: Dict) => object };
  return Object.fromEntries(BUILTIN_REPORTERS.map((name) => {
    if (name !== "spec") return [name, Object.defineProperty(generator(runtime, name), "name", { value: name === "junit" ? "junitReporter" : `${name}Reporter` })];
    const spec = function (source?: AsyncIterable<TestEvent>): unknown {
      // `stream.compose(spec)` calls it with the events.
      if (typeof source === "object") return generator(runtime, name)(source);
      const reporter = makeReporter(runtime, name);
      return new Transform({
        writableObjectMode: true,
        transform: (event: TestEvent, _encoding: string, done: (error: null, text: string) => void) => done(null, reporter?.report(event) ?? ""),
        flush: (done: (error: null, text: string) => void) => done(null, reporter?.end() ?? ""),
      });
    };
    return [name, spec];
  }));
}

function generator(runtime: Runtime, name: string): AnyFunction {
  return (async function* (source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
    const reporter = makeReporter(runtime, name);
    if (!reporter) return;
    if (reporter.head !== "") yield reporter.head;
    for await (const event of source) {
      const text = reporter.report(event);
      if (text !== "") yield text;
    }
    const rest = reporter.end();
    if (rest !== "") yield rest;
  }) as AnyFunction;
}
