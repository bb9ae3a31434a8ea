// A simple command: its words expanded, its assignments made, and then a function, a builtin, a command of the shell's own, a
// program of the container, or one of just-bash's commands, in this order.
import { joined } from "../../base/bytes.ts";
import { commandName, joinPath, parentPath, resolvePath } from "../posix-path.ts";
import { assign, assignmentWord } from "./assign.ts";
import { BUILTINS } from "./builtins/index.ts";
import { COMMANDS } from "./commands/index.ts";
import { expandWords } from "./expand.ts";
import { callFunction, subshell, withRedirections } from "./interpreter.ts";
import { isLinewise, type LeafResult, type LeafRun, readsInput } from "./leaves.ts";
import { INSTEAD } from "./missing-commands.ts";
import { quoteWord } from "./parameters.ts";
import { redirectForGood } from "./redirect.ts";
import { ExpansionError, type ShellState } from "./state.ts";
import { NullStream, pushTo, readAll, TextStream } from "./streams.ts";
import { type Assignment, parseScript, type SimpleCommandNode, type WordNode } from "./syntax.ts";
import { stoppable } from "./stopping.ts";
import { orKilled, Task } from "./task.ts";

/** Programs of the container beside what node_modules/.bin holds. */
const PROGRAMS = ["node", "npm", "npx", "yarn", "pnpm", "sh", "bash", "jsh"];
/** Builtins whose words may be assignments. */
const DECLARING = new Set(["declare", "typeset", "local", "export", "readonly"]);
/** Assignments before these stay. */
const SPECIAL = new Set(["exec", "eval", ".", "source"]);

export async function runSimple(state: ShellState, given: SimpleCommandNode): Promise<number> {
  const command = expandAlias(state, given, new Set());
  const before = state.cleanups;
  state.cleanups = [];
  try {
    return await runExpanded(state, command);
  } catch (error) {
    if (error instanceof ExpansionError && error.ends === "command") {
      await state.complain(error.message);
      return 1;
    }
    throw error;
  } finally {
    const { cleanups } = state;
    state.cleanups = before;
    for (const cleanup of cleanups) await cleanup();
  }
}

async function runExpanded(state: ShellState, command: SimpleCommandNode): Promise<number> {
  const { captures } = state;
  const name = command.name ? literalOf(command.name) : undefined;
  const declarations: Assignment[] = [];
  const declares = name !== undefined && DECLARING.has(name) && !state.functions.has(name);
  const words: string[] = command.name ? await expandWords(state, [command.name]) : [];
  for (const word of command.args) {
    const assignment = declares ? assignmentWord(word) : undefined;
    if (assignment) declarations.push(assignment);
    else words.push(...(await expandWords(state, [word])));
  }
  if (words.length === 0) {
    return withRedirections(state, command.redirections, async () => {
      for (const assignment of command.assignments) {
        await assign(state, assignment);
        await trace(state, [`${assignment.name}=${quoteIfNeeded(state.vars.get(assignment.name) ?? "")}`]);
      }
      return state.captures > captures ? state.status : 0;
    });
  }
  const [first = "", ...args] = words;
  await trace(state, words.map(quoteIfNeeded));
  if (first === "exec" && !state.functions.has("exec")) return runExec(state, command, args);
  return withRedirections(state, command.redirections, () => {
    if (command.redirections.some(({ fd, operator }) => (fd ?? 0) === 0 && operator.startsWith("<"))) state.given = state.fds.get(0)?.stream;
    return withAssignments(state, command.assignments, SPECIAL.has(first), () => dispatch(state, first, args, declarations));
  });
}

async function trace(state: ShellState, words: readonly string[]): Promise<void> {
  if (state.options.has("xtrace")) await state.write(2, `${(state.vars.get("PS4") ?? "+ ").slice(0, 1).repeat(Math.min(state.depth + 1, 20))} ${words.join(" ")}\n`);
}

function quoteIfNeeded(word: string): string {
  return word !== "" && /^[\w@%+=:,./-]+$/.test(word) ? word : quoteWord(word);
}

