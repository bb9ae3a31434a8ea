// The Sandbox of the agent and the page over the WebContainer client: the same code for either host.
import { AppError } from "../base/errors.ts";
import { normalizeFilePath } from "../project/paths.ts";
import type { FileTree } from "../project/tree.ts";
import type { Container } from "./client.ts";
import { runCommand } from "./run.ts";
import type { LiveProject, Sandbox, TerminalSize } from "./sandbox.ts";
import { onFileWanted, openShell, shellHistory } from "./terminal-shell.ts";
import { decodeTree, encodeTree } from "./snapshot.ts";

/** Never listed, never in a snapshot, never touched by `restore`; at any depth. */
const LEFT_OUT = ["**/node_modules", "**/.git"];

/** `root`: the project's folder, or another that exists (see `besideProject`). */
export function containerSandbox(container: Container, root = "."): Sandbox {
  const { fs } = container;
  const at = (path: string): string => (root === "." ? path : `${root}/${path}`);
  const mount = (bytes: Uint8Array): Promise<void> => ask(() => container.mount(bytes, { mountPoint: root }), "write the project");

  const image = (): Promise<Uint8Array> => ask(() => container.export(root, { format: "binary", excludes: LEFT_OUT }), "read the project");
  const snapshot = async (): Promise<FileTree> => decodeTree(await image());

  const live: LiveProject = {
    image,
    mount,
    async watch(onChange) {
      const watcher = fs.watch(root, { recursive: true }, (_event, name) => {
        if (!/(^|\/)(node_modules|\.git)(\/|$)/.test(String(name))) onChange();
      });
      return () => watcher.close();
    },
    onPort: (listener) => void container.on("port", (port, type, url) => listener(port, type === "open", url)),
    restart: async () => container.restart?.(),
    hasPackages: () => fs.readdir(at("node_modules")).then(() => true, () => false),
  };

  return {
    live,
    ...(root === "." ? { beside: (name: string) => besideProject(container, name) } : {}),
    readFile: (given) => {
      const path = normalizeFilePath(given);
      return ask(async () => fs.readFile(at(path)), path);
    },
    async writeFile(given, bytes) {
      const path = normalizeFilePath(given);
      const slash = path.lastIndexOf("/");
      if (slash > 0) await ask(() => fs.mkdir(at(path.slice(0, slash)), { recursive: true }), path);
      await ask(() => fs.writeFile(at(path), bytes), path);
    },
    remove: (path) => ask(() => fs.rm(at(normalizeFilePath(path)), { recursive: true, force: true }), path),
    list: async () => [...(await snapshot()).keys()].sort(),
    run: (command, options, signal) => runCommand(container, root === "." ? command : `cd ${root} && { ${command}\n}`, options, signal),
    ...(root === "." ? { openShell: (size: TerminalSize, onOutput: (text: string) => void) => openShell(container, size, onOutput), shellHistory: shellHistory(container), onFileWanted: (listener: (path: string) => void) => onFileWanted(container, listener) } : {}),
    snapshot,
    async restore(tree) {
      const before = await snapshot();
      const changed = new Map([...tree].filter(([path, bytes]) => !sameBytes(bytes, before.get(path))));
      // First what must go: a file may stand where the tree has a folder.
      for (const path of before.keys()) if (!tree.has(path)) await ask(() => fs.rm(at(path), { force: true }), path);
      await removeEmptyFolders(container, root, root);
      if (changed.size > 0) await mount(encodeTree(changed));
    },
  };
}

/**
 * A second project in the same container, to try things in: its own files, the first one's packages. Nothing that happens
 * there is seen by the first, its watchers and snapshots included. Local container only. `name` is a plain word.
 */
export async function besideProject(container: Container, name: string): Promise<Sandbox> {
  const root = `/tmp/beside-${name}`;
  // The link may be there from before; where it leads to may not be there yet, and then few tests of a shell can see it.
  const made = await runCommand(container, `mkdir -p ${root} && { ln -s "$PWD/node_modules" ${root}/node_modules 2> /dev/null || true; }`);
  if (made.exitCode !== 0) throw new AppError("container/stopped", `The container could not make a folder beside the project: ${made.output.trim()}. Reload the page.`);
  return containerSandbox(container, root);
}

/** True if the folder is gone. */
async function removeEmptyFolders(container: Container, folder: string, root: string): Promise<boolean> {
  const entries = await container.fs.readdir(folder, { withFileTypes: true });
  let left = entries.length;
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name === "node_modules" || entry.name === ".git") continue;
    if (await removeEmptyFolders(container, folder === "." ? entry.name : `${folder}/${entry.name}`, root)) left--;
  }
  if (left > 0 || folder === root) return false;
  await container.fs.rm(folder, { recursive: true });
  return true;
}

function sameBytes(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (a.length !== b?.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** The host's errors come as messages only (`ENOENT: …`); they become ours here. */
async function ask<T>(action: () => Promise<T>, what: string): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    if (message.includes("ENOENT")) throw new AppError("project/not-found", `There is no file ${what} in the project.`, { data: { path: what }, cause });
    if (/E(ISDIR|NOTDIR|EXIST)/.test(message)) throw new AppError("project/path", `${what}: ${message}.`, { data: { path: what }, cause });
    if (message.includes("ENOSPC")) throw new AppError("storage/quota", "The container's file system is full. Remove files from the project.", { cause });
    throw new AppError("container/stopped", `The container failed (${what}): ${message}. Reload the page.`, { data: { path: what }, cause });
  }
}
