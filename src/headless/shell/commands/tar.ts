// tar, as GNU's: create, list and extract, with gzip where asked or found.
import { gzip, ungzip } from "pako";
import { resolvePath } from "../../posix-path.ts";
import { patternRegExp } from "../pattern.ts";
import { FsError } from "../../fs-error.ts";
import { open, reason } from "../redirect.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { entriesAt, extract } from "./archive-tree.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";
import { ArchiveError, type Entry, packTar, readTar } from "./tar-format.ts";

const LETTERS = "ctxrf:vzjJaC:kpOmhPT:";
const LONG: Readonly<Record<string, string>> = {
  create: "c", list: "t", get: "x", extract: "x", append: "r", file: "f", verbose: "v", gzip: "z", gunzip: "z", bzip2: "j", xz: "J", zstd: "J", "auto-compress": "a", directory: "C", "keep-old-files": "k", "preserve-permissions": "p", "to-stdout": "O", touch: "m", dereference: "h", "absolute-names": "P",
  "files-from": "T", exclude: "exclude:", "strip-components": "strip:", wildcards: "wildcards", "no-same-owner": "o", "no-same-permissions": "o", owner: "owner:", group: "group:", mtime: "mtime:", sort: "sort:", "numeric-owner": "o", transform: "transform:", "exclude-vcs": "vcs",
};

const typeLetters: Readonly<Record<Entry["kind"], string>> = { file: "-", dir: "d", link: "l", hardlink: "h" };

function listed(entry: Entry): string {
  const bits = [..."rwxrwxrwx"].map((c, i) => (entry.mode & (0o400 >> i) ? c : "-")).join("");
  const owner = "user/user";
  const size = String(entry.data.length);
  const time = new Date(entry.mtimeMs).toISOString().replace("T", " ").slice(0, 16);
  const target = entry.kind === "link" ? ` -> ${entry.target}` : entry.kind === "hardlink" ? ` link to ${entry.target}` : "";
  return `${typeLetters[entry.kind]}${bits} ${owner}${" ".repeat(Math.max(1, 19 - owner.length - size.length))}${size} ${time} ${entry.name}${target}`;
}

/** Whether an exclusion or a wanted member names it: itself, or a folder above it. */
function names(patterns: readonly string[], wildcards: boolean): (name: string) => boolean {
  const tests = patterns.map((pattern) => {
    const plain = pattern.replace(/\/+$/, "");
    const regexp = wildcards ? patternRegExp(plain) : undefined;
    return (name: string): boolean => (regexp ? regexp.test(name) : name === plain);
  });
  return (name) => {
    const parts = name.replace(/\/+$/, "").split("/");
    return tests.some((test) => parts.some((_, i) => test(parts.slice(0, i + 1).join("/"))));
  };
}

async function create(state: ShellState, options: Parsed, note: (text: string) => Promise<void>): Promise<number> {
  let folder = state.cwd;
  let code = 0;
  const entries: Entry[] = [];
  const exclusions = options.values("exclude").flatMap((pattern) => [pattern, `*/${pattern}`]);
  const excluded = names([...exclusions, ...(options.has("vcs") ? [".git", "*/.git"] : [])], true);
  const own = resolvePath(options.value("f") ?? "-", state.cwd);
  const paths = [...options.operands];
  for (const path of options.values("T")) {
    const file = await input(state, "tar", path);
    if (!file) return 2;
    paths.push(...new TextDecoder().decode(await readAll(file.stream, state.signal)).split("\n").filter((line) => line !== ""));
    file.release();
  }
  if (options.has("C")) folder = resolvePath(options.value("C") ?? ".", state.cwd);
  if (paths.length === 0) throw new UsageError("Cowardly refusing to create an empty archive");
  for (const path of paths) {
    try {
      for (const entry of entriesAt(state.host.vfs, folder, path, (name) => !excluded(name) && resolvePath(name, folder) !== own, options.has("h"))) {
        const name = options.has("P") ? entry.name : entry.name.replace(/^\/+/, "");
        if (name !== entry.name && entries.length === 0) await state.write(2, "tar: Removing leading `/' from member names\n");
        if (name === "") continue;
        entries.push({ ...entry, name });
        if (options.has("v")) await note(`${options.values("v").length > 1 ? listed(entry) : entry.name}\n`);
      }
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      await state.write(2, `tar: ${error.message}\n`);
      code = 2;
    }
  }
  const bytes = packTar(entries);
  const target = options.value("f") ?? "-";
  const zips = options.has("z") || (options.has("a") && /\.(tgz|gz)$/.test(target));
  const packed = zips ? gzip(bytes) : bytes;
  if (target === "-") await state.write(1, packed);
  else {
    const file = open(state, target, ">");
    await file.stream.write(packed, state.signal);
    file.release();
  }
  if (code !== 0) await state.write(2, "tar: Exiting with failure status due to previous errors\n");
  return code;
}

