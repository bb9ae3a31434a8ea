// A child whose parent sleeps until it has ended: what it prints is kept, and the answer is written into memory that both
// share. With it go the files that changed meanwhile, for the parent cannot be told of them in any other way.
import { joined } from "../../base/bytes.ts";
import { CONTAINER_LIMITS } from "../../base/limits.ts";
import { packAnswer as encode } from "../packed-answer.ts";
import { type Signal, SYNC_HEAD_BYTES, type SyncKillResult, type SyncReadResult, type SyncSpawnRequest, type SyncSpawnResult } from "../protocol.ts";
import type { ProcessSink } from "./process.ts";

export interface SyncEvents {
  /** To where the parent's own output goes. */
  output(fd: 1 | 2, data: Uint8Array): void;
  kill(signal: Signal): void;
  /** The child is gone, or never was. */
  done(result: Omit<SyncSpawnResult, "pid" | "ops" | "seq">): void;
}

/** Where the child's words and its end go. */
export class SyncChild implements ProcessSink {
  readonly #spawn: SyncSpawnRequest;
  readonly #events: SyncEvents;
  readonly #kept = new Map<number, Uint8Array[]>();
  readonly #bytes = new Map<number, number>();
  #ended: readonly [code: number | null, signal: Signal | null] = [null, null];
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  #error: SyncSpawnResult["error"] = null;

  constructor(spawn: SyncSpawnRequest, events: SyncEvents) {
    this.#spawn = spawn;
    this.#events = events;
    if (spawn.timeoutMs !== null && spawn.timeoutMs > 0) this.#timer = setTimeout(() => this.#kill("ETIMEDOUT"), spawn.timeoutMs);
  }

  output(fd: number, data: Uint8Array): void {
    const how = fd === 1 ? this.#spawn.stdout : fd === 2 ? this.#spawn.stderr : "keep";
    if (how === "inherit") this.#events.output(fd as 1 | 2, data);
    if (how !== "keep") return;
    const bytes = this.#bytes.get(fd) ?? 0;
    const room = Math.min(this.#spawn.maxBytes, CONTAINER_LIMITS.processOutputBytes) - bytes;
    if (room >= 0) this.#of(fd).push(data);
    this.#bytes.set(fd, bytes + data.length);
    if (data.length > room) this.#kill("ENOBUFS");
  }

  #of(fd: number): Uint8Array[] {
    const kept = this.#kept.get(fd) ?? [];
    this.#kept.set(fd, kept);
    return kept;
  }

  backlogBytes(): number {
    return 0;
  }

  message(): boolean {
    return true;
  }

  /** As a pipe's reader it waits until nobody can write any more. */
  exit(code: number | null, signal: Signal | null, held: boolean): void {
    this.#ended = [code, signal];
    if (!held) this.closed();
  }

  closed(): void {
    clearTimeout(this.#timer);
    const [code, signal] = this.#ended;
    const others = [...this.#kept].filter(([fd]) => fd > 2).map(([fd, parts]) => [fd, joined(parts)] as const);
    this.#events.done({ code, signal, error: this.#error, stdout: joined(this.#of(1)), stderr: joined(this.#of(2)), others });
  }

  #kill(code: string): void {
    if (this.#error) return;
    this.#error = { code, message: code };
    this.#events.kill(this.#spawn.killSignal);
  }
}

/** Writes the answer and wakes the sleeper; one that is too large is told as ENOBUFS, with the files all the same if they fit. */
export function answerSync(memory: SharedArrayBuffer, result: SyncSpawnResult | SyncReadResult | SyncKillResult): void {
  let packed = encode(result);
  const room = Math.min(memory.maxByteLength, CONTAINER_LIMITS.syncAnswerBytes) - SYNC_HEAD_BYTES;
  const tooMuch = { code: "ENOBUFS", message: `ENOBUFS: a synchronous child may hand back ${CONTAINER_LIMITS.syncAnswerBytes} bytes` };
  if (packed.length > room) packed = encode({ ...result, error: tooMuch, stdout: new Uint8Array(), stderr: new Uint8Array(), others: [] });
  if (packed.length > room) packed = encode({ ...result, error: tooMuch, stdout: new Uint8Array(), stderr: new Uint8Array(), others: [], ops: [] });
  const needed = SYNC_HEAD_BYTES + packed.length;
  // A hostile sleeper may have left no room at all: then it sleeps on.
  if (needed > memory.maxByteLength) return;
  if (memory.byteLength < needed) memory.grow(needed);
  new Uint8Array(memory, SYNC_HEAD_BYTES).set(packed);
  const head = new Int32Array(memory, 0, 2);
  Atomics.store(head, 1, packed.length);
  Atomics.store(head, 0, 1);
  Atomics.notify(head, 0);
}
