// `node --test`: one child process per test file, its events gathered into one report.
import { createStream } from "../builtins/stream.ts";
import { ExitSignal } from "../errors.ts";
import type { ChildHandle, Dict, Runtime } from "../runtime.ts";
import { findTestFiles, MissingPath } from "./discovery.ts";
import { type TestEvent, unpackEvent } from "./events.ts";
import { testFailure } from "./failure.ts";
import { Harness } from "./harness.ts";
import { type TestInit, TestNode } from "./test-node.ts";

/** Totals of one file; the runner prints its own. */
const FILE_TOTALS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
/** Flags the runner keeps to itself. */
const RUNNER_FLAG = /^(--test|--watch|--test-reporter|--test-reporter-destination|--test-concurrency|--test-shard|--test-timeout)(=|$)/;
const RUNNER_FLAG_WITH_VALUE = /^--test-(reporter|reporter-destination|concurrency|shard|timeout)$/;

class FileTest extends TestNode {
  readonly path: string;
  #buffer: TestEvent[] = [];
  #children = 0;
  failedSubtests = false;

  constructor(init: TestInit) {
    super({ ...init, location: { file: init.name, line: 1, column: 1 } });
    this.path = init.name;
  }

  /** What the tests in the file said already says everything. */
  get #told(): boolean {
    return this.#children > 0 && (this.error === undefined || (this.error as { failureType?: string }).failureType === "subtestsFailed");
  }

  add(event: TestEvent): void {
    if (event.type === "test:pass" || event.type === "test:fail") {
      this.#children++;
      if (event.type === "test:fail" && event.data.nesting === 0) this.failedSubtests = true;
    }
    this.#buffer.push(event);
    if (this.isClearToSend()) this.#drain();
  }

  #drain(): void {
    for (const event of this.#buffer.splice(0)) {
      const topLevel = event.data.nesting === 0;
      if (topLevel && event.type === "test:plan" && this.#told) continue;
      if (topLevel && event.type === "test:diagnostic" && FILE_TOTALS.test(event.data.message ?? "")) continue;
      this.harness.forward(event);
    }
  }

  override announce(): void {
    // Said only when the file itself has something to report.
  }

  override report(): void {
    this.#drain();
    if (this.#told) return;
    super.announce();
    super.report();
  }
}

function childArguments(execArgv: readonly string[]): string[] {
  const kept: string[] = [];
  for (let k = 0; k < execArgv.length; k++) {
    const flag = execArgv[k] as string;
    if (RUNNER_FLAG_WITH_VALUE.test(flag)) k++;
    else if (!RUNNER_FLAG.test(flag)) kept.push(flag);
  }
  return kept;
}

/** Starts the file's process and passes on what it says. Fails like the process did. */
function runFile(runtime: Runtime, test: FileTest): Promise<void> {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  let errorLine = "";
  const say = (type: "test:stdout" | "test:stderr", message: string): void => {
    if (message !== "") test.add({ type, data: { nesting: 0, name: "", file: test.path, message } });
  };
  return new Promise((resolve, reject) => {
    const { loop, host, process } = runtime;
    const env = Object.fromEntries(Object.entries({ ...process.env, NODE_TEST_CONTEXT: "child-v8" }).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const release = loop.hold();
    const done = (finish: () => void): void => loop.post(() => {
      if (errorLine !== "") say("test:stderr", `${errorLine}\n`);
      release();
      finish();
    });
    const child: ChildHandle = host.spawn(
      { command: "node", args: [...childArguments(process.execArgv), test.path], cwd: runtime.cwd, env, stdin: false, ipc: true, terminal: null },
      {
        started: () => undefined,
        output: (fd, data) => loop.post(() => {
          const text = decoders[fd].decode(data, { stream: true });
          if (fd === 1) {
            say("test:stdout", text);
            return;
          }
          const lines = (errorLine + text).split("\n");
          errorLine = lines.pop() as string;
          for (const line of lines) say("test:stderr", `${line}\n`);
        }),
        message: (message) => loop.post(() => {
          const event = unpackEvent(message);
          if (event) test.add(event);
        }),
        exit: (code, signal) => done(() => {
          if (code === 0 && signal === null) resolve();
          else reject(Object.assign(testFailure("test failed", test.failedSubtests ? "subtestsFailed" : "testCodeFailure"), { exitCode: code, signal, stack: undefined }));
        }),
        error: (_code, message) => done(() => reject(new Error(message))),
      },
    );
    test.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  });
}

async function runAll(runtime: Runtime, files: readonly string[], timeoutMs: number): Promise<void> {
  const harness = new Harness(runtime, true);
  harness.mayRun = true;
  // Processes in one realm take turns; real ones run side by side.
  const tests = files.map((file) => {
    const test: FileTest = harness.root.createSubtest(FileTest, file, () => runFile(runtime, test), { timeout: timeoutMs }, undefined) as FileTest;
    return test;
  });
  if (runtime.host.ownsRealm) await Promise.all(tests.map((test) => test.start()));
  else for (const test of tests) await test.start();
  await harness.finish();
}

/** The command. Its exit code is 1 when a test failed or a named path is missing; finding no tests is no failure in Node 20. */
export function runTestFiles(runtime: Runtime): Promise<unknown> {
  const { options } = runtime;
  let files: string[];
  try {
    files = findTestFiles(runtime, options.rest);
  } catch (error) {
    if (!(error instanceof MissingPath)) throw error;
    runtime.process.stderr.write(`${error.message}\n`);
    return runtime.exit(1);
  }
  return runAll(runtime, files, options.testTimeoutMs).catch((error: unknown) => {
    if (!(error instanceof ExitSignal)) throw error;
  });
}

/** `run()` of node:test: a stream that ends when the run does. Its results go to the run's own reporters. */
export function runFiles(runtime: Runtime, options: Dict = {}): object {
  const { Readable } = createStream();
  const files = (options["files"] as string[] | undefined) ?? findTestFiles(runtime, []);
  const stream = new Readable({ objectMode: true, read: () => undefined });
  const run = runAll(runtime, files, (options["timeout"] as number | undefined) ?? Number.POSITIVE_INFINITY);
  run.then(() => stream.push(null), (error: unknown) => stream.emit("error", error));
  return stream;
}
