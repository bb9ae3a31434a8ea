// A folder on disk as a project: files as bytes, symbolic links as their targets. `.git` is left out.
import { readdir, readFile, readlink, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import { formatBytes } from "../base/units.ts";

export interface ProjectFiles {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly links: ReadonlyMap<string, string>;
}

/** Throws `command/usage` if the folder is missing, and for one too large for the container. `leaveOut` names folders at any depth. */
export async function readProject(folder: string, leaveOut: readonly string[] = [".git"]): Promise<ProjectFiles> {
  const info = await stat(folder).catch(() => undefined);
  if (!info?.isDirectory()) throw new AppError("command/usage", `${folder} is not a folder. Give the project's folder with --project.`);
  const files = new Map<string, Uint8Array>();
  const links = new Map<string, string>();
  let bytes = 0;
  const visit = async (path: string): Promise<void> => {
    const entries = await readdir(join(folder, path), { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (leaveOut.includes(entry.name)) continue;
      const here = path === "" ? entry.name : `${path}/${entry.name}`;
      if (entry.isDirectory()) await visit(here);
      else if (entry.isSymbolicLink()) links.set(here, await readlink(join(folder, here)));
      else if (entry.isFile()) {
        const data = await readFile(join(folder, here));
        bytes += data.length;
        if (bytes > LIMITS.fileSystemBytes) {
          throw new AppError("command/usage", `${folder} holds more than ${formatBytes(LIMITS.fileSystemBytes)}, which is all that the container can. Choose a smaller folder.`);
        }
        files.set(here, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      }
    }
  };
  await visit("");
  return { files, links };
}
