// `postMessageToThread`: a message to a thread by its number, which answers whether anybody listened.
import { invalidArgType, nodeError, outOfRange } from "../errors.ts";
import type { AnyFunction, Runtime } from "../runtime.ts";
import { receive, send } from "./message.ts";
import { NOBODY, type Relay } from "./relay.ts";
import { checkTransfer, transferListOf } from "./transfer-list.ts";

const FAILURES: Readonly<Record<string, string>> = {
  [NOBODY]: "Cannot find the destination thread or listener",
  ERR_WORKER_MESSAGING_ERRORED: "The destination thread threw an error while processing the message",
  ERR_WORKER_MESSAGING_SAME_THREAD: "Cannot sent a message to the same thread",
  ERR_WORKER_MESSAGING_TIMEOUT: "Sending a message to another thread timed out",
};

/** `self`: this thread's number. */
export function toThreads(runtime: Runtime, relay: Relay, self: number): (...args: unknown[]) => Promise<void> {
  const waiting = new Map<number, (failure: string | undefined) => void>();
  let requests = 0;

  relay.on("answer", ({ request, failure }) => waiting.get(request)?.(failure));
  relay.on("to-thread", ({ from, request, sent }) => {
    let failure: string | undefined;
    try {
      if (!runtime.process.emit("workerMessage", receive(runtime, sent).value, from)) failure = NOBODY;
    } catch {
      failure = "ERR_WORKER_MESSAGING_ERRORED";
    }
    relay.route({ kind: "answer", to: from, request, failure });
  });

  return async (thread, value, givenList, givenTimeout) => {
    const isShort = typeof givenList === "number" && givenTimeout === undefined;
    const timeout = isShort ? givenList : givenTimeout;
    if (timeout !== undefined && typeof timeout !== "number") throw invalidArgType("timeout", "number", timeout);
    if (timeout !== undefined && !(timeout >= 0)) throw outOfRange("timeout", ">= 0", timeout);
    const fail = (code: string): Error => nodeError(Error, code, FAILURES[code] ?? code);
    if (thread === self) throw fail("ERR_WORKER_MESSAGING_SAME_THREAD");
    const request = ++requests;
    const failure = await new Promise<string | undefined>((resolve) => {
      waiting.set(request, resolve);
      send(runtime, value, checkTransfer(transferListOf(isShort ? undefined : givenList)), (sent, natives) => {
        if (!relay.route({ kind: "to-thread", from: self, to: thread as number, request, sent }, natives)) resolve(NOBODY);
      });
      if (timeout !== undefined) (runtime.builtin("timers")["setTimeout"] as AnyFunction)(() => resolve("ERR_WORKER_MESSAGING_TIMEOUT"), timeout);
    });
    waiting.delete(request);
    if (failure !== undefined) throw fail(failure);
  };
}
