// diff and cmp, as GNU's: files and folders; normal, context and unified output.
import { resolvePath } from "../../posix-path.ts";
import { statOf, type VfsNode } from "../../vfs-node.ts";
import { latin1, fromLatin1 } from "../../kernel/text-encoding.ts";
import { compareNames, patternRegExp } from "../pattern.ts";
import type { ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { printed } from "./diff-formats.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { differences, type Hunk } from "./line-differences.ts";
import { input } from "./streams.ts";

const LONG: Readonly<Record<string, string>> = {
  unified: "unified::", context: "context::", brief: "q", "report-identical-files": "s", recursive: "r", "new-file": "N", "ignore-case": "i", "ignore-all-space": "w", "ignore-space-change": "b", "ignore-trailing-space": "Z", "ignore-blank-lines": "B", text: "a", "strip-trailing-cr": "strip",
  label: "L", exclude: "x", "show-c-function": "p", "show-function-line": "F", color: "color::", normal: "normal", minimal: "d", "speed-large-files": "H", "side-by-side": "y", ed: "e", rcs: "n", "expand-tabs": "t", "initial-tab": "T", "unidirectional-new-file": "P", "no-dereference": "no-dereference",
  width: "W", "suppress-common-lines": "y", "left-column": "y",
};

class Diff {
  readonly #state: ShellState;
  readonly #options: Parsed;
  readonly #style: "normal" | "unified" | "context";
  readonly #context: number;
  readonly #color: boolean;
  /** How the comparison of two files of folders is headed. */
  readonly #command: string;

  constructor(state: ShellState, args: readonly string[], options: Parsed) {
    this.#state = state;
    this.#options = options;
    for (const key of ["y", "e", "n"]) if (options.has(key)) throw new UsageError(`the output of -${key} is not available in the container: it has normal, -c and -u`);
    const style = options.options.findLast(([key]) => /^[uUcC]$|^unified|^context|^normal/.test(key));
    this.#style = !style || style[0] === "normal" ? "normal" : /^u/i.test(style[0]) ? "unified" : "context";
    const lines = options.options.filter(([key]) => /^[UC]$|^unified|^context/.test(key)).map(([, value]) => value || "3").at(-1) ?? "3";
    if (!/^\d+$/.test(lines)) throw new UsageError(`invalid context length '${lines}'`);
    this.#context = Number(lines);
    const when = options.value("color");
    this.#color = when !== undefined && (when === "always" || (when !== "never" && state.fds.get(1)?.stream.terminal === true));
    const operands = new Set(options.operands);
    this.#command = ["diff", ...args.filter((arg) => arg !== "--" && !operands.has(arg))].join(" ");
  }

  #node(path: string): VfsNode | undefined {
    return path === "-" || path.startsWith("/dev/") ? undefined : this.#state.host.vfs.find(resolvePath(path, this.#state.cwd));
  }

  async run(a: string, b: string): Promise<number> {
    const [x, y] = [this.#node(a), this.#node(b)];
    if (x?.kind === "dir" && y?.kind === "dir") return this.#folders(a, b, x, y);
    const name = (path: string): string => path.slice(path.replace(/\/+$/, "").lastIndexOf("/") + 1);
    const left = x?.kind === "dir" && b !== "-" ? `${a.replace(/\/+$/, "")}/${name(b)}` : a;
    const right = y?.kind === "dir" && a !== "-" ? `${b.replace(/\/+$/, "")}/${name(a)}` : b;
    return this.#files(left, right, false);
  }

  async #folders(a: string, b: string, x: Extract<VfsNode, { kind: "dir" }>, y: Extract<VfsNode, { kind: "dir" }>): Promise<number> {
    const excluded = this.#options.values("x").map((glob) => patternRegExp(glob));
    const names = [...new Set([...x.entries.keys(), ...y.entries.keys()])].filter((name) => !excluded.some((pattern) => pattern.test(name))).sort(compareNames);
    const inside = (folder: string, name: string): string => `${folder.replace(/\/+$/, "")}/${name}`;
    let code = 0;
    for (const name of names) {
      const [left, right] = [this.#node(inside(a, name)), this.#node(inside(b, name))];
      const [pathA, pathB] = [inside(a, name), inside(b, name)];
      const folders = left?.kind === "dir" || right?.kind === "dir";
      if (!left || !right) {
        const fills = this.#options.has("N") || (this.#options.has("P") && !left);
        if (fills && !folders) code = Math.max(code, await this.#files(pathA, pathB, true));
        else if (fills && this.#options.has("r")) code = Math.max(code, await this.#folders(pathA, pathB, left?.kind === "dir" ? left : EMPTY, right?.kind === "dir" ? right : EMPTY));
        else {
          await this.#state.write(1, `Only in ${left ? a : b}: ${name}\n`);
          code = Math.max(code, 1);
        }
      } else if (left.kind === "dir" && right.kind === "dir") {
        if (this.#options.has("r")) code = Math.max(code, await this.#folders(pathA, pathB, left, right));
        else await this.#state.write(1, `Common subdirectories: ${pathA} and ${pathB}\n`);
      } else if (folders) {
        const kind = (node: VfsNode): string => (node.kind === "dir" ? "directory" : statOf(node).size === 0 ? "regular empty file" : "regular file");
        await this.#state.write(1, `File ${pathA} is a ${kind(left)} while file ${pathB} is a ${kind(right)}\n`);
        code = Math.max(code, 1);
      } else code = Math.max(code, await this.#files(pathA, pathB, true));
    }
    return code;
  }

  async #contents(path: string, absent: boolean): Promise<string | undefined> {
    if (absent && !this.#node(path)) return "";
    const file = await input(this.#state, "diff", path);
    if (!file) return undefined;
    const text = latin1(await readAll(file.stream, this.#state.signal));
    file.release();
    return text;
  }

  async #files(a: string, b: string, ofFolders: boolean): Promise<number> {
    const { has } = this.#options;
    const absent = has("N") || (ofFolders && has("P"));
    const [x, y] = [await this.#contents(a, absent), await this.#contents(b, absent)];
    if (x === undefined || y === undefined) return 2;
    const same = async (): Promise<number> => {
      if (has("s")) await this.#state.write(1, `Files ${a} and ${b} are identical\n`);
      return 0;
    };
    if (x === y) return same();
    const isBinary = (text: string): boolean => text.slice(0, 4096).includes("\0");
    if (!has("a") && (isBinary(x) || isBinary(y))) {
      await this.#state.write(1, `${has("q") ? "Files" : "Binary files"} ${a} and ${b} differ\n`);
      return 1;
    }
    const [left, right] = [x, y].map((text) => linesOf(has("strip") ? text.replaceAll("\r\n", "\n") : text)) as [string[], string[]];
    const hunks = this.#hunks(left, right);
    if (hunks.length === 0) return same();
    if (has("q")) await this.#state.write(1, `Files ${a} and ${b} differ\n`);
    else {
      const labels = this.#options.values("L");
      const label = (path: string, given: string | undefined): string => given ?? `${path}\t${this.#time(path)}`;
      const pattern = this.#options.value("F");
      const heading = pattern === undefined ? (has("p") ? /^[A-Za-z_$]/ : undefined) : new RegExp(pattern);
      const text = printed({ label: label(a, labels[0]), lines: left }, { label: label(b, labels[1] ?? undefined), lines: right }, hunks, { style: this.#style, context: this.#context, heading, color: this.#color });
      await this.#state.write(1, (ofFolders ? `${this.#command} ${a} ${b}\n` : "") + "");
      await this.#state.write(1, fromLatin1(text));
    }
    return 1;
  }

  #time(path: string): string {
    const node = this.#node(path);
    const ms = node ? statOf(node).mtimeMs : this.#options.has("N") && !path.startsWith("/dev/") && path !== "-" ? 0 : Date.now();
    const [day = "", time = ""] = new Date(ms).toISOString().slice(0, -1).split("T");
    return `${day} ${time}${String(Math.floor((ms % 1) * 1e6)).padStart(6, "0")} +0000`;
  }

  #hunks(a: readonly string[], b: readonly string[]): Hunk[] {
    const { has } = this.#options;
    const key = (line: string): string => {
      let text = line;
      if (has("w")) text = text.replaceAll(/\s/g, "");
      else if (has("b")) text = text.replace(/\s+$/, "").replaceAll(/\s+/g, " ");
      else if (has("Z")) text = text.replace(/\s+$/, "");
      return has("i") ? text.toLowerCase() : text;
    };
    const ids = new Map<string, number>();
    const numbers = (lines: readonly string[]): Int32Array => Int32Array.from(lines, (line) => {
      const text = key(line);
      const id = ids.get(text) ?? ids.size;
      ids.set(text, id);
      return id;
    });
    const found = differences(numbers(a), numbers(b));
    const blank = (line: string): boolean => (has("w") || has("b") ? line.trim() : line.replace("\n", "")) === "";
    return has("B") ? found.filter(({ from, to, start, end }) => !(a.slice(from, to).every(blank) && b.slice(start, end).every(blank))) : found;
  }
}

const EMPTY: Extract<VfsNode, { kind: "dir" }> = { kind: "dir", ino: 0, mode: 0, mtimeMs: 0, ctimeMs: 0, birthtimeMs: 0, entries: new Map() };

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

async function diff(state: ShellState, args: readonly string[]): Promise<number> {
  if (args.includes("--version") || args.includes("-v")) {
    await state.write(1, "diff (GNU diffutils) 3.8 (of this container)\n");
    return 0;
  }
  try {
    // -NUM: lines around.
    const options = parseOptions(args.flatMap((arg) => (/^-[uc]?\d+$/.test(arg) ? [`${arg.startsWith("-c") ? "-C" : "-U"}${arg.replace(/\D/g, "")}`] : [arg])), "uU:cC:qsrNPiwbZBEapF:L:x:dHyentTW:", LONG);
    const [a, b, extra] = options.operands;
    if (a === undefined || b === undefined) throw new UsageError(`missing operand after '${args.at(-1) ?? "diff"}'`);
    if (extra !== undefined) throw new UsageError(`extra operand '${extra}'`);
    return await new Diff(state, args, options).run(a, b);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `diff: ${error.message}\ndiff: Try 'diff --help' for more information.\n`);
    return 2;
  }
}

async function cmp(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "bi:ln:s", { silent: "s", quiet: "s", verbose: "l", "print-bytes": "b", bytes: "n", "ignore-initial": "i" });
    const [a, b = "-"] = options.operands;
    if (a === undefined) throw new UsageError("missing operand after 'cmp'");
    const sides: Uint8Array[] = [];
    for (const path of [a, b]) {
      const file = await input(state, "cmp", path);
      if (!file) return 2;
      sides.push((await readAll(file.stream, state.signal)).subarray(Number(options.value("i") ?? 0)).subarray(0, Number(options.value("n") ?? Number.POSITIVE_INFINITY)));
      file.release();
    }
    const [x = new Uint8Array(), y = new Uint8Array()] = sides;
    const most = Math.min(x.length, y.length);
    let code = 0;
    let line = 1;
    let at = 0;
    const width = String(Math.max(x.length, y.length)).length;
    for (; at < most; at++) {
      if (x[at] !== y[at]) {
        code = 1;
        if (options.has("s")) return 1;
        const octal = (byte = 0): string => byte.toString(8).padStart(3);
        if (!options.has("l")) {
          await state.write(1, `${a} ${b} differ: byte ${at + 1}, line ${line}\n`);
          return 1;
        }
        await state.write(1, `${String(at + 1).padStart(width)} ${octal(x[at])} ${octal(y[at])}\n`);
      }
      if (x[at] === 10) line++;
    }
    if (x.length === y.length) return code;
    const [short, shorter] = x.length < y.length ? [a, x] : [b, y];
    const isWhole = shorter.at(-1) === 10;
    if (!options.has("s")) await state.write(2, shorter.length === 0 ? `cmp: EOF on ${short} which is empty\n` : `cmp: EOF on ${short} after byte ${shorter.length}${options.has("l") ? "" : `, ${isWhole ? `line ${line - 1}` : `in line ${line}`}`}\n`);
    return 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `cmp: ${error.message}\ncmp: Try 'cmp --help' for more information.\n`);
    return 2;
  }
}

export const DIFF = { diff, cmp } satisfies Readonly<Record<string, OwnCommand>>;
