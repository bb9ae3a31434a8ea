// rm, stat and touch, as GNU's.
import { FsError } from "../../fs-error.ts";
import { resolvePath } from "../../posix-path.ts";
import { statOf, type VfsNode } from "../../vfs-node.ts";
import { compareNames } from "../pattern.ts";
import { reason } from "../redirect.ts";
import type { ShellState } from "../state.ts";
import { readLine } from "../streams.ts";
import { parseDate, zoneOf } from "./date.ts";
import { parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";

const KINDS = { file: "regular file", dir: "directory", link: "symbolic link" } as const;
const kindOf = (node: VfsNode): string => (node.kind === "file" && node.data.length === 0 ? "regular empty file" : KINDS[node.kind]);

async function complain(state: ShellState, name: string, error: unknown): Promise<number> {
  if (!(error instanceof UsageError)) throw error;
  await state.write(2, `${name}: ${error.message}\nTry '${name} --help' for more information.\n`);
  return 1;
}

async function rm(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "frRivdI", { force: "f", recursive: "r", verbose: "v", dir: "d", interactive: "interactive::", "no-preserve-root": "/", "preserve-root": "1::", "one-file-system": "2" });
    const recursive = options.has("r") || options.has("R");
    const force = options.options.findLast(([key]) => key === "f" || key === "i")?.[0] === "f";
    const asks = !force && (options.has("i") || options.value("interactive") === "always");
    if (options.operands.length === 0 && !options.has("f")) throw new UsageError("missing operand");
    let code = 0;
    for (const path of options.operands) code = Math.max(code, await remove(state, path, { recursive, force: options.has("f"), asks, verbose: options.has("v"), folders: options.has("d"), root: options.has("/") }));
    return code;
  } catch (error) {
    return complain(state, "rm", error);
  }
}

interface Removal {
  readonly recursive: boolean;
  readonly force: boolean;
  readonly asks: boolean;
  readonly verbose: boolean;
  /** Empty folders too. */
  readonly folders: boolean;
  readonly root: boolean;
}