/** Assignments for one command alone. */
async function withAssignments(state: ShellState, assignments: readonly Assignment[], stay: boolean, body: () => Promise<number>): Promise<number> {
  if (assignments.length === 0) return body();
  if (stay) {
    for (const assignment of assignments) await assign(state, assignment);
    return body();
  }
  state.vars.pushFrame();
  try {
    for (const assignment of assignments) {
      const old = state.vars.get(assignment.name);
      const held = state.vars.makeLocal(assignment.name);
      held.exported = true;
      if (assignment.append && old !== undefined) held.text = old;
      await assign(state, assignment);
    }
    return await body();
  } finally {
    state.vars.popFrame();
  }
}

/** `exec cmd` ends the shell with it; `exec >file` redirects from now on. */
async function runExec(state: ShellState, command: SimpleCommandNode, args: readonly string[]): Promise<number> {
  try {
    await redirectForGood(state, command.redirections);
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    await state.complain(error.message);
    if (state.host.interactive) return 1;
    return BUILTINS.exit(state, ["1"], []);
  }
  if (args.length === 0) return 0;
  const code = await withAssignments(state, command.assignments, true, () => runWords(state, args));
  return BUILTINS.exit(state, [String(code)], []);
}

async function dispatch(state: ShellState, name: string, args: readonly string[], declarations: readonly Assignment[]): Promise<number> {
  if (state.functions.has(name)) return callFunction(state, name, args);
  const builtin = BUILTINS[name];
  if (builtin) return builtin(state, args, declarations);
  return runExternal(state, name, args);
}

/** For `env`, `xargs`, `command` and the like: no functions. */
export async function runWords(state: ShellState, [name = "", ...args]: readonly string[]): Promise<number> {
  const builtin = BUILTINS[name];
  return builtin ? builtin(state, args, []) : runExternal(state, name, args);
}

/** At a prompt in a subshell of its own, so that Ctrl+Z can leave it where it is. */
async function runExternal(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  if (!state.host.interactive || state.depth > 0) return runFound(state, name, args);
  const part = state.fork(new Task(state.task), state.jobs);
  part.given = state.given;
  const code = await stoppable(state, part.task, subshell(part, () => runFound(part, name, args)));
  state.signal.throwIfAborted();
  return code;
}

async function runFound(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  const own = COMMANDS[commandName(name)];
  if (own) return own(state, args);
  if (isProgram(state, name)) {
    if (isNoProgram(state, name)) {
      await state.complain(`${name}: Permission denied`);
      return 126;
    }
    return runProgram(state, name, args);
  }
  if (name.includes("/") && commandName(name) === name) {
    const node = state.host.vfs.find(resolvePath(name, state.cwd));
    await state.complain(`${name}: ${node?.kind === "dir" ? "Is a directory" : "No such file or directory"}`);
    return node?.kind === "dir" ? 126 : 127;
  }
  if (state.host.leaves.names.has(commandName(name))) return runLeaf(state, commandName(name), args);
  await state.complain(`${name}: command not found`);
  const instead = INSTEAD[name];
  if (instead !== undefined) await state.write(2, `${name}: ${instead}\n`);
  return 127;
}

/** A file that neither says that it can be run nor how, nor has a name that does: modes are lost where projects come from. */
function isNoProgram(state: ShellState, name: string): boolean {
  const node = name.includes("/") ? state.host.vfs.find(resolvePath(name, state.cwd)) : undefined;
  return node?.kind === "file" && (node.mode & 0o111) === 0 && !(node.data[0] === 35 && node.data[1] === 33) && !/\.(sh|bash|[cm]?[jt]sx?)$/.test(name);
}

