// gzip, gunzip, zcat, zip and unzip: files packed and unpacked, as GNU's and Info-ZIP's do it.
import { unzipSync, type Zippable, zipSync } from "fflate";
import { gzip as pack, ungzip } from "pako";
import { FsError } from "../../fs-error.ts";
import { resolvePath } from "../../posix-path.ts";
import { statOf } from "../../vfs-node.ts";
import { patternRegExp } from "../pattern.ts";
import { reason } from "../redirect.ts";
import type { ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { entriesAt, extract } from "./archive-tree.ts";
import { parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";
import { ArchiveError } from "./tar-format.ts";

const GZIP_LONG: Readonly<Record<string, string>> = { stdout: "c", "to-stdout": "c", decompress: "d", uncompress: "d", force: "f", keep: "k", quiet: "q", recursive: "r", test: "t", verbose: "v", fast: "1", best: "9", "no-name": "n", name: "N", suffix: "S", list: "l" };

class Gzip {
  readonly #state: ShellState;
  readonly #name: string;
  readonly #letters: (letter: string) => boolean;
  readonly #level: number;

  constructor(state: ShellState, name: string, letters: (letter: string) => boolean, level: number) {
    this.#state = state;
    this.#name = name;
    this.#letters = letters;
    this.#level = level;
  }

  get #unpacks(): boolean {
    return this.#letters("d") || this.#letters("t");
  }

  async #fail(why: string, code = 1): Promise<number> {
    await this.#state.write(2, `${this.#name}: ${why}\n`);
    return code;
  }

  #turned(bytes: Uint8Array): Uint8Array | undefined {
    if (!this.#unpacks) return pack(bytes, { level: this.#level as 6 });
    if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return undefined;
    try {
      return ungzip(bytes);
    } catch {
      return new Uint8Array();
    }
  }

  async one(path: string): Promise<number> {
    const { vfs } = this.#state.host;
    const toOutput = this.#letters("c") || path === "-";
    const real = resolvePath(path, this.#state.cwd);
    const node = path === "-" ? undefined : vfs.find(real);
    if (node?.kind === "dir") {
      if (!this.#letters("r")) return this.#fail(`${path} is a directory -- ignored`, 2);
      let code = 0;
      for (const child of node.entries.keys()) if (child.endsWith(".gz") === this.#unpacks) code = Math.max(code, await this.one(`${path}/${child}`));
      return code;
    }
    const source = !node && this.#unpacks && path !== "-" && vfs.find(`${real}.gz`) ? `${path}.gz` : path;
    const file = await input(this.#state, this.#name, source);
    if (!file) return 1;
    const bytes = await readAll(file.stream, this.#state.signal);
    file.release();
    if (!toOutput && !this.#letters("t") && this.#unpacks && !/\.(gz|tgz)$/.test(source)) return this.#fail(`${path}: unknown suffix -- ignored`, 2);
    if (!toOutput && !this.#unpacks && path.endsWith(".gz")) return this.#fail(`${path} already has .gz suffix -- unchanged`, 0);
    const shown = path === "-" ? "stdin" : source;
    const out = this.#turned(bytes);
    const why = !out ? "not in gzip format" : this.#unpacks && out.length === 0 && bytes.length > 24 ? "invalid compressed data--format violated" : undefined;
    if (!out || why !== undefined) {
      await this.#state.write(2, "\n");
      return this.#fail(`${shown}: ${why}`);
    }
    if (this.#letters("t")) return 0;
    if (toOutput) {
      await this.#state.write(1, out);
      return 0;
    }
    const from = resolvePath(source, this.#state.cwd);
    const to = this.#unpacks ? source.replace(/\.gz$/, "").replace(/\.tgz$/, ".tar") : `${source}.gz`;
    const target = resolvePath(to, this.#state.cwd);
    if (vfs.find(target) && !this.#letters("f")) return this.#fail(`${to} already exists;	not overwritten`, 2);
    const { mode, mtimeMs } = vfs.stat(from);
    vfs.writeFile(target, out, { mode: mode & 0o777 });
    vfs.utimes(target, mtimeMs);
    if (!this.#letters("k")) vfs.unlink(from);
    if (this.#letters("v")) await this.#state.write(2, `${source}:\t${(((1 - (this.#unpacks ? bytes.length / out.length : out.length / bytes.length)) * 100) || 0).toFixed(1).padStart(5)}% -- ${this.#letters("k") ? "created" : "replaced with"} ${to}\n`);
    return 0;
  }
}

function zipper(name: string, always: string): OwnCommand {
  return async (state, args) => {
    try {
      const options = parseOptions(args, "cdfkqrtvnNlS:123456789", GZIP_LONG);
      if (options.has("l") || options.has("S")) throw new UsageError("-l and -S are not available in the container");
      const level = Number(options.options.findLast(([key]) => /^\d$/.test(key))?.[0] ?? 6);
      const run = new Gzip(state, "gzip", (letter) => always.includes(letter) || options.has(letter), level);
      let code = 0;
      for (const path of options.operands.length > 0 ? options.operands : ["-"]) code = Math.max(code, await run.one(path));
      return code;
    } catch (error) {
      if (error instanceof FsError) await state.write(2, `gzip: ${error.path ?? ""}: ${reason(error)}\n`);
      else if (error instanceof UsageError) await state.write(2, `${name}: ${error.message}\nTry \`${name} --help' for more information.\n`);
      else throw error;
      return 1;
    }
  };
}

async function unzip(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "lqonpd:x:tv", {});
    const [archive = "", ...members] = options.operands;
    if (archive === "") throw new UsageError("which archive? unzip [-lqonp] file[.zip] [members] [-d folder]");
    const path = [archive, `${archive}.zip`, `${archive}.ZIP`].find((name) => state.host.vfs.find(resolvePath(name, state.cwd))?.kind === "file");
    if (path === undefined) {
      await state.write(2, `unzip:  cannot find or open ${archive}, ${archive}.zip or ${archive}.ZIP.\n`);
      return 9;
    }
    const wanted = members.map((member) => patternRegExp(member));
    const left = options.values("x").map((member) => patternRegExp(member));
    const files = Object.entries(unzipSync(state.host.vfs.readFile(resolvePath(path, state.cwd)))).filter(([name]) => (wanted.length === 0 || wanted.some((pattern) => pattern.test(name))) && !left.some((pattern) => pattern.test(name)));
    const head = options.has("q") || options.has("p") ? "" : `Archive:  ${path}\n`;
    if (options.has("l")) {
      const rows = files.map(([name, data]) => `${String(data.length).padStart(9)}  ${name}\n`).join("");
      await state.write(1, `${head}  Length  Name\n---------  ----\n${rows}---------  -------\n${String(files.reduce((sum, [, data]) => sum + data.length, 0)).padStart(9)}  ${files.length} file${files.length === 1 ? "" : "s"}\n`);
      return 0;
    }
    await state.write(1, head);
    const folder = resolvePath(options.value("d") ?? ".", state.cwd);
    state.host.vfs.mkdir(folder, { recursive: true });
    for (const [name, data] of files) {
      if (options.has("p") || options.has("t")) {
        if (options.has("p")) await state.write(1, data);
        continue;
      }
      const isFolder = name.endsWith("/");
      if (!isFolder && !options.has("o") && state.host.vfs.find(resolvePath(name, folder))) {
        if (!options.has("n")) await state.write(2, `unzip:  ${name} is there already and stays: -o overwrites\n`);
        continue;
      }
      extract(state.host.vfs, folder, name, { name, kind: isFolder ? "dir" : "file", target: "", mode: isFolder ? 0o755 : 0o644, mtimeMs: 0, data }, false);
      if (!options.has("q")) await state.write(1, `${isFolder ? "   creating" : "  inflating"}: ${options.has("d") ? `${(options.value("d") ?? "").replace(/\/+$/, "")}/` : ""}${name}${isFolder ? "" : "  "}\n`);
    }
    return members.length > 0 && files.length === 0 ? 11 : 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof ArchiveError || error instanceof FsError) await state.write(2, `unzip:  ${error instanceof FsError ? reason(error) : error.message}\n`);
    else await state.write(2, `unzip:  this is no zip archive that can be read: ${error instanceof Error ? error.message : String(error)}\n`);
    return error instanceof UsageError ? 10 : 9;
  }
}

async function zip(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "rqj0123456789x:", { recurse: "r", quiet: "q" });
    const [archive, ...paths] = options.operands;
    if (archive === undefined || paths.length === 0) throw new UsageError("what into which archive? zip [-rq] file.zip files");
    const target = /\.\w+$/.test(archive) ? archive : `${archive}.zip`;
    const left = options.values("x").map((pattern) => patternRegExp(pattern));
    const old = state.host.vfs.find(resolvePath(target, state.cwd));
    const files: Zippable = old?.kind === "file" ? unzipSync(old.data) : {};
    const level = Number(options.options.findLast(([key]) => /^\d$/.test(key))?.[0] ?? 6) as 6;
    for (const path of paths) {
      for (const entry of entriesAt(state.host.vfs, state.cwd, path, (name) => !left.some((pattern) => pattern.test(name)), true)) {
        const name = entry.name.replace(/^(\.?\/)+/, "");
        if (name === "" || resolvePath(entry.name, state.cwd) === resolvePath(target, state.cwd)) continue;
        const { mtimeMs } = statOf(state.host.vfs.find(resolvePath(entry.name, state.cwd)) ?? state.host.vfs.dir("/"));
        files[name] = [entry.data, { level: entry.data.length === 0 ? 0 : level, mtime: mtimeMs, os: 3, attrs: ((entry.kind === "dir" ? 0o40000 : 0o100000) | entry.mode) * 65_536 }];
        if (!options.has("q")) await state.write(1, `  adding: ${name}\n`);
        if (entry.kind === "dir" && !options.has("r")) break;
      }
    }
    state.host.vfs.writeFile(resolvePath(target, state.cwd), zipSync(files));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ArchiveError || error instanceof FsError)) throw error;
    await state.write(2, `zip: ${error instanceof FsError ? reason(error) : error.message}\n`);
    return 12;
  }
}

export const GZIP = { gzip: zipper("gzip", ""), gunzip: zipper("gunzip", "d"), zcat: zipper("zcat", "dc"), zip, unzip } satisfies Readonly<Record<string, OwnCommand>>;
