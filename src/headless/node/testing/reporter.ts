// Reporters: events in, text out. Which one, and where its text goes, is the command line's choice.
import { invalidArgType, invalidArgValue, unsupported } from "../errors.ts";
import { resolvePath } from "../../posix-path.ts";
import type { AnyFunction, Dict, Runtime } from "../runtime.ts";
import { packEvent, type TestEvent } from "./events.ts";
import { JunitReporter } from "./junit.ts";
import { DotReporter, SpecReporter } from "./spec.ts";
import { TapReporter } from "./tap.ts";

export interface Reporter {
  /** Printed before the first event. */
  readonly head: string;
  report(event: TestEvent): string;
  /** Printed after the last. */
  end(): string;
}

export interface Colors {
  readonly red: string;
  readonly green: string;
  readonly blue: string;
  readonly gray: string;
  readonly white: string;
  readonly reset: string;
}

const PLAIN: Colors = { red: "", green: "", blue: "", gray: "", white: "", reset: "" };
const COLORFUL: Colors = { red: "\u001b[31m", green: "\u001b[32m", blue: "\u001b[34m", gray: "\u001b[90m", white: "\u001b[39m", reset: "\u001b[0m" };

/** What receives the events of one run. */
export interface EventSink {
  send(event: TestEvent): void;
  end(): Promise<void> | undefined;
}

export const BUILTIN_REPORTERS = ["spec", "tap", "dot", "junit"] as const;

export function makeReporter(runtime: Runtime, name: string): Reporter | undefined {
  const { stdout } = runtime.process;
  const colors = (stdout.isTTY === true && runtime.process.env["NO_COLOR"] === undefined) || runtime.process.env["FORCE_COLOR"] ? COLORFUL : PLAIN;
  if (name === "tap") return new TapReporter();
  if (name === "spec") return new SpecReporter(colors, runtime.cwd);
  if (name === "junit") return new JunitReporter(String((runtime.builtin("os")["hostname"] as AnyFunction)()));
  if (name === "lcov") throw unsupported("the lcov reporter of node:test", UNMEASURED);
  if (name === "dot") return new DotReporter(colors, stdout.columns ?? 20);
  return undefined;
}

const UNMEASURED = "a page cannot measure which code has run";

/** Which reporters, each with its place. Throws when their numbers differ, as node:test does when it is loaded. */
export function chosenReporters({ options, process }: Runtime): readonly (readonly [name: string, destination: string])[] {
  const names = options.testReporters.length === 0 && options.testReporterDestinations.length === 0 ? [process.stdout.isTTY === true ? "spec" : "tap"] : options.testReporters;
  const destinations = options.testReporterDestinations.length === 0 && names.length === 1 ? ["stdout"] : options.testReporterDestinations;
  if (destinations.length !== names.length) throw invalidArgValue("--test-reporter", names, "must match the number of specified '--test-reporter-destination'");
  return names.map((name, k) => [name, destinations[k] as string]);
}

const isTestFile = ({ process, host }: Runtime): boolean => process.env["NODE_TEST_CONTEXT"] === "child-v8" && host.ipc;

/** For whoever loads node:test. */
export function checkReporters(runtime: Runtime): void {
  if (!isTestFile(runtime)) chosenReporters(runtime);
}

/** In a test file's own process under `node --test`, events go to the runner; otherwise to the chosen reporters. */
export function makeSinks(runtime: Runtime): EventSink[] {
  if (isTestFile(runtime)) return [{ send: (event) => runtime.host.send(packEvent(event)), end: () => undefined }];
  if (runtime.process.execArgv.includes("--experimental-test-coverage")) runtime.process.emitWarning(`--experimental-test-coverage is not available in the container: ${UNMEASURED}. The tests run without it.`);
  return chosenReporters(runtime).map(([name, place]) => {
    const write = destination(runtime, place);
    const reporter = makeReporter(runtime, name);
    return reporter ? textSink(reporter, write) : customSink(runtime, name, write);
  });
}

function destination(runtime: Runtime, name: string): (text: string) => void {
  if (name === "stdout") return (text) => void runtime.process.stdout.write(text);
  if (name === "stderr") return (text) => void runtime.process.stderr.write(text);
  const path = resolvePath(name, runtime.cwd);
  runtime.vfs.writeFile(path, new Uint8Array());
  return (text) => runtime.vfs.append(path, new TextEncoder().encode(text));
}

function textSink(reporter: Reporter, write: (text: string) => void): EventSink {
  let begun = false;
  const put = (text: string): void => {
    const whole = begun ? text : reporter.head + text;
    begun = true;
    if (whole !== "") write(whole);
  };
  return {
    send: (event) => put(reporter.report(event)),
    end: () => {
      put(reporter.end());
      return undefined;
    },
  };
}

const failures = new WeakSet<object>();
export const isReporterFailure = (error: unknown): boolean => typeof error === "object" && error !== null && failures.has(error);

/** A reporter of the project's own: an async generator over events, or a Transform stream (or a class of one). */
function customSink(runtime: Runtime, specifier: string, write: (text: string) => void): EventSink {
  const queue: TestEvent[] = [];
  let ended = false;
  let wake: () => void = () => undefined;
  async function* events(): AsyncGenerator<TestEvent> {
    for (;;) {
      const event = queue.shift();
      if (event) yield event;
      else if (ended) return;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  const run = async (): Promise<void> => {
    const loaded = (await runtime.loop.track(runtime.loader.import(specifier, resolvePath("[reporter]", runtime.cwd)) as Promise<unknown>)) as Dict;
    let reporter = (loaded["default"] ?? loaded) as unknown;
    // Generator functions have a prototype too, but no constructor on it.
    const isClass = typeof reporter === "function" && Object.hasOwn((reporter as { prototype?: object }).prototype ?? {}, "constructor");
    if (isClass) reporter = new (reporter as new () => unknown)();
    const isStream = typeof (reporter as { write?: unknown } | null)?.write === "function";
    if (typeof reporter !== "function" && !isStream) throw invalidArgType("reporter", ["function", "Duplex"], reporter);
    if (typeof reporter === "function") {
      for await (const text of (reporter as AnyFunction)(events()) as AsyncIterable<unknown>) write(String(text));
      return;
    }
    const stream = reporter as AsyncIterable<unknown> & { write(event: TestEvent): void; end(): void };
    void (async () => {
      for await (const event of events()) stream.write(event);
      stream.end();
    })();
    for await (const text of stream) write(String(text));
  };
  // What waits for events keeps no process alive; what is still to be written at the end does.
  const done = run().catch((error: unknown) => {
    if (typeof error === "object" && error !== null) failures.add(error);
    runtime.loop.run(() => runtime.fatal(error, "uncaughtException"));
  });
  return {
    send: (event) => {
      queue.push(event);
      wake();
    },
    end: () => {
      ended = true;
      wake();
      return runtime.loop.track(done);
    },
  };
}
