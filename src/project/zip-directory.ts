// The table of contents of a zip file, read before anything is unpacked: names, declared sizes, checksums and kinds.
// Source: PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. No zip64, no encryption, no multi-part archives.
import type { Breath } from "../base/breath.ts";
import { AppError } from "../base/errors.ts";

export interface ZipEntry {
  /** As stored, not yet checked. */
  readonly name: string;
  readonly isFolder: boolean;
  readonly isLink: boolean;
  readonly isEncrypted: boolean;
  /** 0 stored, 8 deflate. */
  readonly method: number;
  readonly crc: number;
  /** What the archive says; not yet true. */
  readonly size: number;
  readonly packed: Uint8Array;
}

const END = 0x06054b50;
const ENTRY = 0x02014b50;
const LOCAL = 0x04034b50;
/** Fixed part of the end record, and the longest comment after it. */
const END_BYTES = 22;
const COMMENT_BYTES = 0xffff;

export function zipError(message: string): AppError {
  return new AppError("project/archive", message);
}

const DAMAGED = "The zip file is damaged or incomplete. Make it again and choose the new one.";

/** The entries in the order of the directory. `maxEntries` is checked before any is read. */
export async function readZipDirectory(bytes: Uint8Array, maxEntries: number, breath: Breath): Promise<ZipEntry[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(view);
  if (end < 0) throw zipError("This is not a zip file. Choose a .zip of a project's folder.");
  const count = view.getUint16(end + 10, true);
  const start = view.getUint32(end + 16, true);
  if (count === 0xffff || start === 0xffffffff) throw zipError("This zip file uses zip64, for very large archives. Leave out what is not source code and zip the project again.");
  if (count > maxEntries) throw zipError(`The zip file holds ${count} entries, more than ${maxEntries}. Leave out node_modules and build output, then zip it again.`);
  const entries: ZipEntry[] = [];
  let at = start;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.byteLength || view.getUint32(at, true) !== ENTRY) throw zipError(DAMAGED);
    const nameLength = view.getUint16(at + 28, true);
    const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (next > bytes.byteLength) throw zipError(DAMAGED);
    const flags = view.getUint16(at + 8, true);
    const name = nameOf(bytes.subarray(at + 46, at + 46 + nameLength), flags);
    const unixMode = view.getUint8(at + 5) === 3 ? view.getUint32(at + 38, true) >>> 16 : 0;
    entries.push({
      name,
      isFolder: /[/\\]$/.test(name),
      isLink: (unixMode & 0xf000) === 0xa000,
      isEncrypted: (flags & 1) !== 0,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      size: view.getUint32(at + 24, true),
      packed: packedBytes(bytes, view, view.getUint32(at + 42, true), view.getUint32(at + 20, true)),
    });
    at = next;
    await breath.pause();
  }
  // The count has 16 bits; some tools let it wrap around.
  if (at + 4 <= bytes.byteLength && view.getUint32(at, true) === ENTRY) throw zipError(`The zip file holds more entries than the ${count} it says. Leave out node_modules and build output, then zip it again.`);
  return entries;
}

function findEnd(view: DataView): number {
  for (let at = view.byteLength - END_BYTES; at >= 0 && at >= view.byteLength - END_BYTES - COMMENT_BYTES; at--) {
    if (view.getUint32(at, true) === END && at + END_BYTES + view.getUint16(at + 20, true) === view.byteLength) return at;
  }
  return -1;
}

function packedBytes(bytes: Uint8Array, view: DataView, local: number, length: number): Uint8Array {
  if (local + 30 > bytes.byteLength || view.getUint32(local, true) !== LOCAL) throw zipError(DAMAGED);
  const from = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (from + length > bytes.byteLength) throw zipError(DAMAGED);
  return bytes.subarray(from, from + length);
}

/** The upper half of code page 437, which zip means where it does not say UTF-8 (APPNOTE, appendix D). */
const CP437 =
  "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00a0";
const UTF8_FLAG = 0x800;
const utf8 = new TextDecoder("utf-8", { fatal: true });

/** UTF-8 where it reads as such, whatever the flag says: many tools forget the flag. */
function nameOf(bytes: Uint8Array, flags: number): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
  const name = Array.from(bytes, (byte) => (byte < 0x80 ? String.fromCharCode(byte) : CP437[byte - 0x80]!)).join("");
  if (flags & UTF8_FLAG) throw zipError(`The zip file holds a name that is not the UTF-8 it says it is, about "${name}". Rename the file and zip it again.`);
  return name;
}
