// Abort signals that go into a message: the one that arrives is aborted when the one here is.
import { invalidArgType } from "../errors.ts";
import { type Kind, markCloneable, onLoad } from "./cloneable.ts";

interface Saved {
  readonly aborted: boolean;
  readonly reason: unknown;
  readonly port: MessagePort | undefined;
}

type NodePort = MessagePort & { on(type: "message", listener: (reason: unknown) => void): void; unref(): void };

const KIND: Kind = {
  name: "AbortSignal", builtin: "util", transferOnly: true,
  save: (object, pass): Saved => {
    const signal = object as AbortSignal;
    const { aborted, reason } = signal;
    if (aborted) return { aborted, reason: reason as unknown, port: undefined };
    const { port1, port2 } = new MessageChannel();
    signal.addEventListener("abort", () => {
      port1.postMessage(signal.reason);
      port1.close();
    }, { once: true });
    pass(port2);
    return { aborted, reason: undefined, port: port2 };
  },
};
onLoad(KIND.name, (_, saved) => {
  const { aborted, reason, port } = saved as Saved;
  const controller = new AbortController();
  if (aborted) controller.abort(reason);
  const nodePort = port as NodePort | undefined;
  nodePort?.on("message", (why) => controller.abort(why));
  nodePort?.unref();
  return controller.signal;
});

export function transferableAbortSignal(signal: unknown): AbortSignal {
  if (!(signal instanceof AbortSignal)) throw invalidArgType("signal", "AbortSignal", signal);
  markCloneable(signal, KIND);
  return signal;
}

export function transferableAbortController(): AbortController {
  const controller = new AbortController();
  transferableAbortSignal(controller.signal);
  return controller;
}
