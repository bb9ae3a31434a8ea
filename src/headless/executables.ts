// Which commands there are: the container's own, the shell's, and files. The kernel starts them; a program that spawns one
// learns at once whether it is there.
import { commandName, joinPath, parentPath, resolvePath } from "./posix-path.ts";
import { SHELL_COMMANDS } from "./shell/names.ts";
import type { Vfs } from "./vfs.ts";

export type Env = Readonly<Record<string, string>>;

const OWN_COMMANDS = new Set(["node", "npm", "npx", "yarn", "pnpm", "sh", "bash", "jsh"]);

/** Whether the kernel finds it. */
export function commandExists(vfs: Vfs, command: string, cwd: string, env: Env): boolean {
  const name = commandName(command);
  return OWN_COMMANDS.has(name) || SHELL_COMMANDS.has(name) || (command !== "" && findExecutable(vfs, command, cwd, env) !== undefined);
}

/** A path, a name in a `node_modules/.bin` at or above `cwd`, or a name on PATH; its real path. */
export function findExecutable(vfs: Vfs, command: string, cwd: string, env: Env): string | undefined {
  const candidates: string[] = [];
  if (command.includes("/")) candidates.push(resolvePath(command, cwd));
  else {
    for (let folder = cwd; ; folder = parentPath(folder)) {
      candidates.push(joinPath(folder, `node_modules/.bin/${command}`));
      if (folder === "/") break;
    }
    for (const folder of (env["PATH"] ?? "").split(":")) if (folder.startsWith("/")) candidates.push(resolvePath(command, folder));
  }
  const found = candidates.find((path) => vfs.find(path)?.kind === "file");
  return found === undefined ? undefined : vfs.realpath(found);
}
