// The stream that a program writes the input of a child or of a thread into.
import type { ChildHandle, StreamLike } from "../runtime.ts";
import { createStream } from "./stream.ts";

/** `handle`: undefined while there is no process to hear it. */
export function inputOf(handle: () => ChildHandle | undefined): StreamLike {
  const { Writable } = createStream();
  return new Writable({
    write: (chunk: Uint8Array, _encoding: string, done: () => void) => {
      handle()?.write(Uint8Array.from(chunk));
      done();
    },
    final: (done: () => void) => {
      handle()?.write(null);
      done();
    },
  });
}
