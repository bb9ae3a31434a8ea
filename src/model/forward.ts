// Runs tokens through the prepared model. Work is queued layer by layer, across tokens where possible, and looked at once
// per submission: either everything ran, or some layer wanted an expert that has no slot and everything behind it did
// nothing. Then the experts are loaded and the work goes on from that layer's choice of experts.
import { AppError, throwIfAborted } from "../base/errors.ts";
import type { ExpertCache } from "../experts/cache.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Dispatch, encode } from "../gpu/dispatch.ts";
import { Readback } from "../gpu/readback.ts";
import { Stamps } from "../gpu/stamps.ts";
import { RoutingView, packStep, routingBytes, stepBytes } from "../kernels/index.ts";
import type { PreparedModel, Workspace } from "./layers.ts";
import { Pace } from "./pace.ts";

/** Tokens queued behind one another at most. */
export const TOKENS_AT_ONCE = 32;

export interface ForwardStats {
  readonly tokens: number;
  readonly dispatches: number;
  /** Times the host waited for the GPU's answer. */
  readonly readbacks: number;
}

export interface ForwardShape {
  readonly layers: number;
  readonly topK: number;
  readonly vocab: number;
  readonly rotaryPairs: number;
  readonly ropeTheta: number;
}

/** One token of the sequence. */
export interface SequenceToken {
  readonly token: number;
  readonly position: number;
  /** Read the logits after it. */
  readonly wanted: boolean;
}

/** Where the work stands: layer `layer` of tokens[token] is next; `chosen` if it ran up to its choice of experts. */
interface Cursor {
  readonly token: number;
  readonly layer: number;
  readonly chosen: boolean;
}

/** One submission: from a cursor, so many layers. */
interface Chunk {
  readonly from: Cursor;
  readonly layers: number;
  readonly lastToken: number;
  readonly wantsLogits: boolean;
}

export class Forward {
  readonly #gpu: Gpu;
  readonly #model: PreparedModel;
  readonly #space: Workspace;
  readonly #experts: ExpertCache;
  readonly #shape: ForwardShape;
  readonly #steps: GPUBuffer;
  readonly #stepStride: number;
  readonly #readbacks = new Map<string, Readback>();
  readonly #pace: Pace;
  #unfinished: readonly SequenceToken[] = [];
  #cursor: Cursor = { token: 0, layer: 0, chosen: false };
  #missed: { readonly layer: number; readonly experts: readonly number[] } | undefined;
  #stats: ForwardStats = { tokens: 0, dispatches: 0, readbacks: 0 };
  #clock: { readonly stamps: Stamps; passes: number; readonly most: number } | undefined;

  constructor(gpu: Gpu, model: PreparedModel, space: Workspace, experts: ExpertCache, shape: ForwardShape) {
    this.#gpu = gpu;
    this.#model = model;
    this.#space = space;
    this.#experts = experts;
    this.#shape = shape;
    this.#stepStride = stepBytes(shape.rotaryPairs);
    this.#steps = gpu.memory.storage("steps", TOKENS_AT_ONCE * this.#stepStride);
    this.#pace = new Pace(shape.layers, shape.layers * TOKENS_AT_ONCE);
    // Now, or a token in the midst of an answer would find no memory for its result.
    for (const tokens of [1, TOKENS_AT_ONCE]) for (const logits of [false, true]) this.#readback(tokens, logits);
  }

  get stats(): ForwardStats {
    return this.#stats;
  }

