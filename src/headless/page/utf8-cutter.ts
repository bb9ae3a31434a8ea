// Cuts a byte stream between characters. The client decodes every chunk on its own, so a chunk must not end inside one.

export class Utf8Cutter {
  #held = new Uint8Array();

  /** What can be passed on now: all but an unfinished character at the end, which waits for its rest. */
  push(bytes: Uint8Array): Uint8Array {
    const whole = new Uint8Array(this.#held.length + bytes.length);
    whole.set(this.#held);
    whole.set(bytes, this.#held.length);
    const cut = whole.length - unfinishedBytes(whole);
    this.#held = whole.slice(cut);
    return whole.subarray(0, cut);
  }

  /** What never got its rest. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = new Uint8Array();
    return rest;
  }
}

/** Bytes at the end that begin a character but do not finish it: 0 to 3. Bytes that are no UTF-8 are not held back. */
function unfinishedBytes(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue; // a continuation: its start lies further back
    const length = byte >= 0b1111_0000 ? 4 : byte >= 0b1110_0000 ? 3 : byte >= 0b1100_0000 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}
