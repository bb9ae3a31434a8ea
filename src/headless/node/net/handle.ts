// What stands for Node's handle of a connection. Programs look whether it is there, and some libraries call what it has; the
// container's connections have no packets to delay and nothing between their ends that would have to be kept awake.
import { openHandle } from "../active-resources.ts";
import { invalidArgType } from "../errors.ts";
import type { Dict, Runtime } from "../runtime.ts";

export class Handle {
  setNoDelay(_on: boolean): number {
    return 0;
  }

  setKeepAlive(_on: boolean, _initialDelayS: number): number {
    return 0;
  }
}

/** One for a socket, which is counted as active until it is closed. */
export function openSocket(runtime: Runtime, socket: object, isTcp: boolean, hasRef: () => boolean): Handle {
  openHandle(runtime, socket, isTcp ? "TCPSocketWrap" : "PipeWrap", hasRef);
  return new Handle();
}

/** What a socket was told of both, and tells its handle: only what is new, and what it was told before it had one. */
export class HandleOptions {
  #noDelay: boolean;
  #keepAlive: boolean;
  #initialDelayS: number;

  constructor({ noDelay, keepAlive, keepAliveInitialDelay: delayMs = 0 }: Dict) {
    this.#noDelay = Boolean(noDelay);
    this.#keepAlive = Boolean(keepAlive);
    if (typeof delayMs !== "number") throw invalidArgType("options.keepAliveInitialDelay", "number", delayMs);
    this.#initialDelayS = seconds(Math.max(0, delayMs));
  }

  /** The handle is new. */
  tell(handle: Handle): void {
    if (this.#noDelay) handle.setNoDelay(true);
    if (this.#keepAlive) handle.setKeepAlive(true, this.#initialDelayS);
  }

  setNoDelay(on: boolean, handle: Handle | null): void {
    if (on === this.#noDelay) return;
    this.#noDelay = on;
    handle?.setNoDelay(on);
  }

  setKeepAlive(on: boolean, initialDelayMs: number, handle: Handle | null): void {
    const delayS = seconds(initialDelayMs);
    if (on === this.#keepAlive && (!on || delayS === this.#initialDelayS)) return;
    this.#keepAlive = on;
    this.#initialDelayS = delayS;
    handle?.setKeepAlive(on, delayS);
  }
}

/** Whole ones, 0 for what is no number. */
function seconds(ms: number): number {
  return Math.trunc(ms / 1000) || 0;
}
