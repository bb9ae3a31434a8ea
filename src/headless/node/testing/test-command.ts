// `node --test`: one child process per test file, its events gathered into one report.
import { createStream } from "../builtins/stream.ts";
import { resolvePath } from "../../posix-path.ts";
import { checkInteger, ExitSignal, invalidArgType, invalidArgValue } from "../errors.ts";
import type { AnyFunction, ChildHandle, Dict, Emitter, Runtime } from "../runtime.ts";
import { findTestFiles, MissingPath } from "./discovery.ts";
import { type TestEvent, unpackEvent } from "./events.ts";
import { testFailure } from "./failure.ts";
import { Harness, harnessOf, patternOf, type RunnerSettings } from "./harness.ts";
import { type EventSink, makeSinks } from "./reporter.ts";
import { type TestInit, TestNode } from "./test-node.ts";
import { ChangedFiles, loadedFiles, reporting } from "../watch/changed-files.ts";

/** Totals of one file; the runner prints its own. */
const FILE_TOTALS = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) [\d.]+$/;
/** Flags the runner keeps to itself. */
const RUNNER_FLAG = /^(--test|--watch|--watch-preserve-output|--test-isolation|--experimental-test-isolation|--test-reporter|--test-reporter-destination|--test-concurrency|--test-shard|--test-timeout)(=|$)/;
const RUNNER_FLAG_WITH_VALUE = /^--(?:test-(reporter|reporter-destination|concurrency|shard|timeout|isolation)|experimental-test-isolation)$/;

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

/** What the run's own options add to every file's command line. */
interface FileFlags {
  readonly only?: boolean | undefined;
  readonly patterns?: readonly RegExp[] | undefined;
  readonly forceExit?: boolean | undefined;
}

function childArguments(execArgv: readonly string[], { only, patterns = [], forceExit }: FileFlags): string[] {
  const kept: string[] = [];
  for (let k = 0; k < execArgv.length; k++) {
    const flag = execArgv[k] as string;
    if (RUNNER_FLAG_WITH_VALUE.test(flag)) k++;
    else if (!RUNNER_FLAG.test(flag)) kept.push(flag);
  }
  return [...kept, ...(forceExit ? ["--test-force-exit"] : []), ...patterns.map((pattern) => `--test-name-pattern=${String(pattern)}`), ...(only ? ["--test-only"] : [])];
}

