// The host's side: serves the guests of this tab's engine. Requests of all tabs meet in the engine's own queue; each is
// stopped by itself, and when a guest is gone, what it had asked for is stopped too.
import { abortedError } from "../base/errors.ts";
import { toWireError } from "../base/wire-error.ts";
import type { DownloadOrder, GenerateRequest, LoadedModel, LoadOptions, LoadProgress, ModelFiles, RemoteModel } from "./api.ts";
import { CALLS, EngineChannel, GUEST_KINDS, guestLock, type GuestMessage, type HostMessage } from "./engine-channel.ts";
import type { SteadyEngine } from "./steady-engine.ts";
import { isPortMessage, senselessMessage } from "./text-model.ts";

/** What a guest waits for, by call, and how to stop it. A load goes on when its guest leaves: the engine is of all tabs. */
interface Guest {
  readonly loads: Map<number, () => void>;
  readonly generations: Map<number, () => void>;
}

/** Owns its channel until `close`; the engine is not its own. */
export class EngineDesk {
  readonly #engine: SteadyEngine;
  readonly #channel: EngineChannel<HostMessage, GuestMessage>;
  readonly #guests = new Map<string, Guest>();
  readonly #closing = new AbortController();

  /** Opens at once: tells every tab that waits that the engine is here. */
  constructor(self: string, engine: SteadyEngine) {
    this.#engine = engine;
    this.#channel = new EngineChannel(self, GUEST_KINDS, (message, from) => this.#hear(message, from));
    this.tell();
  }

  /** Sends the status to all. */
  tell(): void {
    this.#channel.send({ type: "status", status: this.#engine.status });
  }

  close(): void {
    this.#closing.abort();
    this.#channel.send({ type: "bye" });
    this.#channel.close();
  }

  #hear(message: GuestMessage, from: string): void {
    const guest = this.#welcome(from);
    if (message.type === "hello") this.#channel.send({ type: "status", status: this.#engine.status }, from);
    else if (message.type === "stop-call") guest.generations.get(message.id)?.();
    else void this.#answer(message, guest, from);
  }

  #welcome(from: string): Guest {
    const known = this.#guests.get(from);
    if (known) return known;
    const guest: Guest = { loads: new Map(), generations: new Map() };
    this.#guests.set(from, guest);
    // Granted when the guest's tab has closed or crashed.
    const left = navigator.locks.request(guestLock(from), { signal: this.#closing.signal }, () => {
      this.#guests.delete(from);
      for (const stop of guest.generations.values()) stop();
    });
    left.catch(() => undefined); // the desk closed first
    return guest;
  }

  async #answer({ id, call, args }: Extract<GuestMessage, { type: "call" }>, guest: Guest, from: string): Promise<void> {
    try {
      if (!CALLS.includes(call)) throw new TypeError(`There is no call ${String(call)}.`);
      const value = await this.#run(id, call, args, guest, from);
      this.#channel.send({ type: "result", id, value }, from);
    } catch (error) {
      if (!this.#closing.signal.aborted) this.#channel.send({ type: "error", id, error: toWireError(error) }, from);
    } finally {
      guest.loads.delete(id);
      guest.generations.delete(id);
    }
  }

  async #run(id: number, call: (typeof CALLS)[number], args: readonly unknown[], guest: Guest, from: string): Promise<unknown> {
    const { api } = this.#engine;
    switch (call) {
      case "load":
        return this.#load(args[0] as string | ModelFiles, args[1] as LoadOptions, id, guest, (progress) => this.#channel.send({ type: "progress", id, progress }, from));
      case "generate":
        return this.#generate(id, args[0] as GenerateRequest, guest, from);
      case "countTokens":
        return api.countTokens(args[0] as GenerateRequest);
      case "help":
        return api.help(args[0] === undefined ? undefined : String(args[0]), args[1] as LoadOptions);
      case "findModels":
        return api.findModels(String(args[0]));
      case "inspect":
        return api.inspect(args[0] as RemoteModel);
      case "download":
        return api.download(args[0] as RemoteModel);
      case "steerDownload":
        return api.steerDownload(String(args[0]), args[1] as DownloadOrder);
      case "remove":
        return api.remove(String(args[0]));
      case "stop":
        // A guest stops what is its own.
        for (const stop of [...guest.loads.values(), ...(args[0] === "loads" ? [] : guest.generations.values())]) stop();
        return undefined;
      default:
        return api[call]();
    }
  }

  /** A load that others began is only left when it is stopped. */
  #load(model: string | ModelFiles, options: LoadOptions, id: number, guest: Guest, onProgress: (progress: LoadProgress) => void): Promise<LoadedModel> {
    const { api, status } = this.#engine;
    const joined = status.phase === "loading" && status.modelId === model;
    const left = new Promise<never>((_, reject) => {
      guest.loads.set(id, () => {
        if (joined) reject(abortedError("Loading the model"));
        else api.stop("loads").catch(reject); // fails only with the engine, as the load does
      });
    });
    return Promise.race([api.load(model, options, onProgress), left]);
  }

  async #generate(id: number, request: GenerateRequest, guest: Guest, from: string): Promise<void> {
    const { port1, port2 } = new MessageChannel();
    guest.generations.set(id, () => port1.postMessage("stop"));
    // The last word comes over the port, the call's end another way: the guest is told of the end after the word.
    const last = new Promise<void>((resolve) => {
      port1.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (!isPortMessage(data)) return this.#engine.fail(senselessMessage());
        this.#channel.send({ type: "token", id, message: data }, from);
        if (data.type === "done" || data.type === "error") resolve();
      };
    });
    try {
      await this.#engine.api.generate(request, port2);
      await last;
    } finally {
      port1.close();
    }
  }
}