async function runProgram(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  const { host, signal } = state;
  signal.throwIfAborted();
  const out = state.fds.get(1)?.hold();
  const err = state.fds.get(2)?.hold();
  const input = state.fds.get(0)?.hold();
  const others = new Map([...state.fds].filter(([fd]) => fd > 2).map(([fd, file]) => [fd, file.hold()]));
  const fds = [input, out, err].reduce((bits, file, fd) => (file?.stream.terminal === true ? bits | (1 << fd) : bits), 0);
  const child = host.children.start(
    { command: commandName(name), args, cwd: state.cwd, env: state.vars.exported(), terminal: host.terminal && fds > 0 ? { ...host.terminal, fds } : null, ...(others.size > 0 ? { descriptors: [...others.keys()].map((fd) => ({ fd })) } : {}) },
    input?.stream ?? new NullStream(),
    input !== undefined && input.stream === state.given,
    {
      output: (fd, data) => {
        const stream = (fd === 1 ? out : fd === 2 ? err : others.get(fd))?.stream;
        return stream === undefined || pushTo(stream, data, signal);
      },
      input: (fd) => others.get(fd)?.stream,
      stopped: () => host.childStopped(state.task),
    },
  );
  const known = { kill: child.kill };
  state.task.add(known);
  try {
    // A task that was killed has sent the signal on: the child's end is still waited for.
    const code = await child.done;
    state.task.remove(known);
    state.task.childEnded(code);
    signal.throwIfAborted();
    return code;
  } finally {
    state.task.remove(known);
    out?.release();
    err?.release();
    input?.release();
    for (const file of others.values()) file.release();
  }
}

async function runLeaf(state: ShellState, name: string, given: readonly string[]): Promise<number> {
  // just-bash's wants its input named.
  const args = name === "paste" && given.every((arg) => /^-./.test(arg)) ? [...given, "-"] : given;
  const input = state.fds.get(0)?.stream;
  const reads = input !== undefined && readsInput(name, args);
  if (reads && isLinewise(name)) return runLinewise(state, name, args);
  return leaf(state, name, args, reads ? await readAll(input, state.signal) : new Uint8Array());
}

async function leaf(state: ShellState, name: string, args: readonly string[], input: Uint8Array): Promise<number> {
  const descriptors = await gathered(state, args);
  const run: LeafRun = {
    input, cwd: state.cwd, env: state.vars.exported(), signal: state.signal, programs: [...programNames(state), ...IN_PLACE],
    runProgram: async (program, words, options) => {
      if (IN_PLACE.has(program)) return runHere(state, [program, ...words], options.cwd, options.input);
      const parts: Record<1 | 2, Uint8Array[]> = { 1: [], 2: [] };
      const child = state.host.children.start({ command: program, args: words, cwd: options.cwd, env: options.env, terminal: null }, inputOf(options.input), true, { output: (fd, data) => parts[fd as 1 | 2].push(data) > 0 });
      const known = { kill: child.kill };
      state.task.add(known);
      const code = await child.done;
      state.task.remove(known);
      return { stdout: joined(parts[1]), stderr: new TextDecoder().decode(joined(parts[2])), code };
    },
  };
  try {
    const { stdout, stderr, code } = await orKilled(state.host.leaves.run(name, [...args], run), state.signal);
    if (stderr !== "") await state.write(2, stderr);
    await state.write(1, stdout);
    return code;
  } finally {
    for (const path of descriptors) state.host.vfs.unlink(path);
  }
}

/** Commands of the shell's own that `find -exec` runs without a process for each. */
const IN_PLACE = new Set("cat cmp cut diff egrep fgrep grep gunzip gzip head ls rm sed sort stat tail tar uniq wc zcat".split(" "));

class Collected extends NullStream {
  readonly parts: Uint8Array[] = [];

  override write(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
  }
}

async function runHere(state: ShellState, words: readonly string[], cwd: string, given: Uint8Array): Promise<LeafResult> {
  const part = state.fork(new Task(state.task), state.jobs);
  const [out, err] = [new Collected(), new Collected()];
  part.cwd = cwd;
  part.open(0, inputOf(given));
  part.open(1, out);
  part.open(2, err);
  const code = await subshell(part, () => runFound(part, words[0] ?? "", words.slice(1)));
  return { stdout: joined(out.parts), stderr: new TextDecoder().decode(joined(err.parts)), code };
}

