// What is told of resources and promises while a program has hooks (builtins/async-watch.ts tells them).
import type { EventLoop } from "./event-loop.ts";

/** A resource that a program watches. */
export interface Watched {
  /** Its callback, in its scope; what that throws is thrown. */
  run(callback: () => void): void;
  /** It is done. Again: no effect. */
  end(): void;
}

export interface LoopWatch {
  begin(type: string, resource: object): Watched;
  /** `then` of a promise has made another. */
  made(parent: object, made: object): void;
  /** Runs the handler that settles `made`; it was given in that scope. */
  job(made: object, scope: EventLoop["scope"], run: () => unknown): unknown;
  /** It has run, and nobody watched when it began. */
  afterJob(made: object): void;
  /** An `await` suspends; the scope in which it goes on. */
  suspend(): EventLoop["scope"];
  resume(scope: EventLoop["scope"]): void;
}
