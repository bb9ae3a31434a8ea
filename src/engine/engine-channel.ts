// What the tabs of one browser say to each other about the engine that one of them runs: types, names, and a channel that
// delivers only what is addressed to this tab. Same-origin pages are the only ones that can hear or speak here.
import type { WireError } from "../base/wire-error.ts";
import type { InferenceApi, LoadProgress } from "./api.ts";
import type { EngineStatus } from "./steady-engine.ts";
import type { PortMessage } from "./text-model.ts";

/** Held by the tab that runs the engine, for as long as it does. */
export const ENGINE_LOCK = "tabwright-engine";
/** The number changes with the protocol: tabs of two versions do not hear each other. */
export const ENGINE_CHANNEL = "tabwright-engine 3";

/** Held by a guest, so that the host notices when it is gone. */
export function guestLock(guest: string): string {
  return `tabwright-guest ${guest}`;
}

/** The calls a guest may make. */
export const CALLS = ["device", "models", "load", "generate", "countTokens", "help", "stop", "details", "profile", "measure", "findModels", "inspect", "download", "steerDownload", "remove", "unload"] as const satisfies readonly (keyof InferenceApi)[];
export type CallName = (typeof CALLS)[number];

/** From a guest to the host. */
export type GuestMessage =
  /** Is anybody there? */
  | { readonly type: "hello" }
  | { readonly type: "call"; readonly id: number; readonly call: CallName; readonly args: readonly unknown[] }
  /** Stops the generation that this call began. */
  | { readonly type: "stop-call"; readonly id: number };

/** From the host to one guest, or to all. */
export type HostMessage =
  | { readonly type: "status"; readonly status: EngineStatus }
  | { readonly type: "progress"; readonly id: number; readonly progress: LoadProgress }
  | { readonly type: "token"; readonly id: number; readonly message: PortMessage }
  | { readonly type: "result"; readonly id: number; readonly value: unknown }
  | { readonly type: "error"; readonly id: number; readonly error: WireError }
  /** The host closes its engine; its lock follows. */
  | { readonly type: "bye" };

/** To one tab, or to all. */
interface Letter<T> {
  readonly from: string;
  readonly to: string | "all";
  readonly message: T;
}

function isLetter(data: unknown): data is Letter<{ readonly type: string }> {
  if (typeof data !== "object" || data === null) return false;
  const { from, to, message } = data as Partial<Letter<unknown>>;
  return typeof from === "string" && typeof to === "string" && typeof message === "object" && message !== null && "type" in message;
}

/** One tab's end. `Out` is what it sends, `In` what it hears; the two sides' types do not overlap, so each ignores its own kind. */
export class EngineChannel<Out, In> {
  readonly #channel = new BroadcastChannel(ENGINE_CHANNEL);
  readonly #self: string;

  constructor(self: string, kinds: readonly string[], onMessage: (message: In, from: string) => void) {
    this.#self = self;
    this.#channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (!isLetter(data) || (data.to !== "all" && data.to !== self)) return;
      if (kinds.includes(data.message.type)) onMessage(data.message as In, data.from);
    };
  }

  send(message: Out, to = "all"): void {
    this.#channel.postMessage({ from: this.#self, to, message } satisfies Letter<Out>);
  }

  close(): void {
    this.#channel.close();
  }
}

export const GUEST_KINDS: readonly GuestMessage["type"][] = ["hello", "call", "stop-call"];
export const HOST_KINDS: readonly HostMessage["type"][] = ["status", "progress", "token", "result", "error", "bye"];
