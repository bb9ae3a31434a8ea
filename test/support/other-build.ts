// The app built once more, under another name, into a folder of its own: the next version of a site.
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

const ROOT = resolve(import.meta.dirname, "../..");

export interface OtherBuild {
  readonly folder: string;
  dispose(): Promise<void>;
}

export async function otherBuild(name: string): Promise<OtherBuild> {
  const folder = await mkdtemp(join(tmpdir(), "tabwright-build-"));
  await promisify(execFile)(process.execPath, [join(ROOT, "node_modules/vite/bin/vite.js"), "build", "--outDir", folder, "--emptyOutDir", "--logLevel", "error"], {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: "production", TABWRIGHT_BUILD: name },
  });
  return { folder, dispose: () => rm(folder, { recursive: true, force: true }) };
}