function inputOf(bytes: Uint8Array): TextStream {
  const stream = new TextStream("");
  stream.unread(bytes);
  return stream;
}

/** just-bash's commands know files alone: what a `/dev/fd/63` among the arguments gives is put into one for them. */
async function gathered(state: ShellState, args: readonly string[]): Promise<string[]> {
  const paths: string[] = [];
  for (const arg of args) {
    const fd = /^\/dev\/fd\/(\d+)$/.exec(arg)?.[1];
    const file = fd === undefined ? undefined : state.fds.get(Number(fd));
    if (!file) continue;
    const { vfs } = state.host;
    vfs.mkdir(parentPath(arg), { recursive: true });
    vfs.writeFile(arg, await readAll(file.stream, state.signal));
    paths.push(arg);
  }
  return paths;
}

/** Lines as they come, each batch through the command: its output does not wait for the end. */
async function runLinewise(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  const input = state.stream(0);
  let rest: Uint8Array = new Uint8Array();
  let code: number | undefined;
  for (;;) {
    const piece = await input.read(state.signal);
    const whole = piece ? joined([rest, piece]) : rest;
    const end = piece ? whole.lastIndexOf(10) + 1 : whole.length;
    rest = whole.slice(end);
    if (end > 0 || (!piece && code === undefined)) {
      const status = await leaf(state, name, args, whole.subarray(0, end));
      // grep: 0 when anything was found.
      code = code === undefined ? status : Math.min(code, status);
      if (status > 1) return status;
    }
    if (!piece) return code ?? 0;
  }
}

/** Names that start a process: ours, and the binaries of every node_modules at or above the folder. */
export function programNames(state: ShellState): string[] {
  const names = new Set(PROGRAMS);
  for (let folder = state.cwd; ; folder = parentPath(folder)) {
    const bin = state.host.vfs.find(joinPath(folder, "node_modules/.bin"));
    if (bin?.kind === "dir") for (const name of bin.entries.keys()) names.add(name);
    if (folder === "/") break;
  }
  return [...names];
}

/** A name of the above, a path of a file, or a file in a folder of PATH that is not the system's. */
export function isProgram(state: ShellState, name: string): boolean {
  const plain = commandName(name);
  if (plain.includes("/")) return state.host.vfs.find(resolvePath(plain, state.cwd))?.kind === "file";
  return programNames(state).includes(plain) || pathOf(state, plain) !== undefined;
}

export function pathOf(state: ShellState, name: string): string | undefined {
  for (const folder of (state.vars.get("PATH") ?? "").split(":")) {
    if (!folder.startsWith("/") || /^(\/usr(\/local)?)?\/bin$/.test(folder)) continue;
    const path = joinPath(resolvePath(folder), name);
    if (state.host.vfs.find(path)?.kind === "file") return path;
  }
  return undefined;
}

/** Words in front of the command, where a prompt's shell (or `shopt -s expand_aliases`) has the name for an alias. */
function expandAlias(state: ShellState, command: SimpleCommandNode, seen: Set<string>): SimpleCommandNode {
  const name = command.name ? literalOf(command.name) : undefined;
  const text = name === undefined || seen.has(name) || !(state.host.interactive || state.shopts.has("expand_aliases_set")) ? undefined : state.aliases.get(name);
  if (name === undefined || text === undefined) return command;
  const inner = parseScript(text).statements[0]?.pipelines[0]?.commands[0];
  if (inner?.type !== "SimpleCommand") return command;
  return expandAlias(state, { ...command, name: inner.name, args: [...inner.args, ...command.args], assignments: [...inner.assignments, ...command.assignments], redirections: [...inner.redirections, ...command.redirections] }, new Set([...seen, name]));
}

/** The word's text if nothing in it is quoted or expanded. */
function literalOf({ parts }: WordNode): string | undefined {
  const [only] = parts;
  return parts.length === 1 && only?.type === "Literal" ? only.value : undefined;
}
