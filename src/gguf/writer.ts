// Writes GGUF version 3 files: random models for benches and tests. Source: ggml docs/gguf.md. No checks: the caller is trusted.

export type WritableValue =
  | { readonly type: "u16" | "u32" | "i32" | "f32"; readonly value: number }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "i32s"; readonly value: readonly number[] }
  | { readonly type: "bools"; readonly value: readonly boolean[] };

export interface WritableTensor {
  readonly name: string;
  /** Fastest axis first. */
  readonly shape: readonly number[];
  /** ggml type id. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** ggml's default; the file need not name it. */
export const ALIGNMENT = 32;
const TYPE_IDS = { u16: 2, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;

class Bytes {
  #buffer = new Uint8Array(1 << 16);
  #view = new DataView(this.#buffer.buffer);
  length = 0;

  #reserve(count: number): number {
    const at = this.length;
    this.length += count;
    if (this.length > this.#buffer.length) {
      const grown = new Uint8Array(Math.max(this.length, this.#buffer.length * 2));
      grown.set(this.#buffer.subarray(0, at));
      this.#buffer = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
  u8(value: number): void {
    const at = this.#reserve(1);
    this.#view.setUint8(at, value);
  }
  u16(value: number): void {
    const at = this.#reserve(2);
    this.#view.setUint16(at, value, true);
  }
  u32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setUint32(at, value, true);
  }
  i32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setInt32(at, value, true);
  }
  f32(value: number): void {
    const at = this.#reserve(4);
    this.#view.setFloat32(at, value, true);
  }
  u64(value: number): void {
    const at = this.#reserve(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }
  raw(bytes: Uint8Array): void {
    const at = this.#reserve(bytes.length);
    this.#buffer.set(bytes, at);
  }
  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }
  pad(): void {
    this.#reserve((ALIGNMENT - (this.length % ALIGNMENT)) % ALIGNMENT);
  }
  done(): Uint8Array<ArrayBuffer> {
    return this.#buffer.slice(0, this.length);
  }
}

function writeValue(out: Bytes, item: WritableValue): void {
  switch (item.type) {
    case "strings":
      out.u32(TYPE_IDS.array);
      out.u32(TYPE_IDS.string);
      out.u64(item.value.length);
      for (const text of item.value) out.string(text);
      return;
    case "i32s":
      out.u32(TYPE_IDS.array);
      out.u32(TYPE_IDS.i32);
      out.u64(item.value.length);
      for (const value of item.value) out.i32(value);
      return;
    case "bools":
      out.u32(TYPE_IDS.array);
      out.u32(TYPE_IDS.bool);
      out.u64(item.value.length);
      for (const value of item.value) out.u8(value ? 1 : 0);
      return;
    case "string":
      out.u32(TYPE_IDS.string);
      out.string(item.value);
      return;
    case "bool":
      out.u32(TYPE_IDS.bool);
      out.u8(item.value ? 1 : 0);
      return;
    default:
      out.u32(TYPE_IDS[item.type]);
      out[item.type](item.value);
  }
}

/** A tensor as the header names it. */
export type TensorHeading = Omit<WritableTensor, "data"> & { readonly bytes: number };

/** Everything before the tensors' bytes. They follow in the given order, each filled up to a multiple of `ALIGNMENT`. */
export function ggufHeader(metadata: Readonly<Record<string, WritableValue>>, tensors: readonly TensorHeading[]): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.raw(new TextEncoder().encode("GGUF"));
  out.u32(3);
  out.u64(tensors.length);
  out.u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    out.string(key);
    writeValue(out, value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    out.string(tensor.name);
    out.u32(tensor.shape.length);
    for (const axis of tensor.shape) out.u64(axis);
    out.u32(tensor.type);
    out.u64(offset);
    offset += Math.ceil(tensor.bytes / ALIGNMENT) * ALIGNMENT;
  }
  out.pad();
  return out.done();
}

/** A whole file in memory. */
export function writeGguf(metadata: Readonly<Record<string, WritableValue>>, tensors: readonly WritableTensor[]): Uint8Array<ArrayBuffer> {
  const out = new Bytes();
  out.raw(ggufHeader(metadata, tensors.map(({ name, shape, type, data }) => ({ name, shape, type, bytes: data.length }))));
  for (const tensor of tensors) {
    out.raw(tensor.data);
    out.pad();
  }
  return out.done();
}
