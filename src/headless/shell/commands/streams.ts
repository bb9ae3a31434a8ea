// cat, head, tee, yes, tail: they pass on what comes while it comes, and end when nobody listens.
import { joined } from "../../../base/bytes.ts";
import { FsError } from "../../fs-error.ts";
import { resolvePath } from "../../posix-path.ts";
import { open } from "../redirect.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import { FileStream, type OpenFile, readAll, readLine } from "../streams.ts";
import { sleep } from "../task.ts";
import type { OwnCommand } from "./index.ts";

/** The file, or the input for `-`; undefined and told (if there are words for it) when there is none. */
export async function input(state: ShellState, name: string, path: string, missing = (why: string): string => `${name}: ${path}: ${why}`): Promise<OpenFile | undefined> {
  if (path === "-") return state.fds.get(0)?.hold();
  const node = state.host.vfs.find(resolvePath(path, state.cwd));
  const tell = async (why: string): Promise<void> => {
    const words = missing(why);
    if (words !== "") await state.write(2, `${words}\n`);
  };
  if (node?.kind === "dir") {
    await tell("Is a directory");
    return undefined;
  }
  try {
    return open(state, path, "<");
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    await tell(error.message.slice(path.length + 2));
    return undefined;
  }
}

async function cat(state: ShellState, args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => /^-[A-Za-z]+$/.test(arg)).join("").replaceAll("-", "");
  const long = args.filter((arg) => arg.startsWith("--") && arg !== "--");
  const paths = args.filter((arg) => arg === "-" || !arg.startsWith("-"));
  const numbers = flags.includes("n") || long.includes("--number");
  const nonBlank = flags.includes("b") || long.includes("--number-nonblank");
  const squeeze = flags.includes("s") || long.includes("--squeeze-blank");
  const show = /[AetTEv]/.test(flags) || long.length > 0;
  let line = 0;
  let blank = false;
  let code = 0;
  for (const path of paths.length > 0 ? paths : ["-"]) {
    const file = await input(state, "cat", path);
    if (!file) {
      code = 1;
      continue;
    }
    try {
      if (!numbers && !nonBlank && !squeeze && !show) {
        for (let piece = await file.stream.read(state.signal); piece; piece = await file.stream.read(state.signal)) await state.write(1, piece);
        continue;
      }
      for (;;) {
        const { bytes, found } = await readLine(file.stream, 10, state.signal);
        if (!found && bytes.length === 0) break;
        const isBlank = bytes.length === 0;
        if (squeeze && isBlank && blank) continue;
        blank = isBlank;
        let text = new TextDecoder().decode(bytes);
        if (/[AetTv]/.test(flags)) text = shown(text, /[AtT]/.test(flags));
        const end = found ? (/[AeE]/.test(flags) || long.includes("--show-ends") ? "$\n" : "\n") : "";
        await state.write(1, `${nonBlank ? (isBlank ? "" : `${String(++line).padStart(6)}\t`) : numbers ? `${String(++line).padStart(6)}\t` : ""}${text}${end}`);
      }
    } finally {
      file.release();
    }
  }
  return code;
}

function shown(text: string, tabs: boolean): string {
  // oxlint-disable-next-line no-control-regex -- what is shown as ^X
  return text.replaceAll(/[\u0000-\u001f\u007f]/g, (c) => (c === "\t" ? (tabs ? "^I" : c) : c === "\u007f" ? "^?" : `^${String.fromCharCode(c.charCodeAt(0) + 64)}`));
}

