// just-bash's commands (awk, find, jq, tr, …), each run by itself: its arguments and input go in, its output and
// code come out. What the commands run in turn (`find -exec`) are processes of ours where they name one.
import { Bash, type CustomCommand, defineCommand, getCommandNames } from "just-bash/browser";
import type { BashFs } from "./bash-fs.ts";
import { latin1 } from "../kernel/text-encoding.ts";

export interface LeafRun {
  readonly input: Uint8Array;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Names that are programs of the container, and how one is run to its end. */
  readonly programs: readonly string[];
  runProgram(name: string, args: string[], options: { cwd: string; env: Record<string, string>; input: Uint8Array }): Promise<LeafResult>;
}

export interface LeafResult {
  readonly stdout: Uint8Array;
  readonly stderr: string;
  readonly code: number;
}

/** What the shell has in forms of its own. */
const OWN = new Set("echo printf pwd ls cat wc head tail tee alias unalias history xargs true false bash sh sleep timeout time env help which yes cut grep egrep fgrep sed sort uniq diff gzip gunzip zcat tar rm stat touch tr od date awk seq".split(" "));
/** Those that run other commands. */
const RUNNERS = new Set(["find"]);

export class Leaves {
  readonly names: ReadonlySet<string>;
  /** All that just-bash looks for as files. */
  readonly files: readonly string[] = getCommandNames();
  readonly #fs: BashFs;
  readonly #plain: Bash;

  constructor(fs: BashFs) {
    this.#fs = fs;
    // Its defence is against the commands it runs in its own realm; here every program is a Worker of its own.
    this.#plain = new Bash({ fs, defenseInDepth: false });
    this.names = new Set(this.files.filter((name) => !OWN.has(name)));
  }

  async run(name: string, args: string[], run: LeafRun): Promise<LeafResult> {
    const bash = RUNNERS.has(name) ? new Bash({ fs: this.#fs, defenseInDepth: false, customCommands: this.#programs(run) }) : this.#plain;
    const result = await bash.exec(`/usr/bin/${name}`, { args, stdin: latin1(run.input), stdinKind: "bytes", cwd: run.cwd, env: { ...run.env }, replaceEnv: true, signal: run.signal, rawScript: true });
    return { stdout: bytesOf(result.stdout, result.stdoutKind), stderr: result.stderr.replace(/^bash: (line \d+: )?/, ""), code: result.exitCode };
  }

  #programs(run: LeafRun): CustomCommand[] {
    return run.programs.map((name) =>
      defineCommand(name, async (args, context) => {
        const env = context.exportedEnv ?? Object.fromEntries(context.env);
        const input = Uint8Array.from(context.stdin as unknown as string, (c) => c.charCodeAt(0));
        const { stdout, stderr, code } = await run.runProgram(name, args, { cwd: context.cwd, env, input });
        return { stdout: latin1(stdout), stdoutKind: "bytes", stderr, exitCode: code };
      }),
    );
  }
}

function bytesOf(text: string, kind: "text" | "bytes" | undefined): Uint8Array {
  return kind === "bytes" ? Uint8Array.from(text, (c) => c.charCodeAt(0)) : new TextEncoder().encode(text);
}

/** For each filter: options with a value, and how many operands come before its files. */
const FILTERS: Readonly<Record<string, readonly [valued: string, before: number]>> = {
  rg: ["efgmABCtTj", 1], jq: ["", 1], yq: ["opI", 1], xan: ["", 1],
  tail: ["nc", 0], wc: ["", 0], comm: ["", 0], paste: ["d", 0], rev: ["", 0], nl: ["bdfhilnsvw", 0], fold: ["w", 0], expand: ["t", 0],
  unexpand: ["t", 0], strings: ["nt", 0], split: ["ablnC", 0], column: ["tsoc", 0], join: ["12jotea", 0], tac: ["s", 0], md5sum: ["", 0], sha1sum: ["", 0], sha256sum: ["", 0], base64: ["w", 0],
  file: ["", 0], "html-to-markdown": ["", 0],
};

/**
 * Whether the command reads its input: it has no file to read, or one of them is `-`. What does not is not made to wait for
 * input that never comes, and leaves it to the commands after it.
 */
export function readsInput(name: string, args: readonly string[]): boolean {
  const filter = FILTERS[name];
  if (!filter) return false;
  const [valued, usually] = filter;
  let before = usually;
  const operands: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    if (arg === "--") {
      operands.push(...args.slice(i + 1));
      break;
    }
    if (arg === "-" || !arg.startsWith("-")) {
      operands.push(arg);
      continue;
    }
    if (arg === "--help" || arg === "--version") return false;
    if (/^--(expression|regexp|file)\b/.test(arg)) before = 0;
    if (arg.startsWith("--")) {
      if (/^--(arg|argjson|slurpfile|rawfile)$/.test(arg)) i += 2;
      continue;
    }
    if (name === "jq" && arg.includes("n")) return false;
    if (name === "rg" && /^-\w*[ef]/.test(arg)) before = 0;
    const at = [...arg].findIndex((letter, k) => k > 0 && valued.includes(letter));
    if (at > 0 && at === arg.length - 1) i++;
  }
  const files = operands.slice(before);
  return files.length === 0 || files.includes("-");
}

/** Whether its output for some lines is what it prints for each of them: such a filter need not wait for the end. */
export const isLinewise = (name: string): boolean => name === "rev";
