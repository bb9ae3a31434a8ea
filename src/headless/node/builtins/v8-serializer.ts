// V8's serialisation as `v8.serialize` writes it and `v8.deserialize` reads it: what tools keep in their caches and send to
// their workers.
import { Buffer } from "./buffer.ts";
import { TAG, VERSION } from "./v8-format.ts";
import { Reader } from "./v8-reader.ts";
import { Writer } from "./v8-writer.ts";

export function serialize(value: unknown): Uint8Array {
  const writer = new Writer();
  writer.byte(TAG.version);
  writer.byte(VERSION);
  writer.write(value);
  return Buffer.from(writer.result()) as Uint8Array;
}

export function deserialize(bytes: unknown): unknown {
  if (!ArrayBuffer.isView(bytes)) throw new TypeError("buffer must be a TypedArray or a DataView");
  const reader = new Reader(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  reader.header();
  return reader.read();
}
