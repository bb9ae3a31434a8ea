// A package of native code whose authors publish a WebAssembly build beside it, as napi-rs' packages are made: installed from
// a registry by npm in the container, loaded after the native code has failed, on node:wasi, one shared memory and a thread.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer, type Ran } from "../support/container-page.ts";
import { RegistryServer } from "../support/registry-server.ts";

let registry: RegistryServer;
let site: AppSite;
let page: Page;

/** Adds the first two words of memory into the fourth, prints a line through fd_write, sets the third and wakes who waits for it. */
const MODULE = `
const text = (value) => [value.length, ...Buffer.from(value)];
const section = (id, ...content) => [id, content.length, ...content];
const run = [0,
  0x41, 12, 0x41, 0, 0x28, 2, 0, 0x41, 4, 0x28, 2, 0, 0x6a, 0x36, 2, 0,
  0x41, 1, 0x41, 32, 0x41, 1, 0x41, 24, 0x10, 0, 0x1a,
  0x41, 8, 0x41, 1, 0xfe, 0x17, 2, 0, 0x41, 8, 0x41, 1, 0xfe, 0, 2, 0, 0x1a, 0x0b];
module.exports = Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
  ...section(1, 2, 0x60, 4, 0x7f, 0x7f, 0x7f, 0x7f, 1, 0x7f, 0x60, 0, 0),
  ...section(2, 2, ...text("env"), ...text("memory"), 2, 3, 0xa0, 0x1f, 0x80, 0x80, 4, ...text("wasi_snapshot_preview1"), ...text("fd_write"), 0, 0),
  ...section(3, 1, 1), ...section(7, 1, ...text("run"), 0, 1), ...section(10, 1, run.length, ...run)]);
`;
const BINDING = `
const { join } = require("node:path");
const { WASI } = require("node:wasi");
const { Worker } = require("node:worker_threads");
const memory = new WebAssembly.Memory({ initial: 4000, maximum: 65536, shared: true });
const module_ = new WebAssembly.Module(require("./module.cjs"));
const wasi = new WASI({ version: "preview1", env: process.env, preopens: { "/": "/" } });
const { exports: own } = new WebAssembly.Instance(module_, { env: { memory }, ...wasi.getImportObject() });
wasi.initialize({ exports: { ...own, memory } });
const words = new Int32Array(memory.buffer);
const prepare = (a, b, line) => {
  const bytes = Buffer.from(line + "\\n");
  new Uint8Array(memory.buffer).set(bytes, 64);
  words.set([a, b, 0, 0]);
  words.set([64, bytes.length], 8);
};
exports.add = (a, b) => (prepare(a, b, "here"), own.run(), words[3]);
exports.addInThread = (a, b) => {
  prepare(a, b, "in a thread");
  const worker = new Worker(join(__dirname, "worker.mjs"), { workerData: { module_, memory }, env: process.env, execArgv: ["--experimental-wasi-unstable-preview1"] });
  const woken = Atomics.wait(words, 2, 0, 20_000);
  return [woken === "not-equal" ? "ok" : woken, words[3]];
};
`;
const WORKER = `
import { WASI } from "node:wasi";
import { workerData } from "node:worker_threads";
const { module_, memory } = workerData;
const wasi = new WASI({ version: "preview1", preopens: { "/": "/" } });
const { exports } = new WebAssembly.Instance(module_, { env: { memory }, ...wasi.getImportObject() });
wasi.initialize({ exports: { ...exports, memory } });
exports.run();
`;
const LOADER = `
const errors = [];
for (const name of ["adder-linux-x64-gnu", "adder-wasm32-wasi"]) {
  try {
    module.exports = require(name);
    module.exports.loaded = name;
    break;
  } catch (error) {
    errors.push(error);
  }
}
if (!module.exports.loaded) throw new Error("Failed to load native binding", { cause: errors });
`;

beforeAll(async () => {
  registry = await RegistryServer.start([]);
  const version = "1.0.0";
  registry.add(
    { name: "adder", version, optionalDependencies: { "adder-linux-x64-gnu": version, "adder-wasm32-wasi": version }, files: { "index.js": LOADER } },
    { name: "adder-linux-x64-gnu", version, os: ["linux"], cpu: ["x64"], main: "adder.node", files: { "adder.node": "native" } },
    { name: "adder-wasm32-wasi", version, cpu: ["wasm32"], main: "adder.wasi.cjs", files: { "adder.wasi.cjs": BINDING, "worker.mjs": WORKER, "module.cjs": MODULE } },
  );
  ({ site, page } = await openContainer());
});
afterAll(async () => {
  await site.close();
  await registry.close();
});

const run = (command: string): Promise<Ran> => page.evaluate(([line, url]) => (globalThis as ContainerWindow).run("sh", ["-c", line], { env: { npm_config_registry: url } }), [command, registry.origin] as const);

