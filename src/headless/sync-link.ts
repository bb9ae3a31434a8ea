// The process's end of synchronous children and of input that is waited for: it sleeps on shared memory until the kernel has
// written the answer there, and keeps count of the files and the input it was sent, so that each comes once and in order.
import { CONTAINER_LIMITS } from "../base/limits.ts";
import { unpackAnswer } from "./packed-answer.ts";
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
  /** Messages of input by descriptor, and of those still to come how many an answer has brought the contents of. */
  readonly #received: number[] = [];
  readonly #skipped: number[] = [];
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
  read(fd: number): readonly (Uint8Array | null)[] {
    const memory = this.#answerHere();
    const received = this.#received[fd] ?? 0;
    this.#link.post({ type: "read-sync", fd, received, seen: this.#seen, memory });
    const { input } = this.#answer<SyncReadResult>(memory);
    this.#received[fd] = received + input.length;
    this.#skipped[fd] = (this.#skipped[fd] ?? 0) + input.length;
    return input;
  }

  /** A message with input has come: false when an answer has brought it already. */
  comes(fd: number): boolean {
    const skipped = this.#skipped[fd] ?? 0;
    if (skipped > 0) {
      this.#skipped[fd] = skipped - 1;
      return false;
    }
    const received = (this.#received[fd] ?? 0) + 1;
    this.#received[fd] = received;
    if (received % INPUT_SEEN_EVERY === 0) this.#link.post({ type: "input-seen", fd, received });
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
    const result = unpackAnswer(packed) as R;
    for (const op of result.ops) this.#vfs.follow(op);
    this.#seen = this.#answered = result.seq;
    return result;
  }
}

function answerMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(SYNC_HEAD_BYTES, { maxByteLength: CONTAINER_LIMITS.syncAnswerBytes });
}
