// What a download uses of the world, for tests to give: requests, whether there is a network, time. And how patient it is.
import { afterAwake } from "../base/awake-timer.ts";
import { abortedError } from "../base/errors.ts";

export interface Network {
  readonly fetch: typeof fetch;
  /** False only where the browser knows that there is no network. */
  isOnline(): boolean;
  /** Resolves when the network is back. Rejects with the signal. */
  backOnline(signal: AbortSignal): Promise<void>;
  /** Rejects with the signal. */
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** How long a download tries before it says that it cannot. */
export interface Patience {
  /** Failures in a row without one new byte. */
  readonly tries: number;
  /** The wait after the first failure; it doubles up to `mostMs`. */
  readonly firstMs: number;
  readonly mostMs: number;
  /** A connection that is silent for so long is given up and made anew. */
  readonly silentMs: number;
}

/** About a minute of a server that cannot be reached; a browser that knows it is offline waits without end. */
export const PATIENCE: Patience = { tries: 8, firstMs: 500, mostMs: 30_000, silentMs: 30_000 };

/** This page's or worker's. */
export const BROWSER_NETWORK: Network = {
  fetch: (input, init) => fetch(input, init),
  isOnline: () => globalThis.navigator?.onLine !== false,
  backOnline: (signal) => until(signal, (done) => {
    addEventListener("online", done, { once: true });
    return () => removeEventListener("online", done);
  }),
  pause: (ms, signal) => until(signal, (done) => {
    const timer = setTimeout(done, ms);
    return () => clearTimeout(timer);
  }),
};

/** `begin` starts what is waited for and returns how to end it. */
function until(signal: AbortSignal, begin: (done: () => void) => () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortedError("Downloading"));
    const stopped = (): void => {
      end();
      reject(abortedError("Downloading"));
    };
    const end = begin(() => {
      signal.removeEventListener("abort", stopped);
      resolve();
    });
    signal.addEventListener("abort", stopped, { once: true });
  });
}

/** Calls `late` when nothing has been `heard` for so long; time in which the machine slept does not count. */
export function watchSilence(ms: number, late: () => void): { heard(): void; end(): void } {
  let end = afterAwake(ms, late);
  return {
    heard() {
      end();
      end = afterAwake(ms, late);
    },
    end: () => end(),
  };
}
