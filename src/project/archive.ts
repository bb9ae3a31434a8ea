// Projects out of zip files and into them. Nothing in an archive is believed: names are checked before anything is
// unpacked, sizes while it is, checksums after. Dependencies (node_modules) and .git are left out.
import { joined } from "../base/bytes.ts";
import { Inflate, Zip, ZipDeflate } from "fflate";
import { Breath } from "../base/breath.ts";
import { Intake, INTAKE_LIMITS, type IntakeLimits } from "./intake.ts";
import { isIgnoredPath } from "./paths.ts";
import type { FileTree } from "./tree.ts";
import { readZipDirectory, type ZipEntry, zipError } from "./zip-directory.ts";

/** Entries may be many more than files that are kept: archives with node_modules in them are common. */
const ENTRIES_PER_FILE = 3;
/** Compressed bytes unpacked between two looks at the size: at most a thousand times as many come out. */
const STEP_BYTES = 4_096;
/** Bytes packed, or summed up, between two pauses: some milliseconds of work. */
const PIECE_BYTES = 65_536;

/** The files of a zip; one folder that holds everything (as in GitHub's archives) is taken off. Throws `project/archive`. */
export async function readZip(bytes: Uint8Array, limits: IntakeLimits = INTAKE_LIMITS, signal?: AbortSignal): Promise<FileTree> {
  const breath = new Breath("Opening the zip file", signal);
  const wanted: ZipEntry[] = [];
  for (const entry of await readZipDirectory(bytes, Math.min(limits.files * ENTRIES_PER_FILE, 0xfffe), breath)) {
    if (!entry.isFolder && !isIgnoredPath(entry.name.replaceAll("\\", "/")) && !isClutter(entry.name)) wanted.push(entry);
    await breath.pause();
  }
  const root = commonFolder(wanted.map((entry) => entry.name));
  const intake = new Intake("zip file", limits);
  const claimed: { readonly entry: ZipEntry; readonly path: string }[] = [];
  for (const entry of wanted) {
    claimed.push({ entry, path: intake.claim(entry.name.slice(root.length)) });
    await breath.pause();
  }
  if (claimed.length === 0) throw zipError("The zip file holds no files. Choose one of a project's folder.");
  for (const { entry, path } of claimed) {
    if (entry.isLink) throw zipError(`The zip file holds a symbolic link, "${path}". Replace it by a copy of the file.`);
    if (entry.isEncrypted) throw zipError(`"${path}" in the zip file is encrypted. Make a zip without a password.`);
    intake.add(path, await unpack(entry, path, intake, breath));
  }
  return intake.finish();
}

/** A zip of the project. The same files give the same bytes: there are no times in it. */
export async function writeZip(files: FileTree, signal?: AbortSignal): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  const zip = new Zip((error, piece) => {
    if (error) throw error;
    pieces.push(piece);
  });
  const breath = new Breath("Making the zip file", signal);
  for (const [path, bytes] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const entry = new ZipDeflate(path, { level: 6 });
    entry.mtime = "1980-01-01T12:00:00";
    zip.add(entry);
    for (let at = 0; at < bytes.byteLength || at === 0; at += PIECE_BYTES) {
      entry.push(bytes.slice(at, at + PIECE_BYTES), at + PIECE_BYTES >= bytes.byteLength);
      await breath.pause();
    }
  }
  zip.end();
  return joined(pieces);
}

async function unpack(entry: ZipEntry, path: string, intake: Intake, breath: Breath): Promise<Uint8Array> {
  if (entry.size > intake.room) throw intake.tooLarge(path);
  if (entry.method !== 0 && entry.method !== 8) throw zipError(`"${path}" in the zip file is packed by method ${entry.method}. Make the zip with usual settings (deflate).`);
  const bytes = entry.method === 0 ? entry.packed.slice() : await inflate(entry, path, breath);
  if (bytes.byteLength !== entry.size) throw lying(path);
  if ((await checksum(bytes, breath)) !== entry.crc) throw zipError(`"${path}" in the zip file is damaged: its checksum is wrong. Make the zip again.`);
  return bytes;
}

function lying(path: string): Error {
  return zipError(`"${path}" in the zip file is not of the size the archive says. Do not trust this file; make a new zip.`);
}

/** Into exactly as many bytes as declared; more is refused as soon as it comes. */
async function inflate(entry: ZipEntry, path: string, breath: Breath): Promise<Uint8Array> {
  const bytes = new Uint8Array(entry.size);
  let filled = 0;
  const inflater = new Inflate((chunk) => {
    if (filled + chunk.byteLength > bytes.byteLength) throw lying(path);
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  });
  for (let at = 0; at < entry.packed.byteLength || at === 0; at += STEP_BYTES) {
    push(inflater, entry.packed.subarray(at, at + STEP_BYTES), at + STEP_BYTES >= entry.packed.byteLength, path);
    await breath.pause();
  }
  return bytes.subarray(0, filled);
}

function push(inflater: Inflate, piece: Uint8Array, last: boolean, path: string): void {
  try {
    inflater.push(piece, last);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && typeof cause.code === "number") {
      throw zipError(`"${path}" in the zip file is damaged and cannot be unpacked. Make the zip again.`);
    }
    throw cause;
  }
}

/** What file managers leave in archives. */
function isClutter(name: string): boolean {
  return /(?:^|[/\\])(?:__MACOSX[/\\]|\.DS_Store$|Thumbs\.db$)/.test(name);
}

/** "demo-main/" if every file lies below it and it is not itself a folder that projects have. */
function commonFolder(names: readonly string[]): string {
  const first = /^[^/\\]+\//.exec(names[0] ?? "")?.[0] ?? "";
  if (/^(?:\.{0,2}|src|lib|app|test|tests|packages)\/$/.test(first)) return "";
  return first !== "" && names.every((name) => name.startsWith(first)) ? first : "";
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c;
});

/** CRC-32 as zip uses it (ISO 3309, polynomial 0xedb88320); `before` is that of the bytes before these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let c = before ^ 0xffffffff;
  const length = bytes.byteLength;
  for (let i = 0; i < length; i++) c = CRC_TABLE[(c ^ bytes[i]!) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

async function checksum(bytes: Uint8Array, breath: Breath): Promise<number> {
  let crc = 0;
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    crc = crc32(bytes.subarray(at, at + PIECE_BYTES), crc);
    await breath.pause();
  }
  return crc;
}