  /**
   * The logits after the last token that is `wanted`. Throws `aborted` once the signal has fired and no token is half
   * computed. When an expert cannot be read, the token that wanted it stays begun and the next call finishes it first.
   * After either, call `dropUnbegun` to take back the tokens behind.
   */
  async run(tokens: readonly SequenceToken[], signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer> | undefined> {
    this.#unfinished = [...this.#unfinished, ...tokens];
    let logits: Float32Array<ArrayBuffer> | undefined;
    while (this.#cursor.token < this.#unfinished.length) {
      if (!this.begun) throwIfAborted(signal, "Generating");
      logits = (await this.#advance(signal)) ?? logits;
    }
    this.#rebase();
    return logits;
  }

  /** A token is half computed: `run` threw in its midst. */
  get begun(): boolean {
    return this.#cursor.token < this.#unfinished.length && (this.#cursor.layer > 0 || this.#cursor.chosen);
  }

  /** Takes back the tokens that no kernel has seen, after `run` threw. Returns how many. */
  dropUnbegun(): number {
    this.#rebase();
    const kept = this.begun ? 1 : 0;
    const dropped = this.#unfinished.length - kept;
    this.#unfinished = this.#unfinished.slice(0, kept);
    return dropped;
  }

  /** Forgets work that was begun. The sequence it belonged to must be started anew. */
  reset(): void {
    this.#unfinished = [];
    this.#cursor = { token: 0, layer: 0, chosen: false };
    this.#missed = undefined;
    this.#gpu.memory.write(this.#space.routing, 0, new Uint32Array(1));
  }

  /** From now on the GPU times each pass, up to so many. False where it has no clock. */
  startClock(passes: number): boolean {
    this.#clock?.stamps.close();
    this.#clock = this.#gpu.device.features.has("timestamp-query") ? { stamps: new Stamps(this.#gpu, passes), passes: 0, most: passes } : undefined;
    return this.#clock !== undefined;
  }

  /** Milliseconds of each pass since `startClock`, which ends. */
  async stopClock(): Promise<readonly number[]> {
    const clock = this.#clock;
    this.#clock = undefined;
    if (!clock) return [];
    try {
      return (await clock.stamps.read()).slice(0, clock.passes);
    } finally {
      clock.stamps.close();
    }
  }

  close(): void {
    this.#clock?.stamps.close();
    for (const readback of this.#readbacks.values()) readback.close();
    this.#gpu.memory.free(this.#steps);
  }

  /** Lets go of the tokens that are done. */
  #rebase(): void {
    this.#unfinished = this.#unfinished.slice(this.#cursor.token);
    this.#cursor = { ...this.#cursor, token: 0 };
  }

  /** One submission and what it showed. The logits if a wanted token was completed. */
  async #advance(signal: AbortSignal | undefined): Promise<Float32Array<ArrayBuffer> | undefined> {
    await this.#resolve();
    const chunk = this.#plan(signal?.aborted === true);
    const readback = this.#submit(chunk);
    const started = performance.now();
    const [routing, logits] = await readback.read();
    this.#stats = { ...this.#stats, readbacks: this.#stats.readbacks + 1 };
    const view = new RoutingView(routing!, this.#shape.topK);
    const { stall } = view;
    if (!stall) {
      this.#account(chunk, view, chunk.layers);
      this.#pace.passed(chunk.layers, performance.now() - started);
      this.#moveBy(chunk.layers);
      return logits && new Float32Array(logits);
    }
    if (this.#experts.holdsAll) throw new AppError("bug", `Layer ${stall.layer} found no slot for an expert although all have one.`);
    const token = stall.position - this.#unfinished[chunk.from.token]!.position;
    const done = token * this.#shape.layers + stall.layer - chunk.from.layer;
    this.#account(chunk, view, done);
    this.#pace.missed(done - (chunk.from.chosen ? 1 : 0));
    this.#moveBy(done);
    this.#cursor = { ...this.#cursor, chosen: true };
    this.#missed = { layer: stall.layer, experts: view.experts(token * this.#shape.layers, stall.layer) };
    return undefined;
  }

  /** Loads what a stalled layer wants. Left undone by an error, it is tried again before the next submission. */
  async #resolve(): Promise<void> {
    if (!this.#missed) return;
    await this.#experts.load(this.#missed.layer, this.#missed.experts);
    this.#missed = undefined;
    this.#gpu.memory.write(this.#space.routing, 0, new Uint32Array(1));
  }

  /** Up to the next token whose logits are wanted. `finish`: only to the end of the token that is begun. */
  #plan(finish: boolean): Chunk {
    const from = this.#cursor;
    const { layers } = this.#shape;
    const tokens = Math.min(this.#unfinished.length - from.token, finish ? 1 : TOKENS_AT_ONCE);
    const wanted = this.#unfinished.findIndex((token, index) => index >= from.token && token.wanted);
    const toWanted = wanted < 0 ? Infinity : (wanted - from.token + 1) * layers - from.layer;
    // A layer taken up again cannot miss: it is not counted.
    const count = Math.min(tokens * layers - from.layer, toWanted, this.#pace.amount + (from.chosen ? 1 : 0));
    return { from, layers: count, lastToken: from.token + Math.floor((from.layer + count - 1) / layers), wantsLogits: count === toWanted };
  }

  #submit({ from, layers: count, lastToken, wantsLogits }: Chunk): Readback {
    const { layers, rotaryPairs, ropeTheta } = this.#shape;
    const encoder = this.#gpu.device.createCommandEncoder();
    const steps = new Uint8Array((lastToken - from.token + 1) * this.#stepStride);
    const end = from.token * layers + from.layer + count;
    for (let token = from.token; token <= lastToken; token++) {
      const { token: id, position, wanted } = this.#unfinished[token]!;
      const index = token - from.token;
      steps.set(packStep({ token: id, position, route: index * layers }, rotaryPairs, ropeTheta), index * this.#stepStride);
      encoder.copyBufferToBuffer(this.#steps, index * this.#stepStride, this.#space.step, 0, this.#stepStride);
      const dispatches: Dispatch[] = [];
      const first = index === 0 ? from.layer : 0;
      const last = Math.min(layers, end - token * layers);
      if (first === 0 && !(index === 0 && from.chosen)) dispatches.push(...this.#model.embedding);
      for (let layer = first; layer < last; layer++) {
        const prepared = this.#model.layers[layer]!;
        if (!(index === 0 && layer === from.layer && from.chosen)) dispatches.push(...prepared.mixer);
        dispatches.push(...prepared.experts);
      }
      if (wanted && last === layers) dispatches.push(...this.#model.head);
      const clock = this.#clock;
      encode(encoder, `position ${position}`, dispatches, clock && clock.passes < clock.most ? clock.stamps.of(clock.passes++) : undefined);
      this.#stats = { ...this.#stats, dispatches: this.#stats.dispatches + dispatches.length };
    }
    this.#gpu.memory.write(this.#steps, 0, steps);
    const readback = this.#readback(lastToken === from.token ? 1 : TOKENS_AT_ONCE, wantsLogits);
    readback.encode(encoder);
    this.#gpu.device.queue.submit([encoder.finish()]);
    return readback;
  }

  #readback(tokens: number, logits: boolean): Readback {
    const { layers, topK, vocab } = this.#shape;
    const bytes = routingBytes(layers, topK, tokens);
    const key = `${bytes}/${logits}`;
    const known = this.#readbacks.get(key);
    if (known) return known;
    const parts = [{ buffer: this.#space.routing, offset: 0, bytes }, ...(logits ? [{ buffer: this.#space.logits, offset: 0, bytes: vocab * 4 }] : [])];
    const made = new Readback(this.#gpu, `result of ${key}`, parts);
    this.#readbacks.set(key, made);
    return made;
  }

  /** Counts the experts of the first `done` layers of a chunk; one taken up again was counted when it was loaded. */
  #account({ from }: Chunk, view: RoutingView, done: number): void {
    const { layers } = this.#shape;
    for (let i = from.chosen ? 1 : 0; i < done; i++) {
      const at = from.layer + i;
      const token = Math.floor(at / layers);
      this.#experts.used(at % layers, view.experts(token * layers, at % layers));
    }
  }

  #moveBy(done: number): void {
    const { layers } = this.#shape;
    const at = this.#cursor.token * layers + this.#cursor.layer + done;
    const token = Math.floor(at / layers);
    this.#stats = { ...this.#stats, tokens: this.#stats.tokens + token - this.#cursor.token };
    this.#cursor = { token, layer: at % layers, chosen: done === 0 && this.#cursor.chosen };
  }
}
