// An answer in shared memory: a value of JSON in which bytes stand as [offset, length], and after it those bytes.
import { joined } from "../base/bytes.ts";

/** The key of what stands for bytes: no answer has such a field. */
const BYTES = "\0bytes";
const HEAD_BYTES = 4;

// Kept before a program can replace the globals.
const { parse, stringify } = JSON;
const View = DataView;
const decoder = new TextDecoder();
const decode = decoder.decode.bind(decoder);

export function packAnswer(answer: object): Uint8Array {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  const text = new TextEncoder().encode(stringify(answer, (_key, value: unknown) => {
    if (!(value instanceof Uint8Array)) return value;
    pieces.push(value);
    offset += value.length;
    return { [BYTES]: [offset - value.length, value.length] };
  }));
  const head = new Uint8Array(HEAD_BYTES);
  new View(head.buffer).setUint32(0, text.length);
  return joined([head, text, ...pieces]);
}

export function unpackAnswer(packed: Uint8Array): unknown {
  const bytesAt = HEAD_BYTES + new View(packed.buffer, packed.byteOffset).getUint32(0);
  return parse(decode(packed.subarray(HEAD_BYTES, bytesAt)), (_key, value: unknown) => {
    const place = typeof value === "object" && value !== null ? (value as { [BYTES]?: readonly [number, number] })[BYTES] : undefined;
    return place ? packed.slice(bytesAt + place[0], bytesAt + place[0] + place[1]) : value;
  });
}
