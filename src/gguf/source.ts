// Random access to the bytes of a model file, wherever it lies: memory, a File the user picked, or a server
// (src/download/remote-source.ts).
// A source never caches and never reads more than it is asked for.
import { AppError, abortedError } from "../base/errors.ts";
import { inPartOrder } from "./split.ts";

export interface ByteSource {
  /** For messages: the file's name. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`. Throws `model/format` when the range leaves the file, `aborted`, or `download/failed`. */
  read(offset: number, length: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
  /** Of a model in parts: what it is joined from, in order. Absent: one file. */
  readonly files?: readonly SourceFile[];
}

/** One file of a joined source. */
export interface SourceFile {
  readonly name: string;
  readonly size: number;
  /** Of its first byte in the joined source. */
  readonly offset: number;
}

function checkRange(source: { readonly name: string; readonly size: number }, offset: number, length: number): void {
  if (offset < 0 || length < 0 || offset + length > source.size) {
    throw new AppError("model/format", `${source.name} ends too early: it has ${source.size} bytes, and bytes up to ${offset + length} are needed. Get the file again.`, {
      data: { size: source.size, needed: offset + length },
    });
  }
}

/** Bytes in memory. Reads are copies. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.byteLength,
    async read(offset, length, signal) {
      checkRange({ name, size: bytes.byteLength }, offset, length);
      if (signal?.aborted) throw abortedError(`Reading ${name}`);
      return Uint8Array.from(bytes.subarray(offset, offset + length));
    },
  };
}

/**
 * Twice, if need be: Chromium 143 failed one of some 2,000 reads of a file of 531 MB on a machine under load, ten under way at
 * once, and gave the same range later (2026-11-26). A file that was changed fails both times.
 */
async function readSlice(blob: Blob, offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const read = async (): Promise<Uint8Array<ArrayBuffer>> => new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
  return read().catch(read);
}

/** A File or Blob; nothing but the asked range is brought into memory. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, length, signal) {
      checkRange({ name, size: blob.size }, offset, length);
      if (signal?.aborted) throw abortedError(`Reading ${name}`);
      try {
        return await readSlice(blob, offset, length);
      } catch (cause) {
        throw new AppError("model/format", `${name} can no longer be read: it was moved or changed after it was chosen. Choose it again.`, { cause });
      }
    },
  };
}

/**
 * The parts of a split model as one source, each part behind the one before it; its name is the parts' without the number.
 * They may come in any order when they are named as published. Throws `model/format`, naming the part, when one is missing,
 * there twice or of another model; whether the headers agree too is for `readGguf` to say.
 */
export function joinedSource(given: readonly ByteSource[]): ByteSource & { readonly files: readonly SourceFile[] } {
  const parts = inPartOrder(given);
  let size = 0;
  const files = parts.map((part) => {
    size += part.size;
    return { name: part.name, size: part.size, offset: size - part.size };
  });
  const name = parts[0]?.name.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, "") ?? "no files";
  return {
    name,
    size,
    files,
    async read(offset, length, signal) {
      checkRange({ name, size }, offset, length);
      const pieces = files.flatMap((file, i) => {
        const from = Math.max(offset, file.offset);
        const to = Math.min(offset + length, file.offset + file.size);
        return from < to ? [{ part: parts[i]!, from: from - file.offset, to: to - file.offset, at: from - offset }] : [];
      });
      if (pieces.length === 1) return pieces[0]!.part.read(pieces[0]!.from, length, signal);
      const out = new Uint8Array(length);
      await Promise.all(pieces.map(async ({ part, from, to, at }) => out.set(await part.read(from, to - from, signal), at)));
      return out;
    },
  };
}

/** One file of a joined source as a source of its own. */
export function fileOf(source: ByteSource, { name, size, offset }: SourceFile): ByteSource {
  return {
    name,
    size,
    async read(from, length, signal) {
      checkRange({ name, size }, from, length);
      return source.read(offset + from, length, signal);
    },
  };
}