async function remove(state: ShellState, path: string, how: Removal): Promise<number> {
  const { vfs } = state.host;
  const real = resolvePath(path, state.cwd);
  const fail = async (why: string): Promise<number> => {
    await state.write(2, `rm: ${why}\n`);
    return 1;
  };
  if (how.recursive && /(^|\/)\.\.?\/*$/.test(path)) return fail(`refusing to remove '.' or '..' directory: skipping '${path}'`);
  if (how.recursive && real === "/" && !how.root) return fail(`it is dangerous to operate recursively on '/'\nrm: use --no-preserve-root to override this failsafe`);
  let node: VfsNode | undefined;
  try {
    node = path === "" ? undefined : (vfs.lstat(real), vfs.find(real, false));
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return how.force && (error.code === "ENOENT" || error.code === "ENOTDIR") ? 0 : fail(`cannot remove '${path}': ${reason(error)}`);
  }
  if (!node) return how.force ? 0 : fail(`cannot remove '${path}': No such file or directory`);
  if (node.kind === "dir" && !how.recursive && !how.folders) return fail(`cannot remove '${path}': Is a directory`);
  if (node.kind !== "dir" && path.endsWith("/")) return fail(`cannot remove '${path}': ${vfs.find(real)?.kind === "dir" ? "Is" : "Not"} a directory`);
  try {
    if (node.kind !== "dir") {
      if (how.asks && !(await confirmed(state, `rm: remove ${kindOf(node)} '${path}'? `))) return 0;
      vfs.unlink(real);
      if (how.verbose) await state.write(1, `removed '${path}'\n`);
      return 0;
    }
    if (how.recursive && !how.asks && !how.verbose) {
      vfs.removeTree(real);
      return 0;
    }
    let code = 0;
    if (how.recursive) {
      if (how.asks && node.entries.size > 0 && !(await confirmed(state, `rm: descend into directory '${path}'? `))) return 0;
      for (const child of [...node.entries.keys()].sort(compareNames)) code = Math.max(code, await remove(state, `${path.replace(/\/+$/, "")}/${child}`, how));
    }
    if (how.asks && !(await confirmed(state, `rm: remove directory '${path}'? `))) return code;
    vfs.rmdir(real);
    if (how.verbose) await state.write(1, `removed directory '${path}'\n`);
    return code;
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    return fail(`cannot remove '${path}': ${reason(error)}`);
  }
}

async function confirmed(state: ShellState, question: string): Promise<boolean> {
  await state.write(2, question);
  const { bytes } = await readLine(state.stream(0), 10, state.signal);
  return /^[yY]/.test(new TextDecoder().decode(bytes));
}

const timeText = (ms: number): string => {
  const [day = "", time = ""] = new Date(ms).toISOString().slice(0, -1).split("T");
  return `${day} ${time}${String(Math.floor((ms % 1) * 1e6)).padStart(6, "0")} +0000`;
};

const TYPE_BITS = { file: 0o100000, dir: 0o40000, link: 0o120000 } as const;

function statFields(path: string, node: VfsNode): Readonly<Record<string, string | number>> {
  const { mode, size, mtimeMs, ctimeMs, birthtimeMs, atimeMs, ino, nlink } = { ...statOf(node), nlink: node.kind === "dir" ? 2 : (node.links ?? 1), atimeMs: node.atimeMs ?? node.mtimeMs };
  const bits = mode & 0o7777;
  const letters = (node.kind === "dir" ? "d" : node.kind === "link" ? "l" : "-") + [..."rwxrwxrwx"].map((c, i) => (bits & (0o400 >> i) ? c : "-")).join("");
  const seconds = (ms: number): number => Math.floor(ms / 1000);
  return {
    a: bits.toString(8), A: letters, b: Math.ceil(size / 4096) * 8, B: 512, d: 1, f: (TYPE_BITS[node.kind] | bits).toString(16), F: kindOf(node), g: 1000, G: "user", h: nlink, i: ino, m: "/", n: path, N: `'${path}'${node.kind === "link" ? ` -> '${node.target}'` : ""}`, o: 4096, s: size, t: 0, T: 0,
    u: 1000, U: "user", w: timeText(birthtimeMs), W: seconds(birthtimeMs), x: timeText(atimeMs), X: seconds(atimeMs), y: timeText(mtimeMs), Y: seconds(mtimeMs), z: timeText(ctimeMs), Z: seconds(ctimeMs),
  };
}

const WHOLE = "  File: %N\n  Size: %-10s\tBlocks: %-10b IO Block: %-6o %F\nDevice: 0,1\tInode: %-11i Links: %h\nAccess: (%04a/%A)  Uid: (%5u/%8U)   Gid: (%5g/%8G)\nAccess: %x\nModify: %y\nChange: %z\n Birth: %w\n";

async function stat(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "c:Lt", { format: "c", printf: "printf:", dereference: "L", terse: "t" });
    if (options.operands.length === 0) throw new UsageError("missing operand");
    if (options.has("t")) throw new UsageError("-t is not available in the container: -c has every field");
    const escaped = options.value("printf")?.replaceAll(/\\([ntr\\"0])/g, (_, c: string) => ({ n: "\n", t: "\t", r: "\r", 0: "\0" })[c] ?? c);
    const format = escaped ?? (options.has("c") ? `${options.value("c")}\n` : WHOLE);
    let code = 0;
    for (const path of options.operands) {
      const node = path === "" ? undefined : state.host.vfs.find(resolvePath(path, state.cwd), options.has("L") || path.endsWith("/"));
      if (!node) {
        await state.write(2, `stat: cannot statx '${path}': No such file or directory\n`);
        code = 1;
        continue;
      }
      const fields = statFields(path, node);
      const shown = format === WHOLE ? { ...fields, N: String(fields["N"]).replaceAll("'", "") } : fields;
      await state.write(1, format.replaceAll(/%(-?)(0?)(\d*)([a-zA-Z%])/g, (_, left: string, zero: string, width: string, letter: string) => {
        const text = letter === "%" ? "%" : String(shown[letter as keyof typeof shown] ?? "?");
        return left === "-" ? text.padEnd(Number(width)) : text.padStart(Number(width), zero === "0" ? "0" : " ");
      }));
    }
    return code;
  } catch (error) {
    return complain(state, "stat", error);
  }
}

async function touch(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const { vfs } = state.host;
    const options = parseOptions(args, "acd:fhmr:t:", { date: "d", reference: "r", "no-create": "c", time: "time:", "no-dereference": "h" });
    if (options.operands.length === 0) throw new UsageError("missing file operand");
    const reference = options.value("r");
    const like = reference === undefined ? undefined : vfs.find(resolvePath(reference, state.cwd));
    if (reference !== undefined && !like) {
      await state.write(2, `touch: failed to get attributes of '${reference}': No such file or directory\n`);
      return 1;
    }
    const [text, stamp] = [options.value("d"), options.value("t")];
    const ms = like ? like.mtimeMs : text !== undefined ? parseDate(text, zoneOf(state, false), Date.now(), "date format") : stamp !== undefined ? stamped(stamp, zoneOf(state, false)) : Date.now();
    const [access, change] = [options.has("a") || /^(a|atime|access|use)/.test(options.value("time") ?? ""), options.has("m") || options.value("time")?.startsWith("m") === true];
    let code = 0;
    for (const path of options.operands) {
      const real = resolvePath(path, state.cwd);
      try {
        let node = path === "" ? undefined : vfs.find(real);
        if (path === "") throw new FsError("ENOENT", "touch");
        if (!node && options.has("c")) continue;
        if (!node) vfs.writeFile(real, new Uint8Array());
        node ??= vfs.find(real);
        if (node) vfs.utimes(real, access && !change ? node.mtimeMs : ms, change && !access ? (node.atimeMs ?? node.mtimeMs) : ms);
      } catch (error) {
        if (!(error instanceof FsError)) throw error;
        await state.write(2, `touch: cannot touch '${path}': ${reason(error)}\n`);
        code = 1;
      }
    }
    return code;
  } catch (error) {
    if (!(error instanceof UsageError) || !error.message.startsWith("invalid date format")) return complain(state, "touch", error);
    await state.write(2, `touch: ${error.message}\n`);
    return 1;
  }
}

/** `[[CC]YY]MMDDhhmm[.ss]` */
function stamped(text: string, zone: string): number {
  const match = /^(\d{2})?(\d{2})?(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{2}))?$/.exec(text);
  if (!match) throw new UsageError(`invalid date format ‘${text}’`);
  const [, c, y, month, day, hour, minute, second = "00"] = match;
  // Of two digits the first pair alone is there, and it is the year's last.
  const short = y ?? c;
  const year = c !== undefined && y !== undefined ? c + y : short === undefined ? String(new Date().getUTCFullYear()) : (Number(short) < 69 ? "20" : "19") + short;
  return parseDate(`${year}-${month}-${day} ${hour}:${minute}:${second}`, zone, Date.now(), "date format");
}

export const REMOVE = { rm, stat, touch } satisfies Readonly<Record<string, OwnCommand>>;
