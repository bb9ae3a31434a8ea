// What a command line becomes: the steps that run one after the other under one process number.
// `node`, `npm`, `npx`, `sh`, names in node_modules/.bin and paths are resolved here, from files alone.
import { type Env, findExecutable } from "../executables.ts";
import { commandName, joinPath, parentPath } from "../posix-path.ts";
import type { Program } from "../protocol.ts";
import { SHELL_COMMANDS } from "../shell/names.ts";
import type { Vfs } from "../vfs.ts";
import { parseSimpleScript } from "./simple-script.ts";

/** A Worker to run, words to print and a code, or npm's command line that is to become such. A step runs when the one before it ended with 0. */
export type Step = LateStep | ReadyStep;
export type ReadyStep =
  | { readonly banner?: string; readonly program: Program; readonly argv: readonly string[]; readonly argv0?: string; readonly cwd: string; readonly env: Env }
  | { readonly program?: never; readonly stdout: string; readonly stderr: string; readonly code: number };

/** What `npm` or `npx` stands for is found out by a script of the kernel's that is loaded with the first of them (npm.ts). */
export interface LateStep {
  readonly program?: never;
  readonly late: "npm" | "npx";
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Env;
}

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Env;
  /** What a `node` is called, if not by the command. */
  readonly argv0?: string;
}

/** The steps, or undefined if there is no such command. */
export function plan(vfs: Vfs, command: Command): readonly Step[] | undefined {
  const { args, cwd, env } = command;
  switch (commandName(command.command)) {
    case "node":
      return [{ program: "node", argv: args, argv0: command.argv0 ?? command.command, cwd, env }];
    case "npm":
    case "npx":
      return [{ late: commandName(command.command) as "npm" | "npx", args, cwd, env }];
    case "yarn":
    case "pnpm":
      return [{ program: "npm", argv: [commandName(command.command), ...args], cwd, env }];
    case "sh":
    case "bash":
    case "jsh":
      return planShell(vfs, command);
    default:
      return planFile(vfs, command);
  }
}

/** What the file of a program says that is the container itself; copies and links of it say the same. */
const OWN_PROGRAM = "#!/bin/sh\n# The container itself is this program: ";

export const ownProgramText = (name: string): string => `${OWN_PROGRAM + name}\n`;

/** `sh -c "node x.js"` needs no shell: the command runs as if it had been asked for directly, and streams. */
function planShell(vfs: Vfs, { command: name, args, cwd, env }: Command): readonly Step[] {
  const shell: Step = { program: "sh", argv: args, cwd, env };
  if (args[0] !== "-c" || args.length !== 2) return [shell];
  const only = parseSimpleScript(args[1] ?? "");
  if (!only) return [shell];
  const [command = "", ...rest] = only.words;
  if (SHELL_COMMANDS.has(command)) return [shell];
  const direct = { command, args: rest, cwd, env: { ...env, ...only.env } };
  return plan(vfs, direct) ?? [{ stdout: "", stderr: `${name}: 1: ${command}: not found\n`, code: 127 }];
}

function planFile(vfs: Vfs, asked: Command): readonly Step[] | undefined {
  const { command, args, cwd, env } = asked;
  if (command === "") return undefined;
  const file = findExecutable(vfs, command, cwd, env);
  if (file !== undefined) return runFile(vfs, file, asked);
  const name = commandName(command);
  if (SHELL_COMMANDS.has(name)) return [{ program: "sh", argv: ["-c", [name, ...args].map(quote).join(" ")], cwd, env }];
  return undefined;
}

function runFile(vfs: Vfs, file: string, command: Command): readonly Step[] | undefined {
  const { args, cwd, env } = command;
  const text = new TextDecoder().decode(vfs.readFile(file).subarray(0, 128));
  if (text.startsWith(OWN_PROGRAM)) return plan(vfs, { argv0: command.command, ...command, command: text.slice(OWN_PROGRAM.length).trim() });
  const head = text.split("\n", 1)[0] ?? "";
  if (/^#!.*\bnode\s*$/.test(head) || (!head.startsWith("#!") && /\.[cm]?[jt]sx?$/.test(file))) return [{ program: "node", argv: [file, ...args], cwd, env }];
  // What else the first line names, the shell finds; without one it is a script of the shell's, as for bash.
  return [{ program: "sh", argv: [...(/^#!(?!.*sh\b)/.test(head) ? ["--run"] : []), file, ...args], cwd, env }];
}

/** One word for a shell. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The nearest folder at or above `cwd` with a package.json; `cwd` itself if there is none. */
export function packageFolder(vfs: Vfs, cwd: string): string {
  for (let folder = cwd; folder !== "/"; folder = parentPath(folder)) {
    if (vfs.find(joinPath(folder, "package.json"))?.kind === "file") return folder;
  }
  return cwd;
}

/** Throws FsError for a missing file, SyntaxError for bad JSON. */
export function readJson(vfs: Vfs, path: string): unknown {
  const data = vfs.readFile(path);
  return JSON.parse(new TextDecoder().decode(data)) as unknown;
}

