// The page's side of the inference worker: calls through Comlink, tokens over a port of their own. A worker that cannot
// start, dies or loses its mind fails every call that waits for it with `engine/stopped`; none hangs.
import { proxy, type Remote, transfer, wrap } from "comlink";
import { AppError } from "../base/errors.ts";
import { CLOSE_WORKER, installErrorWire } from "../base/wire.ts";
import type { InferenceApi, TextModel } from "./api.ts";
import type { LabApi } from "./lab.ts";
import { senselessMessage, textModel } from "./text-model.ts";

/** An engine as a page uses it: its own worker's, or another tab's. */
export interface Engine {
  readonly api: InferenceApi;
  /** The model that is loaded, for the agent. */
  readonly model: TextModel;
  /** Whatever runs fails with `aborted`. */
  close(): void;
}

/** An engine in a worker that this page has started. */
export interface ConnectedEngine extends Engine {
  /** For the commands. */
  readonly lab: LabApi;
  /** Why it ended: `aborted` after `close`, else `engine/stopped`. Never rejects. */
  readonly ended: Promise<AppError>;
  /** Ends the worker for this reason. */
  fail(error: AppError): void;
}

/** The engine in a SharedWorker of a storage that may not be this page's: with it the locks of that storage. */
export interface SharedEngineWorker {
  readonly port: MessagePort;
  readonly locks: LockManager | undefined;
  addEventListener(type: "error", listener: (event: Event) => void): void;
}

/** Takes the worker over: `close` and `fail` end it. */
export function connectEngine(worker: Worker | SharedEngineWorker = new Worker(new URL("../../workers/inference.ts", import.meta.url), { type: "module", name: "inference" })): ConnectedEngine {
  installErrorWire();
  const life = new WorkerLife(worker);
  const remote = wrap<LabApi>(life.endpoint);
  life.watch((lock) => remote.hold(lock));
  let contextLimit = 0;
  const lab = labApi(remote, life, (limit) => (contextLimit = limit));
  return {
    api: lab,
    lab,
    model: textModel(lab, () => contextLimit, (error) => life.end(error)),
    ended: life.ended,
    fail: (error) => life.end(error),
    close: () => life.end(new AppError("aborted", "The engine was closed.")),
  };
}

/** Notices in every way there is that a worker is gone. */
class WorkerLife {
  readonly ended: Promise<AppError>;
  /** Where its messages come from. */
  readonly endpoint: Worker | MessagePort;
  readonly #worker: Worker | SharedEngineWorker;
  readonly #watching = new AbortController();
  readonly #failed: Promise<never>;
  #tell: (error: AppError) => void = () => undefined;

  constructor(worker: Worker | SharedEngineWorker) {
    this.#worker = worker;
    this.endpoint = "port" in worker ? worker.port : worker;
    this.ended = new Promise((resolve) => (this.#tell = resolve));
    this.#failed = this.ended.then((error) => {
      throw error;
    });
    this.#failed.catch(() => undefined); // told to whoever waits; nobody may be waiting
    worker.addEventListener("error", (event: Event) => {
      event.preventDefault();
      this.end(stopped(("message" in event && String(event.message)) || "its worker could not be started"));
    });
    this.endpoint.addEventListener("messageerror", () => this.end(senselessMessage()));
    this.endpoint.addEventListener("message", (event: Event) => {
      if (!isReply((event as MessageEvent<unknown>).data)) this.end(senselessMessage());
    });
  }

  /** A worker that was terminated says nothing, but lets go of its lock. `hold` has the worker take one. */
  watch(hold: (lock: string) => Promise<void>): void {
    const locks = "port" in this.#worker ? this.#worker.locks : navigator.locks;
    if (!locks) return;
    const lock = `tabwright-worker ${crypto.randomUUID()}`;
    const { signal } = this.#watching;
    const granted = hold(lock).then(() => locks.request(lock, { signal }, () => this.end(stopped("its worker was ended"))));
    granted.catch(() => undefined); // closed, or dead before: `end` was told already
  }

  /** The call's result, or why the worker ended, whichever comes first. */
  alive<T>(call: Promise<T>): Promise<T> {
    return Promise.race([call, this.#failed]);
  }

  end(error: AppError): void {
    this.#tell(error);
    this.#watching.abort();
    if ("port" in this.#worker) this.#worker.port.postMessage(CLOSE_WORKER);
    else this.#worker.terminate();
  }
}

function stopped(reason: string): AppError {
  return new AppError("engine/stopped", `The engine stopped: ${reason}.`);
}

/** Comlink answers with nothing else. */
function isReply(data: unknown): boolean {
  if (typeof data !== "object" || data === null) return false;
  const { id, type } = data as { readonly id?: unknown; readonly type?: unknown };
  return typeof id === "string" && (type === "RAW" || type === "HANDLER");
}

function labApi(remote: Remote<LabApi>, life: WorkerLife, onLimit: (contextLimit: number) => void): LabApi {
  const alive = <T>(call: Promise<T>): Promise<T> => life.alive(call);
  return {
    device: () => alive(remote.device()),
    models: () => alive(remote.models()),
    async load(model, options, onProgress) {
      const loaded = await alive(remote.load(model, options, proxy(onProgress)));
      onLimit(loaded.contextLimit);
      return loaded;
    },
    generate: (request, port) => alive(remote.generate(request, transfer(port, [port]))),
    countTokens: (request) => alive(remote.countTokens(request)),
    async help(id, options) {
      const pair = await alive(remote.help(id, options));
      if (pair.model) onLimit(pair.model.contextLimit);
      return pair;
    },
    stop: (only) => alive(remote.stop(only)),
    details: () => alive(remote.details()),
    profile: () => alive(remote.profile()),
    measure: () => alive(remote.measure()),
    findModels: (address) => alive(remote.findModels(address)),
    inspect: (model) => alive(remote.inspect(model)),
    download: (model) => alive(remote.download(model)),
    steerDownload: (id, order) => alive(remote.steerDownload(id, order)),
    remove: (id) => alive(remote.remove(id)),
    unload: () => alive(remote.unload()),
    encodePrompt: (text) => alive(remote.encodePrompt(text)),
    encodeChat: (message) => alive(remote.encodeChat(message)),
    routing: (ids) => alive(remote.routing(ids)),
    timedIds: (request) => alive(remote.timedIds(request)),
    evaluate: (ids) => alive(remote.evaluate(ids)),
    generateIds: (request) => alive(remote.generateIds(request)),
    counters: () => alive(remote.counters()),
    watchDownloads: (onChange) => alive(remote.watchDownloads(proxy(onChange))),
    loseGpu: (next) => alive(remote.loseGpu(next)),
    benchStores: (step) => alive(remote.benchStores(step)),
    streamSpeed: (tokens, phase) => alive(remote.streamSpeed(tokens, phase)),
    hold: (lock) => alive(remote.hold(lock)),
  };
}
