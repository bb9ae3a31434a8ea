// The container's Node runtime as the browser gets it - the same bundle, npm's stand-ins for buffer and streams included -
// in a thread of Node that has lost Node's own globals. Much cheaper than a page, and what it runs is what a page runs.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { bundle } from "../../src/cli/bundle-text.ts";
import { MENTIONS } from "../../src/headless/kernel/needed-libraries.ts";

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Files = Readonly<Record<string, string>>;

/** Where the program's files lie in both worlds. */
const FOLDER = "/tmp/builtins";
const TIME_OUT_MS = 60_000;

const bundles = new Map<string, Promise<string>>();

/** A script made once, however many programs run. */
function bundled(path: string): Promise<string> {
  const made = bundles.get(path) ?? bundle(fileURLToPath(new URL(path, import.meta.url)), false).then(({ code }) => code);
  bundles.set(path, made);
  return made;
}

/** As the kernel would decide (kernel/needed-libraries.ts). */
async function librariesFor(files: Files): Promise<Readonly<Record<string, string>>> {
  const needed = Object.entries(MENTIONS).filter(([, pattern]) => Object.values(files).some((text) => pattern.test(text)));
  return Object.fromEntries(await Promise.all(needed.map(async ([name]) => [name, await bundled(`../../src/headless/libraries/${name}.ts`)])));
}

/** Takes Node's globals away before the bundle runs: it then believes that it is in a browser's worker. */
const THREAD = `
const { parentPort, workerData } = require("node:worker_threads");
const host = process;
const listeners = {};
globalThis.addEventListener = (type, listener) => { listeners[type] = listener; };
globalThis.removeEventListener = (type) => { delete listeners[type]; };
const preventDefault = () => undefined;
host.on("unhandledRejection", (reason, promise) => listeners.unhandledrejection?.({ reason, promise, preventDefault }));
host.on("rejectionHandled", (promise) => listeners.rejectionhandled?.({ promise, preventDefault }));
host.on("uncaughtException", (error) => {
  if (listeners.error) listeners.error({ error, preventDefault });
  else parentPort.postMessage({ fd: 2, bytes: new TextEncoder().encode("the runtime itself failed: " + error.stack) });
});
const run = require("node:vm").runInThisContext;
// Some load when they are first read, and need Node's own globals for that.
for (const name of Object.getOwnPropertyNames(globalThis)) void globalThis[name];
for (const name of ["process", "Buffer", "global", "setImmediate", "clearImmediate", "console", "require", "module", "exports", "__filename", "__dirname", "performance", "navigator"]) {
  const kept = name === "performance" ? globalThis.performance : undefined;
  delete globalThis[name];
  if (name === "performance") Object.defineProperty(globalThis, name, { value: { now: () => kept.now(), timeOrigin: kept.timeOrigin, mark: (...a) => kept.mark(...a), measure: (...a) => kept.measure(...a), getEntries: () => kept.getEntries(), getEntriesByName: (...a) => kept.getEntriesByName(...a), getEntriesByType: (...a) => kept.getEntriesByType(...a), clearMarks: (...a) => kept.clearMarks(...a), clearMeasures: (...a) => kept.clearMeasures(...a), toJSON: () => kept.toJSON() }, configurable: true, writable: true });
}
// The container's frame is no secure context to a browser: random values, and nothing else.
const engine = globalThis.crypto;
for (const name of ["Crypto", "CryptoKey", "SubtleCrypto"]) delete globalThis[name];
Object.defineProperty(globalThis, "crypto", { value: { getRandomValues: (target) => engine.getRandomValues(target) }, configurable: true, writable: true });
run(workerData.code);
globalThis.startBuiltins({
  ...workerData.start,
  runScript: run,
  write: (fd, bytes) => parentPort.postMessage({ fd, bytes: bytes.slice() }),
  exit: (code) => { parentPort.postMessage({ code }); parentPort.close(); setTimeout(() => host.exit(), 0); },
});
`;

/** Runs it as the container would. */
export async function runAsInBrowser(files: Files, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const [code, libraries] = await Promise.all([bundled("./browser-realm-entry.ts"), librariesFor(files)]);
  const worker = new Worker(THREAD, { eval: true, workerData: { code, start: { files, folder: FOLDER, argv, env, libraries } } });
  const texts = { 1: "", 2: "" };
  const decoders = { 1: new TextDecoder(), 2: new TextDecoder() };
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => void worker.terminate().then(() => resolve({ code: -1, stdout: texts[1], stderr: `${texts[2]}\ntimed out` })), TIME_OUT_MS);
    worker.on("message", (message: { fd: 1 | 2; bytes: Uint8Array } | { code: number }) => {
      if ("fd" in message) {
        texts[message.fd] += decoders[message.fd].decode(message.bytes, { stream: true });
        return;
      }
      clearTimeout(timer);
      resolve({ code: message.code, stdout: texts[1], stderr: texts[2] });
    });
    worker.on("error", reject);
  });
}

/** Runs the same files with the Node that runs this. */
export async function runInNode(files: Files, argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
  const base = await mkdtemp(join(tmpdir(), "tabwright-builtins-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(base, name)), { recursive: true });
      await writeFile(join(base, name), text);
    }
    return await new Promise((resolve) => {
      execFile(process.execPath, [...argv], { cwd: base, env: { PATH: process.env["PATH"] ?? "", ...env }, timeout: TIME_OUT_MS, maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
        resolve({ code, stdout: stdout.replaceAll(base, FOLDER), stderr: stderr.replaceAll(base, FOLDER) });
      });
    });
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
