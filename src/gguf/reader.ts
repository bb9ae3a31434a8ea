// Reads a GGUF header and checks it: what comes out is safe to allocate by and to read tensors by.
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (versions 2 and 3, little-endian).
// Our own and not @huggingface/gguf's: that one (0.4.6) fetches URLs only, and a string that crosses one of its 2 MB
// windows at the end of an array is cut short without an error. It is the second opinion in test/unit/gguf-reader.test.ts.
import { AppError } from "../base/errors.ts";
import { blockWeights, fileBytes, weightType } from "./blocks.ts";
import { Cursor, NeedMore } from "./cursor.ts";
import type { GgufFile, GgufTensor, Metadata, MetadataValue } from "./file.ts";
import { type ByteSource, fileOf } from "./source.ts";
import { checkAlone, mergeParts } from "./split.ts";

const MAGIC = 0x46554747; // "GGUF"
const FIRST_WINDOW = 1 << 20;
/** Qwen3-Coder-Next's header is 7 MB; ten times that is no header any more. */
const MAX_HEADER = 64 << 20;
const MAX_NAME = 256;
const MAX_ARRAY_DEPTH = 3;
const DEFAULT_ALIGNMENT = 32;

/**
 * The header of a whole, supported model: of one file, or of all parts of a joined source as if they were one. Throws
 * `model/format` (not a GGUF, cut off, damaged, parts that do not belong together) or `model/unsupported` (version, byte order,
 * a part alone, a quantisation by tensor name and type).
 */
export async function readGguf(source: ByteSource, signal?: AbortSignal): Promise<GgufFile> {
  if (!source.files || source.files.length === 1) {
    const file = await readHeader(source, signal);
    checkAlone(source.files?.[0]?.name ?? source.name, file);
    return file;
  }
  const parts = await Promise.all(
    source.files.map(async (part) => {
      const file = await readHeader(fileOf(source, part), signal);
      return { name: part.name, file: { ...file, tensors: file.tensors.map((tensor) => ({ ...tensor, offset: part.offset + tensor.offset })) } };
    }),
  );
  return mergeParts(parts);
}

async function readHeader(source: ByteSource, signal?: AbortSignal): Promise<GgufFile> {
  let window = Math.min(FIRST_WINDOW, source.size);
  for (;;) {
    const bytes = await source.read(0, window, signal);
    try {
      return parseHeader(bytes, source);
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error;
      if (error.bytes > MAX_HEADER) throw damaged(source, `its header is longer than ${MAX_HEADER} bytes`);
      window = Math.min(source.size, Math.max(error.bytes, window * 4));
    }
  }
}

function damaged(source: ByteSource, reason: string): AppError {
  return new AppError("model/format", `${source.name} is damaged: ${reason}. Get the file again.`);
}

function parseHeader(bytes: Uint8Array, source: ByteSource): GgufFile {
  const cursor = new Cursor(bytes, source.name, source.size);
  if (source.size < 24 || cursor.u32() !== MAGIC) {
    throw new AppError("model/format", `${source.name} is not a GGUF file. Choose a model file that ends in .gguf.`);
  }
  const version = cursor.u32();
  if ((version & 0xffff) === 0) throw new AppError("model/unsupported", `${source.name} is a big-endian GGUF file, which cannot be read here. Choose the little-endian one.`);
  if (version !== 2 && version !== 3) {
    throw new AppError("model/unsupported", `${source.name} is GGUF version ${version}; versions 2 and 3 can be read. Choose a newer file.`, { data: { version } });
  }
  const tensorCount = cursor.u64();
  const keyCount = cursor.u64();
  cursor.need(tensorCount, 24, `the list of ${tensorCount} tensors`);
  cursor.need(keyCount, 13, `the list of ${keyCount} keys`);
  const metadata = readMetadata(cursor, keyCount, source);
  const infos = Array.from({ length: tensorCount }, () => readTensorInfo(cursor));
  const alignment = alignmentOf(metadata, source);
  const headerBytes = Math.ceil(cursor.at / alignment) * alignment;
  const tensors = infos.map((info) => placeTensor(info, headerBytes, alignment, source));
  const names = new Set(tensors.map((tensor) => tensor.name));
  if (names.size !== tensors.length) throw damaged(source, "two tensors have the same name");
  return { metadata, tensors, headerBytes };
}

