// The stream that a program writes the input of a child or of a thread into.
import { PIPE_BYTES } from "../../protocol.ts";
import type { ChildHandle, StreamLike } from "../runtime.ts";
import { streamError } from "../net/errors.ts";
import { createStream } from "./stream.ts";

type Done = (error?: Error) => void;

/** A child's: a pipe, which holds so many bytes until the child reads, and breaks when it closes its end. */
export class ChildInput {
  readonly stream: StreamLike;
  #unreadBytes = 0;
  #broken = false;
  #waiting: Done | undefined;

  constructor(handle: () => ChildHandle | undefined) {
    this.stream = inputOf(handle, (bytes, done) => {
      if (this.#broken) return done(streamError("EPIPE", "write"));
      this.#unreadBytes += bytes;
      if (this.#unreadBytes <= PIPE_BYTES) done();
      else this.#waiting = done;
    });
  }

  /** The child has read so much. */
  taken(bytes: number): void {
    this.#unreadBytes -= bytes;
    if (this.#unreadBytes <= PIPE_BYTES) this.#answer();
  }

  /** Nobody will read it. */
  break(): void {
    this.#broken = true;
    this.#answer(streamError("EPIPE", "write"));
  }

  #answer(error?: Error): void {
    const done = this.#waiting;
    this.#waiting = undefined;
    done?.(error);
  }
}

/** `handle`: undefined while there is no process to hear it. `written`: answers for what was sent. */
export function inputOf(handle: () => ChildHandle | undefined, written = (_bytes: number, done: Done): void => done()): StreamLike {
  const { Writable } = createStream();
  return new Writable({
    write: (chunk: Uint8Array, _encoding: string, done: Done) => {
      handle()?.write(Uint8Array.from(chunk));
      written(chunk.length, done);
    },
    final: (done: Done) => {
      handle()?.write(null);
      done();
    },
  });
}
