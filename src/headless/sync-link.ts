// The process's end of synchronous children: it sleeps on shared memory until the kernel has written the answer there, and
// keeps count of the files it was told of, so that changes meanwhile are applied once and in order.
import { decode } from "@msgpack/msgpack";
import { LIMITS } from "../base/limits.ts";
import type { ProcessLink } from "./process-link.ts";
import { SYNC_HEAD_BYTES, type SyncSpawnRequest, type SyncSpawnResult } from "./protocol.ts";
import type { FileOp, Vfs } from "./vfs.ts";

/** The kernel keeps what was not acknowledged: so often, and no oftener. */
const SEEN_EVERY = 64;

export class SyncLink {
  readonly #link: ProcessLink;
  readonly #vfs: Vfs;
  #seen = 0;
  /** Changes up to here have come with an answer. */
  #answered = 0;

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
    const memory = new SharedArrayBuffer(SYNC_HEAD_BYTES, { maxByteLength: LIMITS.syncAnswerBytes });
    this.#link.post({ type: "spawn-sync", spawn, seen: this.#seen, memory });
    const head = new Int32Array(memory, 0, 2);
    while (Atomics.load(head, 0) === 0) Atomics.wait(head, 0, 0);
    // What is shared cannot be read as text: a copy can.
    const packed = new Uint8Array(Atomics.load(head, 1));
    packed.set(new Uint8Array(memory, SYNC_HEAD_BYTES, packed.length));
    const result = decode(packed) as SyncSpawnResult;
    for (const op of result.ops) this.#vfs.follow(op);
    this.#seen = this.#answered = result.seq;
    return result;
  }
}
