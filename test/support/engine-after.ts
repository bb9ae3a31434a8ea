// The engine's worker with lines of a test before its own, given out by the server. The browser's driver could change it on its way,
// but while that holds requests back, a worker that starts waits for ever once in some ten times: its script is not handed on.
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DIST } from "../../src/cli/serve.ts";

export interface ChangedEngine {
  /** For `serveSite`. */
  readonly files: ReadonlyMap<string, string>;
  dispose(): Promise<void>;
}

/** Without lines it is the engine as it was built. */
export async function engineAfter(lines: string | undefined): Promise<ChangedEngine> {
  if (lines === undefined) return { files: new Map(), dispose: async () => {} };
  const assets = join(DIST, "assets");
  const name = (await readdir(assets)).find((file) => /^inference-[^/]+\.js$/.test(file))!;
  const folder = await mkdtemp(join(tmpdir(), "tabwright-engine-"));
  const file = join(folder, name);
  await writeFile(file, `${lines}\n${await readFile(join(assets, name), "utf8")}`);
  return { files: new Map([[`/assets/${name}`, file]]), dispose: () => rm(folder, { recursive: true, force: true }) };
}
