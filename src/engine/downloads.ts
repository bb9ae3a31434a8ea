// The downloads of models, in the engine's worker: each is an import whose file lies on a server. What was agreed to is kept
// in the browser's storage, so that a reload, a crash or another tab goes on where it stopped; the importer's journal says
// where that is. They run beside the loaded model and never wait for it.
import { toAppError } from "../base/errors.ts";
import { RemoteSource } from "../download/remote-source.ts";
import type { ByteSource } from "../gguf/source.ts";
import { deleteModel } from "../storage/catalogue.ts";
import { openShelf, sharedDatabase } from "../storage/shelf.ts";
import type { DownloadOrder, DownloadState, LoadProgress, RemoteModel } from "./api.ts";
import { importModel } from "./import-model.ts";
import { openRemote } from "./remote-models.ts";
import { giveRoomBack, reserveRoom } from "./reserved-room.ts";

/** What is kept of a download. */
interface Agreed {
  readonly model: RemoteModel;
  readonly paused: boolean;
  /** As it was when it was kept: shown until the journal was looked at. */
  readonly doneBytes: number;
}

interface Job {
  readonly model: RemoteModel;
  state: DownloadState;
  /** While it runs or is paused in this worker. */
  work: { readonly abort: AbortController; readonly sources: readonly RemoteSource[]; readonly ended: Promise<void> } | undefined;
}

const KEY = "downloads";
/** Between two reports of how far it is. */
const TELL_MS = 200;
/** Between two notes of it in storage. */
const NOTE_MS = 5_000;

export class Downloads {
  readonly #jobs = new Map<string, Job>();
  readonly #onChange: (downloads: readonly DownloadState[]) => void;
  #told = 0;
  #noted = 0;
  #telling: ReturnType<typeof setTimeout> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(onChange: (downloads: readonly DownloadState[]) => void) {
    this.#onChange = onChange;
    addEventListener("online", () => this.#retry("download/failed"));
  }

  /** Takes up what was agreed to before. A browser that stores nothing has nothing to take up. */
  async restore(): Promise<void> {
    const kept = await openShelf<unknown>("settings").then((shelf) => shelf.get(KEY)).catch((error: unknown) => void toAppError(error));
    for (const { model, paused, doneBytes } of Array.isArray(kept) ? kept.filter(isAgreed) : []) {
      if (this.#jobs.has(model.id)) continue;
      this.#add(model, { phase: paused ? "paused" : "running", doneBytes });
      if (!paused) this.#run(model.id);
    }
    this.#tell();
  }

  start(model: RemoteModel): void {
    if (this.#jobs.get(model.id)?.work) return this.#resume(model.id);
    this.#add(model, { phase: "running", doneBytes: 0 });
    this.#run(model.id);
    this.#tell();
    this.#note();
  }

  async steer(id: string, order: DownloadOrder): Promise<void> {
    const job = this.#jobs.get(id);
    if (!job) return;
    if (order === "pause") {
      for (const source of job.work?.sources ?? []) source.pause();
      this.#set(job, { phase: "paused" });
    } else if (order === "resume") this.#resume(id);
    else {
      this.#jobs.delete(id);
      job.work?.abort.abort();
      await job.work?.ended;
      if (order === "delete") await deleteModel(await sharedDatabase(), id);
    }
    this.#tell();
    this.#note();
    await this.#writing;
  }

  /** What waits for room goes on. */
  spaceFreed(): void {
    this.#retry("full");
  }

  #resume(id: string): void {
    const job = this.#jobs.get(id);
    if (!job || job.state.phase === "done") return;
    if (!job.work) return this.#run(id);
    for (const source of job.work.sources) source.resume();
    this.#set(job, { phase: "running" });
  }

  #retry(why: "full" | "download/failed"): void {
    for (const [id, { state }] of this.#jobs) if (state.phase === why || state.problem?.code === why) this.#resume(id);
  }

  #add(model: RemoteModel, state: Pick<DownloadState, "phase" | "doneBytes">): void {
    const { id, name, bytes } = model;
    this.#jobs.set(id, { model, work: undefined, state: { model: { id, name, bytes }, receivedBytes: 0, ...state } });
  }

