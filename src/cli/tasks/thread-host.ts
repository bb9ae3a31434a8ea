// Generated functions' tests in a thread of this Node: the real node:test and node:assert on real files, without the
// two processes that `node --test` starts for each, which take ten times as long as the tests. A test proves that both
// say the same. For generated tasks only: the functions of many tasks share the thread.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { AppError } from "../../base/errors.ts";
import type { RunResult } from "../../container/sandbox.ts";
import { isTestFile } from "../../project/paths.ts";
import type { TestHost } from "../../tasks/making/host.ts";
import { makeEqual } from "./node-host.ts";

/** The last test of a run has a name of its own: what is printed before it is the run's. */
const LAST = "that was all";
const LOADER = new URL(
  `data:text/javascript,${encodeURIComponent(`
import { parentPort } from "node:worker_threads";
import test from "node:test";
parentPort.on("message", async (files) => {
  for (const file of files) await import(file).catch((error) => console.log(\`Bail out! \${error}\`));
  await test(${JSON.stringify(LAST)}, () => {});
});`)}`,
);
const LAST_LINE = new RegExp(`^# Subtest: ${LAST}\\nok \\d+ - ${LAST}\\n(?: .*\\n)*?  \\.\\.\\.\\n`, "m");
/** Modules stay loaded: after so many runs the thread is a new one. */
const RUNS = 400;

export async function threadHost(): Promise<TestHost> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-task-"));
  let thread: TestThread | undefined;
  let runs = 0;
  return {
    async run(files, _command, timeoutMs) {
      // A path of its own for every run: what is loaded once is not read again.
      const here = join(folder, String(++runs));
      await makeEqual(here, files);
      if (runs % RUNS === 0 || thread?.ended) {
        await thread?.end();
        thread = undefined;
      }
      thread ??= new TestThread();
      try {
        return await thread.run([...files.keys()].filter(isTestFile).sort().map((path) => pathToFileURL(join(here, path)).href), timeoutMs);
      } finally {
        await rm(here, { recursive: true, force: true });
      }
    },
    async close() {
      await thread?.end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

class TestThread {
  readonly #worker = new Worker(LOADER, { stdout: true, stderr: true, execArgv: [], env: {} });
  ended = false;
  #text = "";
  #onText: () => void = () => undefined;
  #onEnd: (error?: Error) => void = () => undefined;

  constructor() {
    this.#worker.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.#text += text;
      this.#onText();
    });
    this.#worker.on("error", (error) => this.#onEnd(error));
    this.#worker.on("exit", () => this.#onEnd());
  }

  run(files: readonly string[], timeoutMs: number): Promise<RunResult> {
    const started = performance.now();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => done("timeout", ""), timeoutMs);
      const done = (end: RunResult["end"], text: string): void => {
        clearTimeout(timer);
        this.#onText = () => undefined;
        this.#onEnd = () => (this.ended = true);
        if (end === "timeout") void this.end();
        const { output, exitCode } = asTap(text);
        resolve({ exitCode: end === "exit" ? exitCode : null, output, end, durationMs: performance.now() - started });
      };
      this.#onText = () => {
        const last = LAST_LINE.exec(this.#text);
        if (!last) return;
        const text = this.#text.slice(0, last.index);
        this.#text = this.#text.slice(last.index + last[0].length);
        done("exit", text);
      };
      this.#onEnd = (cause) => {
        clearTimeout(timer);
        this.ended = true;
        reject(new AppError("bug", `A thread for tests ended by itself${cause ? `: ${cause.message}` : ""}.`, { cause }));
      };
      this.#worker.postMessage(files);
    });
  }

  async end(): Promise<void> {
    this.ended = true;
    this.#onEnd = () => undefined;
    await this.#worker.terminate();
  }
}

/** The counts that a whole run of node:test ends with. */
function asTap(text: string): { readonly output: string; readonly exitCode: number } {
  const passed = text.match(/^ok \d+ /gm)?.length ?? 0;
  const failed = (text.match(/^not ok \d+ /gm)?.length ?? 0) + (text.match(/^Bail out!/gm)?.length ?? 0);
  const head = text.startsWith("TAP version") ? "" : "TAP version 13\n";
  return { output: `${head}${text}1..${passed + failed}\n# tests ${passed + failed}\n# pass ${passed}\n# fail ${failed}\n`, exitCode: failed > 0 ? 1 : 0 };
}