function readMetadata(cursor: Cursor, count: number, source: ByteSource): Metadata {
  const entries: [string, MetadataValue][] = [];
  for (let i = 0; i < count; i++) {
    const key = cursor.string("a key");
    entries.push([key, readValue(cursor, cursor.u32(), 0, key, source)]);
  }
  return Object.fromEntries(entries);
}

/** Bytes an element takes at least, by value type; absent: no such type. */
const VALUE_BYTES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 8: 8, 9: 12, 10: 8, 11: 8, 12: 8 };

function readValue(cursor: Cursor, type: number, depth: number, key: string, source: ByteSource): MetadataValue {
  switch (type) {
    case 0:
      return cursor.u8();
    case 1:
      return cursor.i8();
    case 2:
      return cursor.u16();
    case 3:
      return cursor.i16();
    case 4:
      return cursor.u32();
    case 5:
      return cursor.i32();
    case 6:
      return cursor.f32();
    case 7:
      return cursor.u8() !== 0;
    case 8:
      return cursor.string(`the text of ${key}`);
    case 9: {
      if (depth === MAX_ARRAY_DEPTH) throw damaged(source, `the lists in ${key} are nested too deep`);
      const element = cursor.u32();
      const count = cursor.u64();
      const size = VALUE_BYTES[element];
      if (size === undefined) throw damaged(source, `${key} is a list of values of an unknown kind (${element})`);
      cursor.need(count, size, `the list ${key}`);
      const values: MetadataValue[] = [];
      for (let i = 0; i < count; i++) values.push(readValue(cursor, element, depth + 1, key, source));
      return values;
    }
    case 10:
      return cursor.u64();
    case 11:
      return cursor.i64();
    case 12:
      return cursor.f64();
    default:
      throw damaged(source, `${key} is a value of an unknown kind (${type})`);
  }
}

interface TensorInfo {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: number;
  readonly offset: number;
}

function readTensorInfo(cursor: Cursor): TensorInfo {
  const name = cursor.string("a tensor's name");
  const axes = cursor.u32();
  cursor.need(axes, 8, `the shape of ${name.slice(0, MAX_NAME)}`);
  const shape: number[] = [];
  for (let i = 0; i < Math.min(axes, 5); i++) shape.push(cursor.u64());
  return { name, shape, type: cursor.u32(), offset: cursor.u64() };
}

function alignmentOf(metadata: Metadata, source: ByteSource): number {
  const value = metadata["general.alignment"] ?? DEFAULT_ALIGNMENT;
  if (typeof value !== "number" || value < 1 || value > 1 << 20 || (value & (value - 1)) !== 0) {
    throw damaged(source, `general.alignment is ${String(value)}, which is not a power of two`);
  }
  return value;
}

/** Checks shape, type and place of one tensor against the file. */
function placeTensor(info: TensorInfo, dataStart: number, alignment: number, source: ByteSource): GgufTensor {
  const { name, shape, type } = info;
  if (name === "" || name.length > MAX_NAME) throw damaged(source, "a tensor's name is empty or too long");
  const elements = shape.reduce((product, axis) => product * axis, 1);
  if (shape.length < 1 || shape.length > 4 || !shape.every((axis) => Number.isSafeInteger(axis) && axis > 0) || !Number.isSafeInteger(elements)) {
    throw damaged(source, `tensor ${name} has the impossible shape [${shape.join(", ")}]`);
  }
  const columns = shape[0]!;
  const weights = weightType(type, name);
  if (columns % blockWeights(weights) !== 0) {
    throw damaged(source, `tensor ${name} has rows of ${columns} weights, which ${weights} cannot store (a multiple of ${blockWeights(weights)} is needed)`);
  }
  const bytes = fileBytes(weights, elements / columns, columns);
  const offset = dataStart + info.offset;
  if (info.offset % alignment !== 0) throw damaged(source, `tensor ${name} starts at ${info.offset}, which is not a multiple of ${alignment}`);
  if (offset + bytes > source.size) {
    throw new AppError("model/format", `${source.name} is cut off: tensor ${name} ends at byte ${offset + bytes}, but the file ends at byte ${source.size}. Get the file again.`, {
      data: { fileBytes: source.size, neededBytes: offset + bytes },
    });
  }
  return { name, shape, type, offset, bytes };
}
