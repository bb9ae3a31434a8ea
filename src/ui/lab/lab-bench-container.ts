// What the container costs: boot, spawns one after another, mounts, large projects, kills, and how long the page stands
// still while a hostile program runs. The figures are the unmodified client's: from its call to its answer.
import { bootContainer, type WebContainer } from "../../container/client.ts";
import { encodeTree } from "../../container/snapshot.ts";
import type { Figure } from "./lab-bench.ts";

const SPAWNS = 50;
const KILLS = 10;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** `count` files of equal size in folders of forty; every fourth is no text if `binary`. */
export function manyFiles(count: number, totalBytes: number, binary: boolean): Map<string, Uint8Array> {
  const size = Math.floor(totalBytes / count);
  const line = bytesOf("export const value = 42; // a line of source code, as projects have them\n");
  return new Map(
    Array.from({ length: count }, (_, k) => {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at++) bytes[at] = binary && k % 4 === 0 ? (at * 31 + k) & 0xff : (line[at % line.length] ?? 0);
      return [`packages/p${Math.floor(k / 40)}/file${k}.js`, bytes] as const;
    }),
  );
}

/** Programs that do harm, and what ends them: themselves, a limit, or the user after a second. */
export const STORMS: Readonly<Record<string, string>> = {
  "an endless loop": "for (;;);",
  "a fork storm": "require('fs').writeFileSync('fork.js', 'const { spawn } = require(\"child_process\"); setInterval(() => spawn(\"node\", [\"fork.js\"]).on(\"error\", () => {}), 5)'); require('./fork.js')",
  "a gigabyte of output": "const piece = 'x'.repeat(1024 * 1024); for (let k = 0; k < 1024; k++) process.stdout.write(piece)",
  "a million files": "const fs = require('fs'); for (let k = 0; k < 1e6; k++) { if (k % 1000 === 0) fs.mkdirSync('million/' + k / 1000, { recursive: true }); fs.writeFileSync(`million/${Math.floor(k / 1000)}/${k}`, '') }",
  "a file of 10 GB": "const fs = require('fs'); fs.writeFileSync('first', ''); fs.truncateSync('first', 448 * 1024 * 1024); const piece = Buffer.alloc(16 * 1024 * 1024, 1); for (let k = 28; k < 640; k++) fs.appendFileSync('huge', piece)",
  "a file written for ever": "const fs = require('fs'); for (let k = 0; ; k++) fs.writeFileSync('again', String(k))",
  "deep recursion": "function down() { return down() + 1 } down()",
  "a regular expression that never ends": "/^(a+)+$/.test('a'.repeat(60) + 'b')",
  "a promise storm": "const again = () => Promise.resolve().then(again); again()",
  "a timer storm": "for (let k = 0; k < 300000; k++) setInterval(() => {}, 0)",
};

export interface Storm {
  /** Null: it had to be killed. */
  readonly code: number | null;
  readonly killMs: number;
  /** Longest time between two frames of the page. */
  readonly longestGapMs: number;
  readonly tail: string;
}

/** Runs one, watches the page's frames meanwhile, and kills it after `patienceMs`. */
export async function weather(wc: WebContainer, source: string, patienceMs = 1000): Promise<Storm> {
  let longestGapMs = 0;
  let last = performance.now();
  let watching = true;
  const frame = (): void => {
    longestGapMs = Math.max(longestGapMs, performance.now() - last);
    last = performance.now();
    if (watching) requestAnimationFrame(frame);
  };
  const process = await wc.spawn("node", ["-e", source]);
  requestAnimationFrame(frame);
  let tail = "";
  const drained = process.output.pipeTo(new WritableStream({ write: (text) => void (tail = (tail + text).slice(-500)) }));
  const patience = new Promise<null>((resolve) => setTimeout(resolve, patienceMs, null));
  const code = await Promise.race([process.exit, patience]);
  const asked = performance.now();
  if (code === null) {
    process.kill();
    await process.exit;
  }
  const killMs = performance.now() - asked;
  await drained;
  watching = false;
  return { code, killMs: code === null ? killMs : 0, longestGapMs, tail };
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

function middle(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}

const spawnNode = async (wc: WebContainer): Promise<void> => {
  const process = await wc.spawn("node", ["index.js"]);
  await process.exit;
};

export async function containerBench(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const row = (what: string, value: number, unit = "ms"): void => void figures.push({ what, value, unit });
  const index = { "index.js": { file: { contents: "console.log('hello')" } } };
  let wc!: WebContainer;
  row("boot, cold page", await timed(async () => void (wc = await bootContainer())));
  await wc.mount(index);
  row("first spawn of node, to its exit", await timed(() => spawnNode(wc)));
  wc.teardown();
  row("teardown and second boot", await timed(async () => void (wc = await bootContainer())));
  await wc.mount(index);
  await new Promise((resolve) => setTimeout(resolve, 700)); // the pool fills

  const spawns: number[] = [];
  for (let k = 0; k < SPAWNS; k++) spawns.push(await timed(() => spawnNode(wc)));
  row(`spawn of node to its exit, ${SPAWNS} in a row: median`, middle(spawns));
  row("the same: slowest", Math.max(...spawns));

  const kills: number[] = [];
  for (let k = 0; k < KILLS; k++) {
    const process = await wc.spawn("node", ["-e", "console.log('up'); for (;;);"]);
    await process.output.getReader().read();
    kills.push(await timed(async () => {
      process.kill();
      await process.exit;
    }));
  }
  row(`kill of an endless loop, to its exit (median of ${KILLS})`, middle(kills));

  const small = encodeTree(manyFiles(4000, 8e6, false));
  row("mount of 4,000 files, 8 MB", await timed(() => wc.mount(small)));
  row("export of them", await timed(() => wc.export(".", { format: "binary" })));
  row("first spawn after it", await timed(() => spawnNode(wc)));
  row("spawn with them", middle(await fiveSpawns(wc)));
  const mixed = encodeTree(manyFiles(1000, 40e6, true));
  row("mount of 1,000 files, 40 MB, a quarter binary", await timed(() => wc.mount(mixed)));
  const large = encodeTree(manyFiles(20_000, 100e6, true));
  row("mount of 20,000 files, 100 MB", await timed(() => wc.mount(large)));
  row("first spawn after it", await timed(() => spawnNode(wc)));
  row("spawn with them", middle(await fiveSpawns(wc)));
  wc.teardown();

  wc = await bootContainer();
  for (const [name, source] of Object.entries(STORMS)) {
    const { code, killMs, longestGapMs } = await weather(wc, source);
    row(`${name}: longest time without a frame`, longestGapMs, code === null ? `ms (killed in ${killMs.toFixed(1)} ms)` : `ms (ended with ${code})`);
    await wc.fs.rm("million", { recursive: true, force: true });
    for (const path of ["first", "huge"]) await wc.fs.rm(path, { force: true });
  }
  wc.teardown();
  return figures;
}

async function fiveSpawns(wc: WebContainer): Promise<readonly number[]> {
  const times: number[] = [];
  for (let k = 0; k < 5; k++) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    times.push(await timed(() => spawnNode(wc)));
  }
  return times;
}