/** `-n 5`, `-5`, `-c 10`, `-n -5`. */
function counts(args: readonly string[]): { readonly count: string; readonly bytes: boolean; readonly paths: readonly string[]; readonly quiet: boolean; readonly verbose: boolean; readonly follow: boolean } {
  let count = "10";
  let bytes = false;
  let quiet = false;
  let verbose = false;
  let follow = false;
  const paths: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] ?? "";
    const match = /^(?:-([nc])=?|--(lines|bytes)=?)(.*)$/.exec(arg);
    if (match) {
      bytes = (match[1] ?? match[2] ?? "n")[0] !== "n" && (match[1] === "c" || match[2] === "bytes");
      count = match[3] !== undefined && match[3] !== "" ? match[3] : (args[++i] ?? "");
    } else if (/^[-+]\d+$/.test(arg)) count = arg.replace(/^-/, "");
    else if (arg === "-q" || arg === "--quiet" || arg === "--silent") quiet = true;
    else if (arg === "-v" || arg === "--verbose") verbose = true;
    else if (/^-[fF]$|^--follow/.test(arg)) follow = true;
    else if (arg !== "--") paths.push(arg);
  }
  return { count, bytes, paths: paths.length > 0 ? paths : ["-"], quiet, verbose, follow };
}

async function each(state: ShellState, name: string, { paths, quiet, verbose }: ReturnType<typeof counts>, body: (file: OpenFile) => Promise<void>): Promise<number> {
  let code = 0;
  for (const [i, path] of paths.entries()) {
    const file = await input(state, name, path, (why) => (why === "Is a directory" ? `${name}: error reading '${path}': ${why}` : `${name}: cannot open '${path}' for reading: ${why}`));
    if (!file) {
      code = 1;
      continue;
    }
    if ((paths.length > 1 && !quiet) || verbose) await state.write(1, `${i > 0 ? "\n" : ""}==> ${path === "-" ? "standard input" : path} <==\n`);
    try {
      await body(file);
    } finally {
      file.release();
    }
  }
  return code;
}

const SIZE = /^([-+]?)(\d+)([kKmMb]?)B?$/;

async function amount(state: ShellState, name: string, { count, bytes }: { readonly count: string; readonly bytes: boolean }): Promise<{ readonly sign: string; readonly n: number } | undefined> {
  const match = SIZE.exec(count);
  if (!match) {
    await state.write(2, `${name}: invalid number of ${bytes ? "bytes" : "lines"}: '${count}'\n`);
    return undefined;
  }
  return { sign: match[1] ?? "", n: Number(match[2]) * ({ k: 1024, K: 1024, m: 1_048_576, M: 1_048_576, b: 512 }[match[3] ?? ""] ?? 1) };
}

async function head(state: ShellState, args: readonly string[]): Promise<number> {
  const options = counts(args);
  const wanted = await amount(state, "head", options);
  if (!wanted) return 1;
  const { sign, n } = wanted;
  return each(state, "head", options, async ({ stream }) => {
    if (sign === "-") {
      const all = await readAll(stream, state.signal);
      return state.write(1, options.bytes ? all.subarray(0, Math.max(0, all.length - n)) : joined(lines(all).slice(0, n === 0 ? undefined : -n)));
    }
    let left = n;
    while (left > 0) {
      const piece = await stream.read(state.signal);
      if (!piece) return;
      let end = 0;
      if (options.bytes) end = Math.min(left, piece.length);
      else while (end < piece.length && left > 0) {
        const at = piece.indexOf(10, end);
        if (at < 0) {
          end = piece.length;
          break;
        }
        end = at + 1;
        left--;
      }
      if (options.bytes) left -= end;
      stream.unread(piece.subarray(end));
      await state.write(1, piece.subarray(0, end));
    }
  });
}

/** With their newlines. */
function lines(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(10, at);
    const end = newline < 0 ? bytes.length : newline + 1;
    found.push(bytes.subarray(at, end));
    at = end;
  }
  return found;
}

/** How often a followed file is looked at. */
const FOLLOW_MS = 200;

