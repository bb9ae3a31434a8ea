// Tasks as JSON lines: one object a line, all of them of one shape, so that files are concatenated, split and streamed
// with the usual tools. Task folders (task.ts) hold the same and convert both ways.
//
//   {"version":1, "hash":"…", "id", "instruction", "instructions":{vague,plain,exact}, "test", "set"?, "family"?,
//    "origin":{source,seed,…}?, "base":"…"?, "files":{path: text | {"base64"}}, "hidden":{…}, "solution":{…}, "packages":{…}?,
//    "dropped":{…}?}
//
// Tasks of one project share most of their files. A line {"version":1,"base":"HASH","files":{…},"packages":{…}?} comes
// before the first that needs it; a task with "base" has only the files in which it differs, and the base's packages.
import { AppError } from "../base/errors.ts";
import { sha256Hex } from "../base/digest.ts";
import { decodeText, encodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import { parseManifest, type Task } from "./task.ts";

export const TASK_LINE_VERSION = 1;

/** Why candidates before a task were not kept; counts that are 0 are left out. */
export type DropReason = "survived" | "hung" | "duplicate" | "reference" | "start" | "unfit";
export type Dropped = Partial<Readonly<Record<DropReason, number>>>;

export type PackedText = string | { readonly base64: string };
export type PackedTree = Readonly<Record<string, PackedText>>;

export interface BaseLine {
  readonly version: number;
  readonly base: string;
  readonly files: PackedTree;
  readonly packages?: PackedTree;
}

/** What reading a line gives. */
export interface NumberedTask {
  readonly task: Task;
  readonly hash: string;
  readonly dropped: Dropped;
}

/** What makes two tasks the same: the changed files before and after, wherever they stand. 32 hex digits. */
export async function taskHash(task: Task): Promise<string> {
  const changes = [...task.solution].map(([path, bytes]) => [decodeText(task.files.get(path) ?? new Uint8Array()) ?? path, decodeText(bytes) ?? ""]);
  return (await sha256Hex(encodeText(JSON.stringify(changes.sort())))).slice(0, 32);
}

export function packTree(tree: FileTree): PackedTree {
  return Object.fromEntries([...tree].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, bytes]) => [path, packText(bytes)]));
}

/** Text as text where it is what its bytes say, else base64. */
function packText(bytes: Uint8Array): PackedText {
  const text = decodeText(bytes);
  if (text !== undefined && sameBytes(encodeText(text), bytes)) return text;
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return { base64: btoa(binary) };
}

export function unpackTree(tree: PackedTree): FileTree {
  return new Map(
    Object.entries(tree).map(([path, packed]) => [path, typeof packed === "string" ? encodeText(packed) : Uint8Array.from(atob(packed.base64), (one) => one.charCodeAt(0))]),
  );
}

/** Its name is its content: 16 hex digits. */
export async function baseLine(files: FileTree, packages?: FileTree): Promise<BaseLine> {
  const packed = { files: packTree(files), ...(packages ? { packages: packTree(packages) } : {}) };
  return { version: TASK_LINE_VERSION, base: (await sha256Hex(encodeText(JSON.stringify(packed)))).slice(0, 16), ...packed };
}

/** One line, with its line end. With a base only the files that differ from it are written; all of the base must be in the task, and its packages be the task's. */
export async function writeTaskLine(task: Task, extra: { readonly base?: BaseLine; readonly dropped?: Dropped } = {}): Promise<string> {
  const { files, hidden, solution, packages, ...manifest } = task;
  const packed = packTree(files);
  const { base } = extra;
  const own = base ? Object.fromEntries(Object.entries(packed).filter(([path, text]) => JSON.stringify(base.files[path]) !== JSON.stringify(text))) : packed;
  const dropped = Object.fromEntries(Object.entries(extra.dropped ?? {}).filter(([, count]) => count > 0));
  return `${JSON.stringify({
    version: TASK_LINE_VERSION,
    hash: await taskHash(task),
    ...manifest,
    ...(base ? { base: base.base } : {}),
    files: own,
    hidden: packTree(hidden),
    solution: packTree(solution),
    ...(packages && !base?.packages ? { packages: packTree(packages) } : {}),
    ...(Object.keys(dropped).length > 0 ? { dropped } : {}),
  })}\n`;
}

/** Reads lines in their order: bases are remembered. Throws `task/format` naming the line. */
export class TaskLineReader {
  /** By name, all that were read so far. */
  readonly bases = new Map<string, Pick<BaseLine, "files" | "packages">>();
  /** The base that was read last; "" before the first. */
  lastBase = "";
  #line = 0;

  /** The task of a line; undefined for a base or an empty line. `name` is what the file is called in errors. */
  read(line: string, name: string): NumberedTask | undefined {
    this.#line++;
    if (line.trim() === "") return undefined;
    const where = `${name}, line ${this.#line}`;
    const refuse = (reason: string, cause?: unknown): AppError => new AppError("task/format", `${where}: ${reason}`, cause === undefined ? {} : { cause });
    let value: Readonly<Record<string, unknown>>;
    try {
      value = JSON.parse(line) as Readonly<Record<string, unknown>>;
    } catch (cause) {
      throw refuse("This is no JSON. A run that was stopped leaves half a line at the end: give the file to the same command again, or remove that line.", cause);
    }
    if (value["version"] !== TASK_LINE_VERSION) throw refuse(`The version is ${String(value["version"])}; this program reads version ${TASK_LINE_VERSION}.`);
    const base = value["base"];
    if (value["id"] === undefined && typeof base === "string") {
      this.bases.set(base, { files: readPacked(value["files"], "files", refuse), ...(value["packages"] === undefined ? {} : { packages: readPacked(value["packages"], "packages", refuse) }) });
      this.lastBase = base;
      return undefined;
    }
    if (base !== undefined && !this.bases.has(String(base))) throw refuse(`Its base ${String(base)} is not in the lines before it. Keep the lines of a file together and in order.`);
    const shared = this.bases.get(String(base));
    const files = { ...shared?.files, ...readPacked(value["files"], "files", refuse) };
    const packages = value["packages"] === undefined ? shared?.packages : readPacked(value["packages"], "packages", refuse);
    const task: Task = {
      ...parseManifest(line, where),
      files: unpackTree(Object.fromEntries(Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1)))),
      hidden: unpackTree(readPacked(value["hidden"], "hidden", refuse)),
      solution: unpackTree(readPacked(value["solution"], "solution", refuse)),
      ...(packages ? { packages: unpackTree(packages) } : {}),
    };
    return { task, hash: String(value["hash"]), dropped: (value["dropped"] ?? {}) as Dropped };
  }
}

function readPacked(value: unknown, field: string, refuse: (reason: string) => AppError): PackedTree {
  const isTree = typeof value === "object" && value !== null && !Array.isArray(value);
  const isText = (one: unknown): boolean => typeof one === "string" || (typeof one === "object" && one !== null && "base64" in one && typeof one.base64 === "string");
  if (!isTree || !Object.values(value).every(isText)) throw refuse(`"${field}" must hold texts by path.`);
  return value as PackedTree;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
