// Tape archives: ustar, with the longer names of GNU's and of POSIX's (pax).
import { joined } from "../../../base/bytes.ts";

const BLOCK = 512;

export interface Entry {
  readonly name: string;
  readonly kind: "file" | "dir" | "link" | "hardlink";
  /** Where a link leads. */
  readonly target: string;
  /** Permission bits. */
  readonly mode: number;
  readonly mtimeMs: number;
  readonly data: Uint8Array;
}

export class ArchiveError extends Error {}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const TYPES = { file: "0", hardlink: "1", link: "2", dir: "5" } as const;

function header(name: Uint8Array, size: number, type: string, entry: Entry): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(ENCODER.encode(text), at);
  block.set(name.subarray(0, 100));
  put(100, `${entry.mode.toString(8).padStart(7, "0")}\0`);
  put(108, "0001750\x000001750\0");
  put(124, `${size.toString(8).padStart(11, "0")}\0${Math.floor(entry.mtimeMs / 1000).toString(8).padStart(11, "0")}\0`);
  put(148, "        ");
  put(156, type);
  block.set(ENCODER.encode(entry.target).subarray(0, 100), 157);
  put(257, "ustar  \0");
  put(265, "user");
  put(297, "user");
  put(148, `${block.reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, "0")}\0 `);
  return block;
}

const padding = (length: number): Uint8Array => new Uint8Array((BLOCK - (length % BLOCK)) % BLOCK);

function longName(name: Uint8Array, type: string, entry: Entry): Uint8Array[] {
  if (name.length <= 100) return [];
  const text = joined([name, new Uint8Array(1)]);
  return [header(ENCODER.encode("././@LongLink"), text.length, type, { ...entry, mode: 0o644, mtimeMs: 0, target: "" }), text, padding(text.length)];
}

export function packTar(entries: Iterable<Entry>): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const entry of entries) {
    const name = ENCODER.encode(entry.name);
    parts.push(...longName(ENCODER.encode(entry.target), "K", entry), ...longName(name, "L", entry));
    parts.push(header(name, entry.data.length, TYPES[entry.kind], entry), entry.data, padding(entry.data.length));
  }
  parts.push(new Uint8Array(2 * BLOCK));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  parts.push(new Uint8Array((10_240 - (length % 10_240)) % 10_240));
  return joined(parts);
}

/** Throws ArchiveError where there is none. */
export function* readTar(bytes: Uint8Array): Generator<Entry> {
  const text = (from: number, to: number): string => DECODER.decode(bytes.subarray(from, to)).split("\0", 1)[0] ?? "";
  const octal = (from: number, to: number): number => ((bytes[from] ?? 0) & 0x80 ? bytes.subarray(from + 1, to).reduce((sum, byte) => sum * 256 + byte, 0) : Number.parseInt(text(from, to).trim() || "0", 8));
  let longer: { path?: string; linkpath?: string } = {};
  if (bytes.length < BLOCK) throw new ArchiveError("This does not look like a tar archive");
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return;
    const sum = block.reduce((total, byte, i) => total + (i >= 148 && i < 156 ? 32 : byte), 0);
    if (sum !== octal(at + 148, at + 156)) throw new ArchiveError("This does not look like a tar archive");
    const size = octal(at + 124, at + 136);
    const type = String.fromCharCode(block[156] ?? 0);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    if (data.length < size) throw new ArchiveError("Unexpected EOF in archive");
    const prefix = DECODER.decode(block.subarray(257, 263)) === "ustar\0" ? text(at + 345, at + 500) : "";
    const name = longer.path ?? (prefix === "" ? text(at, at + 100) : `${prefix}/${text(at, at + 100)}`);
    const target = longer.linkpath ?? text(at + 157, at + 257);
    const common = { name, target, mode: octal(at + 100, at + 108) & 0o7777, mtimeMs: octal(at + 136, at + 148) * 1000 };
    at += BLOCK + size + ((BLOCK - (size % BLOCK)) % BLOCK);
    if (type === "L") longer = { ...longer, path: DECODER.decode(data).replace(/\0+$/, "") };
    else if (type === "K") longer = { ...longer, linkpath: DECODER.decode(data).replace(/\0+$/, "") };
    else if (type === "x") longer = { ...longer, ...paxRecords(DECODER.decode(data)) };
    else if (type !== "g") {
      longer = {};
      if (type === "5" || (type !== "1" && type !== "2" && name.endsWith("/"))) yield { ...common, kind: "dir", data: new Uint8Array() };
      else if (type === "1" || type === "2") yield { ...common, kind: type === "1" ? "hardlink" : "link", data: new Uint8Array() };
      else if (type === "0" || type === "\0" || type === "7") yield { ...common, kind: "file", data };
    }
  }
}

function paxRecords(text: string): { path?: string; linkpath?: string } {
  const found = Object.fromEntries([...text.matchAll(/^\d+ (path|linkpath)=(.*)$/gm)].map(([, key = "", value = ""]) => [key, value]));
  return found as { path?: string; linkpath?: string };
}