it("runs on its WebAssembly build once npm has installed it, and names what cannot run without it", async () => {
  await page.evaluate((origin) => (globalThis as ContainerWindow).tabwrightLab.container.allowRegistries([origin]), registry.origin);
  await page.evaluate(async () => {
    const { fs } = (globalThis as ContainerWindow).wc;
    await fs.writeFile("package.json", JSON.stringify({ name: "demo", version: "1.0.0" }));
    await fs.writeFile("use.js", 'const adder = require("adder"); console.log(adder.loaded, adder.add(1, 2), ...adder.addInThread(40, 2));');
  });
  expect(await run("npm install adder")).toMatchObject({ code: 0, output: expect.stringContaining("added 2 packages") as string });
  const { code, output } = await run("node use.js");
  // What a thread prints comes in its own time.
  expect({ code, lines: output.split("\n").sort() }).toEqual({ code: 0, lines: ["", "adder-wasm32-wasi 3 ok 42", "here", "in a thread"] });
  expect(await run("npm ls")).toEqual({ code: 0, output: "demo@1.0.0 /home/project\n└── adder@1.0.0\n\n" });

  expect(await run("npm install --cpu=x64 && node use.js 2>&1")).toMatchObject({ code: 1, output: expect.stringMatching(/Failed to load native binding[\s\S]*adder\.node: native addons cannot run in the browser/) as string });
});

it("a thread that never returns to its event loop sees through WASI what others write", async () => {
  const program = `
    const { Worker, isMainThread, workerData } = require("node:worker_threads");
    const fs = require("node:fs");
    if (isMainThread) {
      fs.writeFileSync("seen.txt", "a");
      const words = new Int32Array(new SharedArrayBuffer(8));
      const worker = new Worker(__filename, { workerData: words });
      worker.on("message", (size) => console.log("seen", size));
      const timer = setInterval(() => {
        if (Atomics.load(words, 0) === 0) return;
        clearInterval(timer);
        fs.writeFileSync("seen.txt", "abc");
        Atomics.store(words, 1, 1);
        Atomics.notify(words, 1);
      }, 10);
    } else {
      const { WASI } = require("node:wasi");
      const wasi = new WASI({ version: "preview1", preopens: { ".": process.cwd() } });
      const memory = new WebAssembly.Memory({ initial: 1 });
      wasi.initialize({ exports: { memory } });
      const size = () => (new Uint8Array(memory.buffer).set(Buffer.from("seen.txt"), 100), wasi.wasiImport.path_filestat_get(3, 1, 100, 8, 0), new DataView(memory.buffer).getBigUint64(32, true));
      const before = size();
      Atomics.store(workerData, 0, 1);
      Atomics.wait(workerData, 1, 0);
      for (const end = Date.now() + 5000; size() === before && Date.now() < end; ) Atomics.wait(workerData, 1, 1, 10);
      require("node:worker_threads").parentPort.postMessage(before + " " + size());
    }`;
  await page.evaluate((source) => (globalThis as ContainerWindow).wc.fs.writeFile("watch.js", source), program);
  const { code, output } = await run("node --no-warnings watch.js");
  expect({ code, output }).toEqual({ code: 0, output: "seen 1 3\n" });
});

it.each([["a thread", "the main one"], ["the main one", "a thread"]])("%s that slept on shared memory sees what %s wrote before it woke it", async (sleeper) => {
  const program = `
    const { Worker, isMainThread, workerData } = require("node:worker_threads");
    const fs = require("node:fs");
    const sleeps = (process.argv[2] === "main") === isMainThread;
    const words = workerData ?? new Int32Array(new SharedArrayBuffer(8));
    if (isMainThread) {
      fs.writeFileSync("slept.txt", "one");
      new Worker(__filename, { workerData: words, argv: process.argv.slice(2) });
    }
    if (sleeps) {
      Atomics.store(words, 1, 1);
      Atomics.wait(words, 0, 0);
      fs.writeSync(1, fs.readFileSync("slept.txt", "utf8") + fs.existsSync("more.txt") + "\\n");
    } else {
      const timer = setInterval(() => {
        if (Atomics.load(words, 1) === 0) return;
        clearInterval(timer);
        fs.writeFileSync("slept.txt", "two");
        fs.writeFileSync("more.txt", "");
        Atomics.store(words, 0, 1);
        Atomics.notify(words, 0);
      }, 5);
    }`;
  await page.evaluate((source) => (globalThis as ContainerWindow).wc.fs.writeFile("sleep.js", source), program);
  expect(await run(`rm -f more.txt; node sleep.js ${sleeper === "a thread" ? "thread" : "main"}`)).toEqual({ code: 0, output: "twotrue\n" });
});

it("on a page that is not isolated runs without threads, and says why one gets no memory", async () => {
  const plain = await openContainer({ isolation: false });
  try {
    const { code, output } = await plain.page.evaluate(
      (program) => (globalThis as ContainerWindow).run("node", ["-e", program]),
      `const memory = new WebAssembly.Memory({ initial: 16384, maximum: 65536, shared: true });
      for (let k = 0; k < 9; k++) new Uint8Array(memory.buffer).fill(k, 0, 9);
      console.log(new Uint8Array(memory.buffer)[0]);
      new (require("node:worker_threads").Worker)("0", { eval: true, workerData: { memory } });`,
    );
    expect({ code, output }).toEqual({ code: 1, output: expect.stringMatching(/^8\n[\s\S]*DataCloneError[\s\S]*Memory can be shared with a thread only where the page is isolated \(COOP and COEP headers\), and this one is not\./) as string });
  } finally {
    await plain.site.close();
  }
});