  #run(id: string): void {
    const job = this.#jobs.get(id);
    if (!job) return;
    const abort = new AbortController();
    const received = job.model.files.map(() => 0);
    const before = job.state.receivedBytes;
    // What is stored, as the importer tells, and what has come since. Before it tells: as it was when it was noted.
    const mark = { stored: job.state.doneBytes, received: before, isRepair: false };
    const follow = (phase: DownloadState["phase"]): void => {
      if (this.#jobs.get(id) !== job || job.state.phase === "done") return;
      const receivedBytes = before + received.reduce((sum, each) => sum + each, 0);
      this.#set(job, { phase: phase === "running" && mark.isRepair ? "checking" : phase, receivedBytes, doneBytes: Math.min(job.model.bytes, mark.stored + receivedBytes - mark.received) });
    };
    const { source, sources } = openRemote(job.model, (file) => {
      const index = job.model.files.indexOf(file);
      return new RemoteSource(file, {
        onProgress: ({ receivedBytes, weather }) => {
          received[index] = receivedBytes;
          follow(weather);
        },
      });
    });
    this.#set(job, { phase: "running" });
    const stored = ({ phase, doneBytes }: LoadProgress): void => {
      if (phase !== "import" && phase !== "verify") return;
      Object.assign(mark, { stored: doneBytes, received: job.state.receivedBytes, isRepair: phase === "verify" });
      follow(job.state.phase === "checking" ? "running" : job.state.phase);
    };
    const ended = this.#import(job, source, stored, abort.signal).finally(() => {
      for (const each of sources) each.close();
      job.work = undefined;
      if (![...this.#jobs.values()].some(({ work }) => work)) return giveRoomBack();
      return undefined;
    });
    job.work = { abort, sources, ended };
  }

  /** Never rejects: how it ended is the job's state. */
  async #import(job: Job, source: ByteSource, onProgress: (progress: LoadProgress) => void, signal: AbortSignal): Promise<void> {
    const { model } = job;
    try {
      await reserveRoom(model.bytes - job.state.doneBytes);
      await importModel(await sharedDatabase(), source, { id: model.id, name: model.name, source: "remote", files: model.files }, onProgress, signal);
      this.#set(job, { phase: "done", doneBytes: model.bytes });
    } catch (thrown) {
      const { code, message, data } = toAppError(thrown);
      if (this.#jobs.get(model.id) !== job || code === "aborted") return;
      const needed = data["neededBytes"];
      if (code === "storage/quota") await giveRoomBack();
      this.#set(job, { phase: code === "storage/quota" ? "full" : "failed", problem: { code, message }, ...(typeof needed === "number" ? { neededBytes: needed } : {}) });
    }
  }

  #set(job: Job, change: Partial<Omit<DownloadState, "model">>): void {
    const { problem: _problem, neededBytes: _needed, ...state } = job.state;
    job.state = { ...state, ...change };
    const sudden = change.phase !== undefined && change.phase !== state.phase;
    const now = performance.now();
    if (sudden || now - this.#told >= TELL_MS) this.#tell();
    else this.#telling ??= setTimeout(() => this.#tell(), TELL_MS);
    if (sudden || now - this.#noted >= NOTE_MS) this.#note();
  }

  #tell(): void {
    clearTimeout(this.#telling);
    this.#telling = undefined;
    this.#told = performance.now();
    this.#onChange([...this.#jobs.values()].map(({ state }) => state));
  }

  /** What is agreed to, in storage: one write after another. A full or blocked storage forgets at most how it was steered. */
  #note(): void {
    this.#noted = performance.now();
    const agreed = [...this.#jobs.values()].filter(({ state }) => state.phase !== "done").map(({ model, state }): Agreed => ({ model, paused: state.phase === "paused", doneBytes: state.doneBytes }));
    this.#writing = this.#writing.then(() => openShelf<unknown>("settings")).then((shelf) => shelf.put(KEY, agreed)).catch((error: unknown) => void toAppError(error));
  }
}

function isAgreed(value: unknown): value is Agreed {
  if (typeof value !== "object" || value === null) return false;
  const { model, paused, doneBytes } = value as Partial<Agreed>;
  return typeof paused === "boolean" && typeof doneBytes === "number" && typeof model?.id === "string" && Array.isArray(model.files);
}
