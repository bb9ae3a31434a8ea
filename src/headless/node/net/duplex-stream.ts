// A Duplex of node:stream as a socket uses it.
import type { Emitter } from "../runtime.ts";

export interface DuplexStream extends Emitter {
  destroyed: boolean;
  readonly writableEnded: boolean;
  readonly writableFinished: boolean;
  readonly readableEnded: boolean;
  readonly writableLength: number;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly writableCorked: number;
  readonly writableHighWaterMark: number;
  allowHalfOpen: boolean;
  isPaused(): boolean;
  _undestroy(): void;
  cork(): void;
  uncork(): void;
  push(chunk: Uint8Array | null): boolean;
  read(size?: number): unknown;
  write(chunk: unknown, ...rest: unknown[]): boolean;
  end(...args: unknown[]): this;
  destroy(error?: Error | null): this;
  pause(): this;
  resume(): this;
}