async function tail(state: ShellState, args: readonly string[]): Promise<number> {
  const options = counts(args);
  const wanted = await amount(state, "tail", options);
  if (!wanted) return 1;
  const { sign, n } = wanted;
  return each(state, "tail", options, async ({ stream }) => {
    const all = await readAll(stream, state.signal);
    if (options.bytes) await state.write(1, sign === "+" ? all.subarray(Math.max(0, n - 1)) : all.subarray(Math.max(0, all.length - n)));
    else {
      const list = lines(all);
      await state.write(1, joined(sign === "+" ? list.slice(Math.max(0, n - 1)) : n === 0 ? [] : list.slice(-n)));
    }
    while (options.follow) {
      await sleep(FOLLOW_MS, state.signal);
      const more = await stream.read(state.signal);
      if (more) await state.write(1, more);
    }
  });
}

async function tee(state: ShellState, args: readonly string[]): Promise<number> {
  const append = args.some((arg) => /^-\w*a/.test(arg) || arg === "--append");
  const files: OpenFile[] = [];
  let code = 0;
  for (const path of args.filter((arg) => !arg.startsWith("-"))) {
    try {
      files.push(open(state, path, append ? ">>" : ">"));
    } catch (error) {
      if (!(error instanceof ExpansionError) && !(error instanceof FsError)) throw error;
      await state.write(2, `tee: ${error.message}\n`);
      code = 1;
    }
  }
  try {
    for (;;) {
      const piece = await state.stream(0).read(state.signal);
      if (!piece) return code;
      for (const { stream } of files) await stream.write(piece, state.signal);
      await state.write(1, piece);
    }
  } finally {
    for (const file of files) file.release();
  }
}

async function yes(state: ShellState, args: readonly string[]): Promise<number> {
  const many = new TextEncoder().encode(`${args.join(" ") || "y"}\n`.repeat(512));
  for (;;) {
    await state.write(1, many.slice());
    // Where the reader is never behind, others get their turn all the same.
    if (state.fds.get(1)?.stream.own !== undefined) await sleep(1, state.signal);
    state.signal.throwIfAborted();
  }
}

async function wc(state: ShellState, args: readonly string[]): Promise<number> {
  const flags = args.filter((arg) => /^-./.test(arg)).map((arg) => ({ "--lines": "l", "--words": "w", "--bytes": "c", "--chars": "m" })[arg] ?? arg.slice(1)).join("");
  const paths = args.filter((arg) => !/^-./.test(arg));
  const columns = [..."lwmc"].filter((c) => (flags === "" ? c !== "m" : flags.includes(c)));
  const rows: { readonly counts: readonly number[]; readonly path: string }[] = [];
  let code = 0;
  let bytes = 0;
  for (const path of paths.length > 0 ? paths : ["-"]) {
    const file = await input(state, "wc", path);
    if (!file) {
      code = 1;
      continue;
    }
    const data = await readAll(file.stream, state.signal);
    file.release();
    bytes += data.length;
    const text = new TextDecoder().decode(data);
    const all: Readonly<Record<string, number>> = { l: lines(data).length - (data.length > 0 && data.at(-1) !== 10 ? 1 : 0), w: text.match(/\S+/g)?.length ?? 0, m: [...text].length, c: data.length };
    rows.push({ counts: columns.map((c) => all[c] ?? 0), path });
  }
  if (paths.length > 1) rows.push({ counts: columns.map((_, i) => rows.reduce((sum, { counts }) => sum + (counts[i] ?? 0), 0)), path: "total" });
  // One count alone stands as it is; else all are as wide as the bytes, seven where they cannot be known before.
  const width = columns.length === 1 && paths.length <= 1 ? 1 : (paths.length === 0 || paths.includes("-")) && !(state.fds.get(0)?.stream instanceof FileStream) ? 7 : String(bytes).length;
  for (const { counts, path } of rows) await state.write(1, `${counts.map((n) => String(n).padStart(width)).join(" ")}${paths.length === 0 ? "" : ` ${path}`}\n`);
  return code;
}

export const STREAMS = { wc, cat, head, tail, tee, yes } satisfies Readonly<Record<string, OwnCommand>>;
