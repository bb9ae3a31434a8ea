// ls, as GNU's prints into a pipe: one name a line.
import { joinPath, resolvePath } from "../../posix-path.ts";
import { statOf, type VfsNode } from "../../vfs-node.ts";
import { compareNames } from "../pattern.ts";
import type { ShellState } from "../state.ts";
import type { OwnCommand } from "./index.ts";

const LETTERS: Readonly<Record<string, string>> = { all: "a", "almost-all": "A", directory: "d", recursive: "R", reverse: "r", classify: "F", "human-readable": "h" };

interface Entry {
  readonly name: string;
  readonly node: VfsNode;
}

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const HALF_YEAR_MS = 15_778_476_000;

function modeText(node: VfsNode): string {
  const { mode } = statOf(node);
  const bits = [..."rwxrwxrwx"].map((c, i) => (mode & (0o400 >> i) ? c : "-")).join("");
  return (node.kind === "dir" ? "d" : node.kind === "link" ? "l" : "-") + bits;
}

function sizeText(bytes: number, human: boolean): string {
  if (!human || bytes < 1024) return String(bytes);
  const unit = Math.floor(Math.log2(bytes) / 10);
  const value = bytes / 1024 ** unit;
  return `${value < 10 ? (Math.ceil(value * 10) / 10).toFixed(1) : Math.ceil(value)}${"KMGT"[unit - 1]}`;
}

function timeText(ms: number): string {
  const date = new Date(ms);
  const day = `${MONTHS[date.getUTCMonth()]} ${String(date.getUTCDate()).padStart(2)}`;
  return Math.abs(Date.now() - ms) > HALF_YEAR_MS ? `${day}  ${date.getUTCFullYear()}` : `${day} ${date.toISOString().slice(11, 16)}`;
}

class Listing {
  readonly #state: ShellState;
  readonly #flags: string;
  readonly #color: boolean;

  constructor(state: ShellState, flags: string, color: boolean) {
    this.#state = state;
    this.#flags = flags;
    this.#color = color;
  }

  has(letter: string): boolean {
    return this.#flags.includes(letter);
  }

  async print(entries: readonly Entry[]): Promise<void> {
    const sorted = this.has("f") || this.has("U") ? [...entries] : [...entries].sort((a, b) => compareNames(a.name, b.name));
    if (this.has("t")) sorted.sort((a, b) => statOf(b.node).mtimeMs - statOf(a.node).mtimeMs);
    if (this.has("S")) sorted.sort((a, b) => statOf(b.node).size - statOf(a.node).size);
    if (this.has("r")) sorted.reverse();
    const sizes = sorted.map(({ node }) => sizeText(statOf(node).size, this.has("h")));
    const width = Math.max(0, ...sizes.map(({ length }) => length));
    const long = this.has("l");
    let out = "";
    for (const [i, { name, node }] of sorted.entries()) {
      if (long) out += `${modeText(node)} ${node.kind === "dir" ? 2 : (node.links ?? 1)} user user ${(sizes[i] ?? "").padStart(width)} ${timeText(statOf(node).mtimeMs)} `;
      out += `${this.#shown(name, node)}${long && node.kind === "link" ? ` -> ${node.target}` : ""}\n`;
    }
    await this.#state.write(1, out);
  }

  #shown(name: string, node: VfsNode): string {
    const run = node.kind === "file" && (node.mode & 0o111) !== 0;
    const mark = this.has("F") ? (node.kind === "dir" ? "/" : node.kind === "link" ? "@" : run ? "*" : "") : this.has("p") && node.kind === "dir" ? "/" : "";
    const color = !this.#color ? "" : node.kind === "dir" ? "1;34" : node.kind === "link" ? "1;36" : run ? "1;32" : "";
    return (color === "" ? name : `\u001b[${color}m${name}\u001b[0m`) + mark;
  }

  async folder(path: string, node: Extract<VfsNode, { kind: "dir" }>, named: boolean, first: boolean): Promise<void> {
    if (named) await this.#state.write(1, `${first ? "" : "\n"}${path}:\n`);
    const entries = [...node.entries].map(([name, child]) => ({ name, node: child })).filter(({ name }) => this.has("a") || this.has("A") || !name.startsWith("."));
    const dots = this.has("a") ? [{ name: ".", node }, { name: "..", node: this.#state.host.vfs.find(resolvePath(`${path}/..`, this.#state.cwd)) ?? node }] : [];
    if (this.has("l")) await this.#state.write(1, `total ${entries.reduce((sum, { node: child }) => sum + Math.ceil(statOf(child).size / 4096) * 4, 0)}\n`);
    await this.print([...dots, ...entries]);
    if (!this.has("R")) return;
    for (const { name, node: child } of entries.sort((a, b) => compareNames(a.name, b.name))) if (child.kind === "dir") await this.folder(joinPath(path, name), child, true, false);
  }
}

async function ls(state: ShellState, args: readonly string[]): Promise<number> {
  const end = args.indexOf("--");
  const options = (end < 0 ? args : args.slice(0, end)).filter((arg) => /^-./.test(arg));
  const paths = args.filter((arg, i) => (end >= 0 && i > end) || (!/^-./.test(arg) && (end < 0 || i < end)));
  const flags = options.map((option) => (option.startsWith("--") ? (LETTERS[option.slice(2)] ?? "") : option.slice(1))).join("");
  const color = options.some((option) => option === "--color" || option === "--color=always") || (options.includes("--color=auto") && state.fds.get(1)?.stream.terminal === true);
  const listing = new Listing(state, flags, color);
  const files: Entry[] = [];
  const folders: [string, Extract<VfsNode, { kind: "dir" }>][] = [];
  let code = 0;
  for (const path of paths.length > 0 ? paths : ["."]) {
    const node = path === "" ? undefined : state.host.vfs.find(resolvePath(path, state.cwd), !(listing.has("l") || listing.has("d")) || path.endsWith("/"));
    if (!node || (path.endsWith("/") && node.kind !== "dir")) {
      await state.write(2, `ls: cannot access '${path}': ${node ? "Not a directory" : "No such file or directory"}\n`);
      code = 2;
    } else if (node.kind === "dir" && !listing.has("d")) folders.push([path, node]);
    else files.push({ name: path, node });
  }
  if (files.length > 0) await listing.print(files);
  folders.sort(([a], [b]) => compareNames(a, b));
  for (const [i, [path, node]] of folders.entries()) await listing.folder(path, node, paths.length > 1 || listing.has("R"), i === 0 && files.length === 0);
  return code;
}

export const LIST = { ls } satisfies Readonly<Record<string, OwnCommand>>;
