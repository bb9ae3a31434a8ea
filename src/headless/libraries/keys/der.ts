// DER, the encoding of keys and signatures: what they need of it (X.690), written and read.
import { joined } from "../../../base/bytes.ts";

export const TAG = { integer: 0x02, bits: 0x03, octets: 0x04, null: 0x05, oid: 0x06, sequence: 0x30 } as const;

/** One value as read. Integers, bits and octets have their content in `bytes`, sequences what is in them in `items`. */
export interface DerValue {
  readonly tag: number;
  readonly bytes: Uint8Array;
  readonly items: readonly DerValue[];
  /** The whole value, tag and length included. */
  readonly whole: Uint8Array;
}

const CONSTRUCTED = 0x20;

/** Big-endian; `length` bytes, or as few as it needs. */
export function toBigEndian(value: bigint, length?: number): Uint8Array {
  const hex = value.toString(16);
  const digits = hex.padStart(length === undefined ? hex.length + (hex.length % 2) : length * 2, "0");
  return Uint8Array.from({ length: digits.length / 2 }, (_, k) => Number.parseInt(digits.slice(2 * k, 2 * k + 2), 16));
}

export function fromBigEndian(bytes: Uint8Array): bigint {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex === "" ? 0n : BigInt(`0x${hex}`);
}

export function wrap(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  const body = joined(content);
  if (body.length < 0x80) return joined([Uint8Array.of(tag, body.length), body]);
  const length = toBigEndian(BigInt(body.length));
  return joined([Uint8Array.of(tag, 0x80 | length.length), length, body]);
}

export const sequence = (...items: readonly Uint8Array[]): Uint8Array => wrap(TAG.sequence, ...items);
export const octets = (bytes: Uint8Array): Uint8Array => wrap(TAG.octets, bytes);
export const bits = (bytes: Uint8Array): Uint8Array => wrap(TAG.bits, Uint8Array.of(0), bytes);
export const nothing = (): Uint8Array => wrap(TAG.null);
/** `[n]` around it. */
export const context = (n: number, ...content: readonly Uint8Array[]): Uint8Array => wrap(0xa0 | n, ...content);

/** A number that is not negative. */
export function integer(value: bigint | number): Uint8Array {
  const bytes = toBigEndian(BigInt(value));
  return wrap(TAG.integer, ...((bytes[0] as number) >= 0x80 ? [Uint8Array.of(0)] : []), bytes);
}

export function oid(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [40 * first + second, ...rest].flatMap((arc) => {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    return groups;
  });
  return wrap(TAG.oid, Uint8Array.from(bytes));
}

export function oidText({ bytes }: DerValue): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of bytes) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    if (arcs.length === 0) arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join(".");
}

export const integerOf = (value: DerValue | undefined): bigint => fromBigEndian(need(value, TAG.integer).bytes);
/** Without the count of unused bits. */
export const bitsOf = (value: DerValue | undefined): Uint8Array => need(value, TAG.bits).bytes.subarray(1);
export const octetsOf = (value: DerValue | undefined): Uint8Array => need(value, TAG.octets).bytes;

/** It throws a plain Error when the value is absent or another: who reads says what was being read. */
export function need(value: DerValue | undefined, tag: number): DerValue {
  if (value?.tag !== tag) throw new Error(`DER: tag ${tag} expected, ${value?.tag ?? "nothing"} found`);
  return value;
}

/** The one value that the bytes hold; more bytes than that are an error. */
export function readDer(bytes: Uint8Array): DerValue {
  const values = readAll(bytes);
  if (values.length !== 1) throw new Error("DER: one value expected");
  return values[0] as DerValue;
}

function readAll(bytes: Uint8Array): DerValue[] {
  const values: DerValue[] = [];
  for (let at = 0; at < bytes.length; ) {
    const start = at;
    const tag = bytes[at] as number;
    let length = bytes[at + 1] ?? Number.NaN;
    at += 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      length = count === 0 || count > 4 ? Number.NaN : Number(fromBigEndian(bytes.subarray(at, at + count)));
      at += count;
    }
    if (!(at + length <= bytes.length)) throw new Error("DER: a value is longer than its bytes");
    const content = bytes.subarray(at, at + length);
    values.push({ tag, bytes: content, items: (tag & CONSTRUCTED) === 0 ? [] : readAll(content), whole: bytes.subarray(start, at + length) });
    at += length;
  }
  return values;
}