/** Starts the file's process and passes on what it says. Fails like the process did. */
function runFile(runtime: Runtime, test: FileTest, { watch, ...flags }: FileFlags & { readonly watch?: Watch | undefined }): Promise<void> {
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  let errorLine = "";
  const say = (type: "test:stdout" | "test:stderr", message: string): void => {
    if (message !== "") test.add({ type, data: { nesting: 0, file: test.path, message } });
  };
  return new Promise((resolve, reject) => {
    const { loop, host, process } = runtime;
    const env = Object.fromEntries(Object.entries({ ...process.env, NODE_TEST_CONTEXT: "child-v8", ...(watch ? reporting : {}) }).filter((entry): entry is [string, string] => entry[1] !== undefined));
    const release = loop.hold();
    const done = (finish: () => void): void => loop.post(() => {
      watch?.running.delete(test.path);
      if (errorLine !== "") say("test:stderr", `${errorLine}\n`);
      release();
      finish();
    });
    const child: ChildHandle = host.spawn(
      { command: "node", args: [...childArguments(process.execArgv, flags), test.path], cwd: runtime.cwd, env, stdin: false, ipc: true, terminal: null },
      {
        started: () => undefined,
        output: (fd, data) => loop.post(() => {
          const text = decoders[fd as 1 | 2].decode(data, { stream: true });
          if (fd === 1) {
            say("test:stdout", text);
            return;
          }
          const lines = (errorLine + text).split("\n");
          errorLine = lines.pop() as string;
          for (const line of lines) say("test:stderr", `${line}\n`);
        }),
        message: (message) => loop.post(() => {
          for (const file of watch ? loadedFiles(message) : []) watch?.changed.add(file, test.path);
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
    watch?.running.set(test.path, child);
    test.signal.addEventListener("abort", () => child.kill("SIGTERM"), { once: true });
  });
}

/** Of `--watch`: the files' processes, and what they have loaded. */
interface Watch {
  readonly running: Map<string, ChildHandle>;
  readonly changed: ChangedFiles;
}

interface RunSettings extends FileFlags, RunnerSettings {
  readonly watch?: Watch;
  readonly files: readonly string[];
  readonly setup?: (() => unknown) | undefined;
}

async function runAll(runtime: Runtime, { files, setup, ...settings }: RunSettings): Promise<void> {
  const harness = new Harness(runtime, settings);
  await setup?.();
  harness.mayRun = true;
  const tests = files.map((file) => {
    const test: FileTest = harness.root.createSubtest(FileTest, file, () => runFile(runtime, test, settings), settings.signal ? { signal: settings.signal } : {}, undefined) as FileTest;
    return test;
  });
  // Processes in one realm take turns; real ones run side by side.
  if (runtime.host.ownsRealm) await Promise.all(tests.map((test) => test.start()));
  else for (const test of tests) await test.start();
  await harness.finish();
}

/** `--watch`: a report of all files, then one of those that load what has changed, until the signal fires. */
async function runOnChanges(runtime: Runtime, { files: all, setup, sinks = makeSinks(runtime), ...settings }: RunSettings): Promise<void> {
  const openSinks = sinks.map(({ send }): EventSink => ({ send, end: () => undefined }));
  const running: Watch["running"] = new Map();
  const due = new Set(all);
  const { signal } = settings;
  let wake: () => void = () => undefined;
  const changed = new ChangedFiles(runtime, (owners) => {
    for (const file of owners) {
      due.add(file);
      running.get(file)?.kill("SIGTERM");
    }
    wake();
  });
  changed.watchAdded();
  signal?.addEventListener("abort", () => wake(), { once: true });
  await setup?.();
  for (;;) {
    const files = [...due].filter((file) => runtime.vfs.exists(file));
    due.clear();
    for (const file of files) changed.forget(file);
    if (files.length > 0) await runAll(runtime, { ...settings, files, sinks: openSinks, watch: { running, changed } });
    if (due.size === 0 && !signal?.aborted) await new Promise<void>((resolve) => (wake = resolve));
    if (signal?.aborted) break;
  }
  changed.close();
  // After what the last round still has to tell.
  runtime.loop.post(() => {
    for (const sink of sinks) void sink.end();
  });
}

/** `--test-isolation=none`: the files' tests are this process's own; they begin when all files are loaded. */
async function runInThisProcess(runtime: Runtime, files: readonly string[]): Promise<void> {
  const harness = harnessOf(runtime);
  harness.holdBack();
  for (const file of files) {
    const before = harness.root.subtests.length;
    let failure: { error: unknown } | undefined;
    try {
      await runtime.loader.import(file, `${runtime.cwd}/`);
    } catch (error) {
      if (error instanceof ExitSignal) throw error;
      failure = { error };
    }
    // A file without tests is one itself.
    if (harness.root.subtests.length > before) continue;
    const name = file.startsWith(`${runtime.cwd}/`) ? file.slice(runtime.cwd.length + 1) : file;
    const test = harness.root.createSubtest(TestNode, name, undefined, {}, undefined);
    if (failure) test.fail(testFailure(failure.error, "testCodeFailure"));
    void harness.begin(test);
  }
  harness.letGo();
}

/** The command. Its exit code is 1 when a test failed or a named path is missing; finding no tests is no failure in Node 20. */
export function runTestFiles(runtime: Runtime): Promise<unknown> {
  const { options } = runtime;
  const shard = shardOf(runtime, options.testShard);
  let files: string[];
  try {
    files = findTestFiles(runtime, options.rest);
  } catch (error) {
    if (!(error instanceof MissingPath)) throw error;
    runtime.process.stderr.write(`${error.message}\n`);
    return runtime.exit(1);
  }
  if (options.testIsolation === "none") return runInThisProcess(runtime, inShard(files, shard));
  const settings = { files: inShard(files, shard), concurrency: options.testConcurrency || true, timeout: options.testTimeoutMs };
  return (options.isWatching ? runOnChanges : runAll)(runtime, settings).catch((error: unknown) => {
    if (!(error instanceof ExitSignal)) throw error;
  });
}

interface Shard {
  readonly index: number;
  readonly total: number;
}

function shardOf(runtime: Runtime, text: string | undefined): Shard | undefined {
  if (text === undefined) return undefined;
  const match = /^(\d+)\/(\d+)$/.exec(text);
  if (match) return checkShard({ index: Number(match[1]), total: Number(match[2]) });
  runtime.process.exitCode = 1;
  throw invalidArgValue("--test-shard", text, "must be in the form of <index>/<total>");
}

function checkShard({ index, total }: Shard): Shard {
  checkInteger(total, "options.shard.total", 1, Number.MAX_SAFE_INTEGER);
  checkInteger(index, "options.shard.index", 1, total);
  return { index, total };
}

function inShard(files: readonly string[], shard: Shard | undefined): readonly string[] {
  return shard ? files.filter((_, at) => at % shard.total === shard.index - 1) : files;
}

/** `run()` of node:test: a stream of the run's events, which it also emits by name. Ends when the run does. */
export function runFiles(runtime: Runtime, given?: unknown): object {
  const options = typeof given === "object" && given !== null ? (given as Dict) : {};
  const { files, watch, forceExit, only, shard, setup, testNamePatterns, concurrency, timeout, signal } = options;
  if (files != null && !Array.isArray(files)) throw invalidArgType("options.files", "Array", files);
  for (const [name, value] of Object.entries({ watch, forceExit, only })) if (value != null && typeof value !== "boolean") throw invalidArgType(`options.${name}`, "boolean", value);
  if (watch === true && forceExit === true) throw invalidArgValue("options.forceExit", watch, "is not supported with watch mode");
  if (shard != null && typeof shard !== "object") throw invalidArgType("options.shard", "object", shard);
  if (watch === true && shard != null) throw invalidArgValue("options.shard", watch, "shards not supported with watch mode");
  if (setup != null && typeof setup !== "function") throw invalidArgType("options.setup", "function", setup);
  const patterns = testNamePatterns == null ? [] : (Array.isArray(testNamePatterns) ? testNamePatterns : [testNamePatterns]).map((value: unknown, at) => {
    if (value instanceof RegExp) return value;
    if (typeof value !== "string") throw invalidArgType(`options.testNamePatterns[${at}]`, ["string", "RegExp"], value);
    return patternOf(value, `options.testNamePatterns[${at}]`);
  });
  const part = shard == null ? undefined : checkShard(shard as unknown as Shard);
  const { Readable } = createStream();
  class TestsStream extends (Readable as unknown as new (options: object) => Emitter & { push(value: unknown): boolean }) {}
  const stream = new TestsStream({ objectMode: true, highWaterMark: Number.MAX_SAFE_INTEGER, read: () => undefined });
  const sink: EventSink = {
    send: ({ type, data }) => {
      stream.emit(type, data);
      stream.push({ type, data });
    },
    end: () => {
      stream.push(null);
      return undefined;
    },
  };
  if (runtime.process.env["NODE_TEST_CONTEXT"] !== undefined) {
    runtime.process.emitWarning("node:test run() is being called recursively within a test file. skipping running files.");
    const harness = new Harness(runtime, { sinks: [sink] });
    void harness.finish();
    return stream;
  }
  const settings: RunSettings = {
    files: inShard((files as string[] | undefined)?.map((file) => resolvePath(file, runtime.cwd)) ?? findTestFiles(runtime, []), part), patterns, only: only as boolean | undefined, forceExit: forceExit as boolean | undefined,
    sinks: [sink], setup: setup == null ? undefined : () => (setup as unknown as AnyFunction)(stream),
    concurrency: concurrency as boolean | number | undefined, timeout: timeout as number | undefined, signal: signal as AbortSignal | undefined,
  };
  runtime.loop.track((watch === true ? runOnChanges : runAll)(runtime, settings)).catch((error: unknown) => void stream.emit("error", error));
  return stream;
}
