// Builds the app when the sources are newer than dist/, so that a command never runs yesterday's page.
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const INPUTS = ["src", "workers", "headless", "embed", "public", "index.html", "vite.config.ts", "package-lock.json"];

/** Newest modification time below `path`, in ms. */
async function newest(path: string): Promise<number> {
  const info = await stat(path);
  if (!info.isDirectory()) return info.mtimeMs;
  const times = await Promise.all((await readdir(path)).map((name) => newest(join(path, name))));
  return Math.max(0, ...times);
}

/** Runs vite's build unless dist/ is up to date. `say` gets one line when it does. */
export async function buildIfNeeded(say: (line: string) => void = (line) => process.stderr.write(`${line}\n`)): Promise<void> {
  const stamp = join(ROOT, "dist", "index.html");
  if (existsSync(stamp)) {
    const built = (await stat(stamp)).mtimeMs;
    const changed = Math.max(...(await Promise.all(INPUTS.map((input) => newest(join(ROOT, input))))));
    if (changed <= built) return;
  }
  say("Building the app (about half a minute, once) …");
  const { build } = await import("vite");
  // A test runner sets NODE_ENV to "test", and vite would then build a page that nobody gets.
  const { NODE_ENV } = process.env;
  process.env["NODE_ENV"] = "production";
  try {
    await build({ root: ROOT, logLevel: "warn" });
  } finally {
    if (NODE_ENV === undefined) delete process.env["NODE_ENV"];
    else process.env["NODE_ENV"] = NODE_ENV;
  }
}
