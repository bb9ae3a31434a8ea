// Bytes behind bytes, many times: a log of a hundred thousand lines is not copied for each.

/** Ends of what is written in buffers that have room for more. */
const ends = new WeakMap<ArrayBufferLike, number>();
const LEAST_ROOM = 4096;

/**
 * Both, one after the other. Long ones get room to grow: what was there stays as it is, and what is added goes behind it,
 * where nobody has looked.
 */
export function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const end = a.byteOffset + a.length;
  const length = a.length + b.length;
  if (ends.get(a.buffer) === end && end + b.length <= a.buffer.byteLength) {
    new Uint8Array(a.buffer, end).set(b);
    ends.set(a.buffer, end + b.length);
    return new Uint8Array(a.buffer, a.byteOffset, length);
  }
  const buffer = new ArrayBuffer(length < LEAST_ROOM ? length : Math.ceil(length * 1.5));
  const whole = new Uint8Array(buffer, 0, length);
  whole.set(a);
  whole.set(b, a.length);
  ends.set(buffer, length);
  return whole;
}
