// The frames of RFC 6455, section 5: what a client writes, and what it reads of a server.

export const OPCODES = { more: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const;

/** A message may be this large, whole: what is larger is refused with code 1009. */
export const MESSAGE_BYTES = 64 * 1024 * 1024;
const CONTROL_BYTES = 125;

export interface Frame {
  /** The last of its message. */
  readonly final: boolean;
  readonly opcode: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** What the server did wrong; `code` is the one to close with. */
export class FrameError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** A whole frame, masked as those of a client must be. */
export function frameBytes(opcode: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const { length } = payload;
  const extended = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const frame = new Uint8Array(2 + extended + 4 + length);
  const view = new DataView(frame.buffer);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (extended === 0 ? length : extended === 2 ? 126 : 127);
  if (extended === 2) view.setUint16(2, length);
  if (extended === 8) view.setBigUint64(2, BigInt(length));
  const mask = crypto.getRandomValues(frame.subarray(2 + extended, 6 + extended));
  const start = 6 + extended;
  for (let i = 0; i < length; i++) frame[start + i] = payload[i]! ^ mask[i & 3]!;
  return frame;
}

/** Frames from pieces that are cut anywhere. */
export class FrameReader {
  readonly #onFrame: (frame: Frame) => void;
  /** The beginning of a head. */
  #head: number[] = [];
  #frame: Frame | undefined;
  #filled = 0;

  constructor(onFrame: (frame: Frame) => void) {
    this.#onFrame = onFrame;
  }

  /** Throws FrameError for what no server may send; nothing can be read after it. */
  push(bytes: Uint8Array): void {
    let at = 0;
    while (at < bytes.length) {
      if (!this.#frame) {
        this.#head.push(bytes[at++]!);
        this.#frame = this.#begun();
        this.#filled = 0;
      } else {
        const part = bytes.subarray(at, at + this.#frame.payload.length - this.#filled);
        this.#frame.payload.set(part, this.#filled);
        this.#filled += part.length;
        at += part.length;
      }
      if (this.#frame && this.#filled === this.#frame.payload.length) {
        const frame = this.#frame;
        this.#frame = undefined;
        this.#head = [];
        this.#onFrame(frame);
      }
    }
  }

  /** The frame, once its head is whole. */
  #begun(): Frame | undefined {
    const [first, second] = this.#head;
    if (first === undefined || second === undefined) return undefined;
    const opcode = first & 0x0f;
    const final = (first & 0x80) !== 0;
    if ((first & 0x70) !== 0) throw new FrameError(1002, "a reserved bit is set");
    if (!Object.values<number>(OPCODES).includes(opcode)) throw new FrameError(1002, `there is no opcode ${opcode}`);
    if ((second & 0x80) !== 0) throw new FrameError(1002, "a server's frame is masked");
    const short = second & 0x7f;
    if (opcode >= OPCODES.close && (!final || short > CONTROL_BYTES)) throw new FrameError(1002, "a control frame is cut or too long");
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    if (this.#head.length < 2 + extended) return undefined;
    const length = extended === 0 ? short : this.#head.slice(2).reduce((sum, byte) => sum * 256 + byte, 0);
    if (length > MESSAGE_BYTES) throw new FrameError(1009, `a frame of ${length} bytes`);
    return { final, opcode, payload: new Uint8Array(length) };
  }
}
