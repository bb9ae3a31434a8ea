// Redirections: what stands at a descriptor while a command runs, or, after `exec`, from then on.
import { FsError } from "../fs-error.ts";
import { parentPath, resolvePath } from "../posix-path.ts";
import { expandPieces, expandTarget, expandText, textOf } from "./expand.ts";
import { ExpansionError, type ShellState } from "./state.ts";
import { EndlessStream, FileStream, NullStream, OpenFile, TextStream } from "./streams.ts";
import type { Redirection, WordPart } from "./syntax.ts";

/** Puts everything back. */
export type Undo = () => void;

/** In order. Throws ExpansionError, with what was done so far put back. */
export async function redirect(state: ShellState, redirections: readonly Redirection[]): Promise<Undo> {
  const saved = new Map<number, OpenFile | undefined>();
  const undo = (): void => {
    for (const [fd, file] of saved) state.setFd(fd, file);
    saved.clear();
  };
  const put = (fd: number, file: OpenFile | undefined): void => {
    if (!saved.has(fd)) saved.set(fd, state.fds.get(fd)?.hold());
    state.setFd(fd, file);
  };
  try {
    for (const redirection of redirections) await one(state, redirection, put);
  } catch (error) {
    undo();
    throw error;
  }
  return undo;
}

/** For `exec`: what was there before is closed. */
export async function redirectForGood(state: ShellState, redirections: readonly Redirection[]): Promise<void> {
  for (const redirection of redirections) await one(state, redirection, (fd, file) => state.setFd(fd, file));
}

/** `<<-`: tabs at the beginnings of lines go. */
function withoutTabs(parts: readonly WordPart[]): WordPart[] {
  return parts.map((part, i) => (part.type === "Literal" ? { ...part, value: part.value.replaceAll(i === 0 ? /(^|\n)\t+/g : /(\n)\t+/g, "$1") } : part));
}

type Put = (fd: number, file: OpenFile | undefined) => void;

async function one(state: ShellState, { operator, target, fd, fdVariable }: Redirection, put: Put): Promise<void> {
  if (target.type === "HereDoc") {
    const parts = target.stripTabs ? withoutTabs(target.content.parts) : target.content.parts;
    const text = target.quoted ? parts.map((part) => ("value" in part ? String(part.value) : "")).join("") : textOf(await expandPieces(state, parts, true));
    return put(fd ?? 0, new OpenFile(new TextStream(text)));
  }
  if (operator === "<<<") return put(fd ?? 0, new OpenFile(new TextStream(`${await expandText(state, target)}\n`)));
  const word = await expandTarget(state, target);
  let at = fd ?? (operator.startsWith("<") ? 0 : 1);
  if (fdVariable !== undefined) {
    if (word === "-") return put(Number(state.vars.get(fdVariable)), undefined);
    at = 10;
    while (state.fds.has(at)) at++;
    state.vars.set(fdVariable, String(at));
  }
  switch (operator) {
    case "<&":
    case ">&": {
      const match = /^(\d+)(-?)$/.exec(word);
      if (word === "-") return put(at, undefined);
      if (match) {
        const from = Number(match[1]);
        const file = state.fds.get(from);
        if (!file) throw new ExpansionError(`${word}: Bad file descriptor`);
        if (from !== at) put(at, file.hold());
        if (match[2] === "-" && from !== at) put(from, undefined);
        return;
      }
      if (operator === "<&" || fd !== null) throw new ExpansionError(`${word}: ambiguous redirect`);
      return both(state, put, word, ">");
    }
    case "&>":
    case "&>>":
      return both(state, put, word, operator === "&>" ? ">" : ">>");
    default:
      put(at, open(state, word, operator));
  }
}

function both(state: ShellState, put: Put, path: string, operator: ">" | ">>"): void {
  const file = open(state, path, operator);
  put(1, file);
  put(2, file.hold());
}

export function open(state: ShellState, path: string, operator: string): OpenFile {
  if (path === "/dev/null") return new OpenFile(new NullStream());
  if (path === "/dev/zero" || path === "/dev/urandom" || path === "/dev/random") return new OpenFile(new EndlessStream(path !== "/dev/zero"));
  const device = /^\/dev\/(stdin|stdout|stderr|tty|fd\/(\d+))$/.exec(path);
  if (device) {
    const from = device[2] === undefined ? ({ stdin: 0, stdout: 1, stderr: 2, tty: operator === "<" ? 0 : 1 }[device[1] ?? ""] ?? 0) : Number(device[2]);
    const file = state.fds.get(from);
    if (!file) throw new ExpansionError(`${path}: No such file or directory`);
    return file.hold();
  }
  const { vfs } = state.host;
  const real = resolvePath(path, state.cwd);
  const node = vfs.find(real);
  if (path === "") throw new ExpansionError(": No such file or directory");
  if (operator === "<" && !node) throw new ExpansionError(`${path}: No such file or directory`);
  if (operator !== "<" && node?.kind === "dir") throw new ExpansionError(`${path}: Is a directory`);
  if (operator === ">" && node && state.options.has("noclobber")) throw new ExpansionError(`${path}: cannot overwrite existing file`);
  if (operator !== "<" && path.endsWith("/")) throw new ExpansionError(`${path}: Is a directory`);
  if (!node) {
    const folder = vfs.find(parentPath(real));
    if (!folder) throw new ExpansionError(`${path}: No such file or directory`);
    if (folder.kind !== "dir") throw new ExpansionError(`${path}: Not a directory`);
  }
  try {
    if (operator === ">" || operator === ">|" || (!node && operator !== "<")) vfs.writeFile(real, new Uint8Array());
  } catch (error) {
    throw new ExpansionError(`${path}: ${reason(error)}`);
  }
  return new OpenFile(new FileStream(vfs, real, { read: operator === "<" || operator === "<>", write: operator !== "<", append: operator === ">>" }));
}

const REASONS: Readonly<Record<string, string>> = { ENOENT: "No such file or directory", EISDIR: "Is a directory", ENOTDIR: "Not a directory", EACCES: "Permission denied", EEXIST: "File exists", ENOSPC: "No space left on device", ELOOP: "Too many levels of symbolic links", ENOTEMPTY: "Directory not empty" };

/** A file system's failure in a shell's words. */
export function reason(error: unknown): string {
  return error instanceof FsError ? (REASONS[error.code] ?? error.message) : String(error);
}
