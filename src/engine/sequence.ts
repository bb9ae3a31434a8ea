// The one sequence of ids that a model holds the state of. A new prompt computes only what it adds: the sequence is cut back
// to the last place that both share, and goes on from there. When the model's GPU is lost, the sequence asks for another one
// and computes its ids again: whoever waits for logits gets them, later.
import { type AppError, abortedError, toAppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Transformer } from "../model/transformer.ts";
import { KeptTurns } from "./kept-turns.ts";

/** What of a model runs a sequence. */
export type SequenceModel = Pick<Transformer, "forward" | "forwardAll" | "reset" | "snapshot" | "truncate" | "begun" | "position" | "contextTokens" | "expertSlots" | "stats" | "profile" | "close">;

/** Told as it goes: in a long prompt after every layer of a chunk, so that a stop may take some of it back. */
export type OnComputed = (doneTokens: number, totalTokens: number) => void;

/** A part of a prompt that touches so few experts that reading them again costs little. */
const SHORT_TOKENS = 8;

/** What the sequence needs to survive a loss of its model's GPU. */
export interface Reviver {
  /** What is behind an error of the model's. */
  cause(error: unknown): Promise<AppError>;
  /** The same model on a GPU that works; the old one is closed. Throws when that is given up, or stopped. */
  revive(lost: AppError): Promise<SequenceModel>;
}

const MORTAL: Reviver = { cause: async (error) => toAppError(error), revive: (lost) => Promise.reject(lost) };
const NO_EXPERTS = { uses: 0, hits: 0, loadedBytes: 0 };

/** Owns its model, and each that takes its place. */
export class Sequence {
  /** Told after every chunk of a prompt, and of a sequence that is computed again. */
  onComputed: OnComputed = () => undefined;
  readonly #reviver: Reviver;
  #model: SequenceModel;
  /** What the models before this one counted. */
  #counted = NO_EXPERTS;
  /** Ids whose state the model holds. */
  #ids: number[] = [];
  /** Where the model can go back to: the user's messages, and each prompt's last token but one. */
  readonly #turns = new KeptTurns({ gpuBytes: LIMITS.snapshotGpuBytes, memoryBytes: LIMITS.snapshotMemoryBytes, most: LIMITS.snapshots });

  constructor(model: SequenceModel, reviver: Reviver = MORTAL) {
    this.#model = model;
    this.#reviver = reviver;
  }

  get model(): SequenceModel {
    return this.#model;
  }

  /** Uses, hits and bytes of experts since the sequence was made. */
  get experts(): typeof NO_EXPERTS {
    const { uses, hits, loadedBytes } = this.#model.stats.experts;
    const before = this.#counted;
    return { uses: before.uses + uses, hits: before.hits + hits, loadedBytes: before.loadedBytes + loadedBytes };
  }

  get ids(): readonly number[] {
    return this.#ids;
  }

  /** Beginnings that a prompt can go on from, longest first. */
  get beginnings(): readonly (readonly number[])[] {
    return [this.#ids, ...this.#turns.positions.map((position) => this.#ids.slice(0, position))];
  }

  /** Cuts the sequence back to a beginning of `ids`, keeping as much as possible but not all of them; returns how much was kept. */
  rewind(ids: readonly number[]): number {
    const known = this.#ids;
    // The last id is always computed: its logits choose what comes.
    const most = Math.min(known.length, ids.length - 1);
    let shared = 0;
    while (shared < most && known[shared] === ids[shared]) shared++;
    if (shared === known.length) return shared;
    const nearest = this.#turns.nearest(shared);
    if (!nearest) {
      this.forget();
      return 0;
    }
    this.#model.truncate(nearest);
    this.#turns.cut(nearest.position);
    this.#ids.length = nearest.position;
    return nearest.position;
  }

  /** Computes what `ids` adds to the sequence, which is a beginning of it; the logits after the last. `turns`: places worth going back to. */
  async extend(ids: readonly number[], turns: readonly number[], signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer>> {
    const last = ids.length - 1;
    for (const turn of this.#stopsAt(turns, last)) {
      await this.#computeTo(turn, ids, signal);
      await this.#keep(true);
    }
    await this.#computeTo(last, ids, signal);
    await this.#keep(false);
    const logits = await this.compute([ids[last]!], signal);
    this.onComputed(ids.length, ids.length);
    return logits;
  }

  /** Appends ids; the logits after the last. What was stopped, or refused, is not part of the sequence. */
  async compute(ids: readonly number[], signal: AbortSignal | undefined, onTokens?: (doneTokens: number) => void): Promise<Float32Array<ArrayBuffer>> {
    const before = this.#ids.length;
    this.#ids.push(...ids);
    try {
      const logits = await this.#model.forward(ids, signal, onTokens);
      this.#ids.length = this.#model.position;
      return logits;
    } catch (error) {
      const cause = signal?.aborted ? toAppError(error) : await this.#reviver.cause(error);
      const isLost = cause.code === "gpu/lost";
      this.#ids.length = isLost ? before : this.#model.position;
      if (signal?.aborted) throw abortedError("Generating");
      if (!isLost) throw cause;
      return this.#again([...this.#ids, ...ids], cause, signal);
    }
  }

  /** Everything once more, on another GPU. */
  async #again(ids: readonly number[], lost: AppError, signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer>> {
    const { experts } = this;
    const model = await this.#reviver.revive(lost);
    this.#turns.clear();
    this.#ids = [];
    this.#counted = experts;
    this.#model = model;
    return this.extend(ids, [], signal);
  }

  /** The logits after every token of a new sequence: `[tokens, vocab]`. */
  async evaluateAll(ids: readonly number[], signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer>> {
    this.forget();
    try {
      return await this.#model.forwardAll(ids, signal);
    } finally {
      this.#ids = ids.slice(0, this.#model.position);
    }
  }

  /** The model's state was put in its place: it is that of these ids. */
  adopt(ids: readonly number[]): void {
    this.#turns.clear();
    this.#ids = [...ids];
  }

  forget(): void {
    this.#turns.clear();
    this.#ids = [];
    this.#model.reset();
  }

  close(): void {
    this.#turns.clear();
    this.#model.close();
  }

  /** The turns that lie ahead. To stop at one reads the experts of both sides: cheap where all have a slot, or one side is short. */
  #stopsAt(turns: readonly number[], last: number): readonly number[] {
    const { slots, experts } = this.#model.expertSlots;
    const begun = this.#ids.length;
    const ahead = turns.filter((turn) => turn > begun && turn < last);
    return slots >= experts ? ahead : ahead.filter((turn) => turn - begun <= SHORT_TOKENS || last - turn <= SHORT_TOKENS);
  }

  async #computeTo(end: number, ids: readonly number[], signal: AbortSignal | undefined): Promise<void> {
    const begun = this.#ids.length;
    if (begun >= end) return;
    await this.compute(ids.slice(begun, end), signal, (done) => this.onComputed(begun + done, ids.length));
    this.onComputed(end, ids.length);
  }

  /** Makes this place one to go back to. Where there is no memory for it the conversation is computed again instead. */
  async #keep(turn: boolean): Promise<void> {
    const here = this.#ids.length;
    // A token that waits for an expert is no place to come back to: it is finished first.
    if (here === 0 || this.#model.begun || this.#turns.has(here)) return;
    try {
      this.#turns.add(await this.#model.snapshot(), turn);
      await this.#turns.settle();
    } catch (error) {
      // A loss is met again, and mended, by what is computed next.
      const { code } = await this.#reviver.cause(error);
      if (code !== "gpu/memory" && code !== "gpu/lost") throw error;
    }
  }
}
