// The process's end of synchronous children and of input that is waited for: it sleeps on shared memory until the kernel has
// written the answer there, and keeps count of the files and the input it was sent, so that each comes once and in order.
import { decode } from "./node/later/message-pack.ts";
import { CONTAINER_LIMITS } from "../base/limits.ts";
import type { ProcessLink } from "./process-link.ts";
import { type Signal, SYNC_HEAD_BYTES, type SyncKillResult, type SyncReadResult, type SyncSpawnRequest, type SyncSpawnResult } from "./protocol.ts";
import type { FileOp, Vfs } from "./vfs.ts";

/** The kernel keeps what was not acknowledged: so often, and no oftener. */
const SEEN_EVERY = 64;
const INPUT_SEEN_EVERY = 16;

// Kept before a program can replace the globals.
const { load, wait } = Atomics;

export class SyncLink {
  readonly #link: ProcessLink;
  readonly #vfs: Vfs;
  #seen = 0;
  /** Changes up to here have come with an answer. */
  #answered = 0;
  #received = 0;
  /** Messages of input that are still to come and whose contents an answer has brought. */
  #skipped = 0;
  /** Of reads and signals, which come one after the other. */
  #memory: SharedArrayBuffer | undefined;

  constructor(link: ProcessLink, vfs: Vfs) {
    this.#link = link;
    this.#vfs = vfs;
  }

  /** Only in a page that is isolated (COOP and COEP) is there memory to share. */
  readonly available = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated === true && typeof SharedArrayBuffer === "function";

  follow(op: FileOp, seq: number): void {
    if (seq <= this.#answered) return;
    this.#vfs.follow(op);
    this.#seen = seq;
    if (seq % SEEN_EVERY === 0) this.#link.post({ type: "files-seen", seq });
  }

  /** Returns when the child has ended and its changes are in the replica. */
  spawn(spawn: SyncSpawnRequest): SyncSpawnResult {
    const memory = answerMemory();
    this.#link.post({ type: "spawn-sync", spawn, seen: this.#seen, memory });
    return this.#answer(memory);
  }

  kill(pid: number, signal: Signal | null): SyncKillResult["failure"] {
    const memory = this.#answerHere();
    this.#link.post({ type: "kill", pid, signal, wait: { seen: this.#seen, memory } });
    return this.#answer<SyncKillResult>(memory).failure;
  }

  /** Returns when there is input: at least one piece; null is the end. */
  read(): readonly (Uint8Array | null)[] {
    const memory = this.#answerHere();
    this.#link.post({ type: "read-sync", received: this.#received, seen: this.#seen, memory });
    const { input } = this.#answer<SyncReadResult>(memory);
    this.#received += input.length;
    this.#skipped += input.length;
    return input;
  }

  /** A message with input has come: false when an answer has brought it already. */
  comes(): boolean {
    if (this.#skipped > 0) {
      this.#skipped--;
      return false;
    }
    if (++this.#received % INPUT_SEEN_EVERY === 0) this.#link.post({ type: "input-seen", received: this.#received });
    return true;
  }

  #answerHere(): SharedArrayBuffer {
    const memory = (this.#memory ??= answerMemory());
    new Int32Array(memory, 0, 1)[0] = 0;
    return memory;
  }

  #answer<R extends Pick<SyncSpawnResult, "ops" | "seq"> = SyncSpawnResult>(memory: SharedArrayBuffer): R {
    const head = new Int32Array(memory, 0, 2);
    while (load(head, 0) === 0) wait(head, 0, 0);
    // What is shared cannot be read as text: a copy can.
    const packed = new Uint8Array(load(head, 1));
    packed.set(new Uint8Array(memory, SYNC_HEAD_BYTES, packed.length));
    const result = decode(packed) as R;
    for (const op of result.ops) this.#vfs.follow(op);
    this.#seen = this.#answered = result.seq;
    return result;
  }
}

function answerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SYNC_HEAD_BYTES, { maxByteLength: CONTAINER_LIMITS.syncAnswerBytes });
}
