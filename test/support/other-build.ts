// The next version of a site: the built app with another name for each of its hashed files, so that nothing of the old version
// is where it was. To build it once more would cost as much as the tests that need it.
import { createHash } from "node:crypto";
import { cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { DIST } from "../../src/cli/serve.ts";

const TEXTS = new Set([".html", ".js", ".css", ".json", ".webmanifest"]);
const SERVICE_WORKER = "service-worker.js";
/** What the build puts into a file's name: eight characters of its hash. */
const HASHED = /(?<=-)[\w-]{8}(?=\.\w+$)/;
const HASHES = /(?<=-)[\w-]{8}(?=\.\w)/g;

export interface OtherBuild {
  readonly folder: string;
  dispose(): Promise<void>;
}

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

export async function otherBuild(): Promise<OtherBuild> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-build-"));
  await cp(DIST, folder, { recursive: true });
  const others = new Map<string, string>();
  for (const name of await readdir(join(folder, "assets"))) {
    const hash = HASHED.exec(name)?.[0];
    if (hash !== undefined) others.set(hash, [...hash].reverse().join(""));
  }
  const worker = await readFile(join(folder, SERVICE_WORKER), "utf8");
  const renamed = (text: string): string => text.replace(HASHES, (hash) => others.get(hash) ?? hash);
  let list = renamed(worker);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile() && one.name !== SERVICE_WORKER)) {
    const old = join(entry.parentPath, entry.name);
    const file = join(entry.parentPath, entry.parentPath === join(folder, "assets") ? renamed(entry.name) : entry.name);
    if (file !== old) await rename(old, file);
    if (!TEXTS.has(extname(entry.name))) continue;
    const before = await readFile(file);
    const after = Buffer.from(renamed(before.toString()));
    if (before.equals(after)) continue;
    await writeFile(file, after);
    list = list.replaceAll(digest(before), digest(after));
  }
  if (list === worker) throw new Error("The service worker's list names no file of the build");
  await writeFile(join(folder, SERVICE_WORKER), list);
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
}