async function read(state: ShellState, options: Parsed): Promise<Uint8Array | undefined> {
  const path = options.value("f") ?? "-";
  const file = await input(state, "tar", path, (why) => `tar: ${path}: Cannot ${why === "Is a directory" ? "read" : "open"}: ${why}\ntar: Error is not recoverable: exiting now`);
  if (!file) return undefined;
  const bytes = await readAll(file.stream, state.signal);
  file.release();
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return ungzip(bytes);
  if (options.has("z")) throw new ArchiveError("gzip: stdin: not in gzip format");
  return bytes;
}

async function unpack(state: ShellState, options: Parsed, note: (text: string) => Promise<void>): Promise<number> {
  const bytes = await read(state, options);
  if (!bytes) return 2;
  const folder = resolvePath(options.value("C") ?? ".", state.cwd);
  if (options.has("C") && state.host.vfs.find(folder)?.kind !== "dir") throw new UsageError(`${options.value("C")}: Cannot open: No such file or directory`);
  const excluded = names(options.values("exclude").flatMap((pattern) => [pattern, `*/${pattern}`]), true);
  const wanted = options.operands.map((operand) => ({ operand, test: names([operand], options.has("wildcards")), found: false }));
  const strip = Number(options.value("strip") ?? 0);
  let code = 0;
  for (const entry of readTar(bytes)) {
    const asked = wanted.filter(({ test }) => test(entry.name));
    for (const each of asked) each.found = true;
    if ((wanted.length > 0 && asked.length === 0) || excluded(entry.name)) continue;
    if (options.has("t")) {
      await state.write(1, `${options.has("v") ? listed(entry) : entry.name}\n`);
      continue;
    }
    const name = entry.name.replace(/^\/+/, "").split("/").slice(strip).join("/");
    if (name === "") continue;
    if (options.has("v")) await note(`${options.values("v").length > 1 ? listed(entry) : entry.name}\n`);
    if (options.has("O")) {
      if (entry.kind === "file") await state.write(1, entry.data);
      continue;
    }
    try {
      if (options.has("k") && entry.kind !== "dir" && state.host.vfs.find(resolvePath(name, folder), false)) throw new ArchiveError(`${name}: Cannot open: File exists`);
      extract(state.host.vfs, folder, name, entry, !options.has("m"));
    } catch (error) {
      if (!(error instanceof ArchiveError)) throw error;
      await state.write(2, `tar: ${error.message}\n`);
      code = 2;
    }
  }
  for (const { operand, found } of wanted) {
    if (found) continue;
    await state.write(2, `tar: ${operand}: Not found in archive\n`);
    code = 2;
  }
  if (code !== 0) await state.write(2, "tar: Exiting with failure status due to previous errors\n");
  return code;
}

async function tar(state: ShellState, args: readonly string[]): Promise<number> {
  if (args[0] === "--version") {
    await state.write(1, "tar (GNU tar) 1.34 (of this container)\n");
    return 0;
  }
  try {
    // The old way: letters without a dash, their values after them.
    const [first = "", ...rest] = args;
    let words: string[] = [...args];
    if (first !== "" && !first.startsWith("-")) {
      const valued = [...first].filter((letter) => LETTERS.includes(`${letter}:`));
      words = [...[...first].filter((letter) => !valued.includes(letter)).map((letter) => `-${letter}`), ...valued.flatMap((letter, i) => [`-${letter}`, ...rest.slice(i, i + 1)]), ...rest.slice(valued.length)];
    }
    const options = parseOptions(words, LETTERS, LONG);
    const modes = ["c", "t", "x", "r"].filter((letter) => options.has(letter));
    if (modes.length > 1) throw new UsageError("You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option");
    if (modes.length === 0) throw new UsageError("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options");
    for (const [key, what] of [["j", "bzip2"], ["J", "xz"], ["r", "--append"], ["transform", "--transform"]] as const) if (options.has(key)) throw new ArchiveError(`${what} is not available in the container: it has -c, -t and -x, plain and with gzip`);
    const note = async (text: string): Promise<void> => state.write(options.has("O") || (options.has("c") && (options.value("f") ?? "-") === "-") ? 2 : 1, text);
    return options.has("c") ? await create(state, options, note) : await unpack(state, options, note);
  } catch (error) {
    if (error instanceof UsageError) await state.write(2, `tar: ${error.message}\nTry 'tar --help' or 'tar --usage' for more information.\n`);
    else if (error instanceof ArchiveError) await state.write(2, `${error.message.startsWith("gzip") ? "" : "tar: "}${error.message}\ntar: ${error.message.startsWith("gzip") ? "Child returned status 1\ntar: Error is not recoverable: exiting now" : "Exiting with failure status due to previous errors"}\n`);
    else if (error instanceof ExpansionError || error instanceof FsError) await state.write(2, `tar: ${error instanceof FsError ? reason(error) : error.message}\ntar: Error is not recoverable: exiting now\n`);
    else throw error;
    return 2;
  }
}

export const TAR = { tar } satisfies Readonly<Record<string, OwnCommand>>;
