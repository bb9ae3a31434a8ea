// Runs a prompt's many tokens, layer by layer: a whole chunk through layer 0, then through layer 1, and so on. In a layer the
// chunk goes segment by segment through mixer and router; then the host reads what was chosen, once, and takes the experts in
// batches, each expert for all its tokens. Nothing of the result depends on segments, batches or what lay in which slot.
import { AppError, throwIfAborted } from "../base/errors.ts";
import { type Dispatch, encode } from "../gpu/dispatch.ts";
import { Readback } from "../gpu/readback.ts";
import { DELTA_CHUNK, matmulFor, packStep, routingBytes, stepBytes } from "../kernels/index.ts";
import type { ForwardStats } from "./forward.ts";
import { Flow, Pace } from "./pace.ts";
import { type Batch, SortedPairs } from "./prefill-batches.ts";
import { type PrefillExperts, type PrefillModel, type PrefillParts, type Sized, preparePrefill } from "./prefill-layers.ts";
import { type PrefillSizes, nextChunk } from "./prefill-plan.ts";
import { openPrefillSpace } from "./prefill-space.ts";
import type { Snapshot } from "./state.ts";

/** The first submission, and the shortest: tokens, and pairs. Segments are whole chunks of the delta rule: their sums do not depend on the pace. */
const LEAST_TOKENS = DELTA_CHUNK;
const LEAST_PAIRS = 128;
/** With every expert in a slot a chunk saves no reading, and is what a stop throws away: a second or two of work. */
const CHUNK_MS = 2000;
const FIRST_CHUNK = 256;
/** Segments, or batches, queued behind one another at most. */
const MOST_QUEUED = 8;
/** Experts brought together: enough to keep the store busy, few enough that little is evicted before its turn. */
const EXPERTS_AT_ONCE = 8;

export interface PrefillStats extends ForwardStats {
  readonly chunks: number;
  /** Bytes of the experts that the chunks' tokens chose, each counted once a chunk and layer. */
  readonly touchedBytes: number;
}

/** Tokens that go through the layers together. */
interface Chunk {
  readonly tokens: readonly number[];
  readonly position: number;
  /** The prompt ends with it. */
  readonly last: boolean;
  readonly each: OnLogits | undefined;
  readonly signal: AbortSignal | undefined;
}

type OnCount = (tokens: number) => void;
type OnLogits = (logits: Float32Array<ArrayBuffer>) => void;

export class Prefill {
  readonly sizes: PrefillSizes;
  readonly #parts: PrefillParts;
  readonly #model: PrefillModel;
  readonly #head: readonly Dispatch[];
  readonly #tileRows: number;
  readonly #tokenFlow: Flow;
  readonly #pairFlow: Flow;
  readonly #readbacks = new Map<string, Readback>();
  #chunkTokens = FIRST_CHUNK;
  #stats: PrefillStats = { tokens: 0, dispatches: 0, readbacks: 0, chunks: 0, touchedBytes: 0 };

  private constructor(parts: PrefillParts, model: PrefillModel, head: readonly Dispatch[], sizes: PrefillSizes) {
    this.#parts = parts;
    this.#model = model;
    this.#head = head;
    this.sizes = sizes;
    this.#tileRows = matmulFor(parts.gpu.report.software).tileRows;
    this.#tokenFlow = new Flow(new Pace(LEAST_TOKENS, sizes.segment * MOST_QUEUED));
    this.#pairFlow = new Flow(new Pace(LEAST_PAIRS, sizes.pairs * MOST_QUEUED));
  }

  /** Throws `gpu/memory`; nothing stays then. `head`: the output of decode, over its workspace. */
  static async open(parts: Omit<PrefillParts, "many">, head: readonly Dispatch[], sizes: PrefillSizes): Promise<Prefill> {
    const { gpu, plan } = parts;
    const many = await openPrefillSpace(gpu, plan, sizes);
    try {
      const model = await gpu.memory.within("the parameters of many tokens", () => preparePrefill({ ...parts, many }));
      return new Prefill({ ...parts, many }, model, head, sizes);
    } catch (error) {
      for (const buffer of Object.values(many)) gpu.memory.free(buffer);
      throw error;
    }
  }

  get stats(): PrefillStats {
    return this.#stats;
  }

  /**
   * Appends the tokens to the sequence at `position`; the logits after the last. After every chunk `onChunk` is told how many
   * tokens it had, which are done for good: what throws later, `aborted` or an expert that cannot be read, leaves the sequence
   * there. Undefined when there is no memory to make that sure: the rest has to be computed otherwise. `each` is given the logits
   * after every token, in order, a chunk's at its end: one product with the output matrix and one readback each.
   */
  async run(tokens: readonly number[], position: number, onChunk: OnCount, onProgress: OnCount, signal?: AbortSignal, each?: OnLogits): Promise<Float32Array<ArrayBuffer> | undefined> {
    for (let done = 0; ; ) {
      throwIfAborted(signal, "Generating");
      const count = nextChunk(tokens.length - done, this.#asked, this.sizes);
      const chunk: Chunk = { tokens: tokens.slice(done, done + count), position: position + done, last: done + count === tokens.length, each, signal };
      const undo = await this.#undo(chunk.position);
      if (!undo) return undefined;
      const started = performance.now();
      const begun = done;
      const logits = await undo(() => this.#chunk(chunk, (part) => onProgress(begun + part)));
      this.#chunkTokens = Math.max(FIRST_CHUNK, Math.min(2 * this.#chunkTokens, Math.floor((count * CHUNK_MS) / (performance.now() - started))));
      done += count;
      this.#stats = { ...this.#stats, tokens: this.#stats.tokens + count, chunks: this.#stats.chunks + 1 };
      onChunk(count);
      if (chunk.last) return logits;
    }
  }

  close(): void {
    for (const readback of this.#readbacks.values()) readback.close();
    for (const buffer of Object.values(this.#parts.many)) this.#parts.gpu.memory.free(buffer);
  }

  get #asked(): number {
    const { experts, plan } = this.#parts;
    const streams = plan.config.moe.experts > 0 && !experts.holdsAll;
    return streams ? this.sizes.tokens : Math.min(this.sizes.tokens, this.#chunkTokens);
  }

  /**
   * Runs what it is given, and puts the recurrent state back where it is now if that throws. Undefined where there is no memory
   * for a copy. At position 0 none is needed: there the state counts as zero, whatever the buffers hold.
   */
  async #undo(position: number): Promise<(<T>(work: () => Promise<T>) => Promise<T>) | undefined> {
    const { state } = this.#parts;
    if (position === 0) return (work) => work();
    let snapshot: Snapshot;
    try {
      snapshot = await state.take(position);
    } catch (error) {
      if (error instanceof AppError && error.code === "gpu/memory") return undefined;
      throw error;
    }
    return async (work) => {
      try {
        return await work();
      } catch (error) {
        state.restore(snapshot);
        throw error;
      } finally {
        snapshot.close();
      }
    };
  }

  /** All layers of one chunk. The logits after its last token, if it is the prompt's last. */
  async #chunk({ tokens, position, last, each, signal }: Chunk, onProgress: OnCount): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { gpu, many, records, plan: { config } } = this.#parts;
    const { layers } = this.#model;
    gpu.memory.write(many.ids, 0, Uint32Array.from(tokens));
    this.#submit("prefill embedding", this.#model.embedding.map((sized) => sized(tokens.length)));
    for (const [index, { segment, experts }] of layers.entries()) {
      if (experts) {
        const choices = this.#readback("choices", many.routing, routingBytes(1, config.moe.topK, roundUp(tokens.length, this.sizes.tokens)));
        const bytes = await this.#segments(segment, tokens.length, position, [experts.route(tokens.length)], choices, signal);
        const pairs = new SortedPairs(readChoices(bytes!, tokens.length, config.moe.topK), config.moe.experts);
        this.#stats = { ...this.#stats, touchedBytes: this.#stats.touchedBytes + pairs.experts.length * records[index]!.bytes };
        await this.#experts(index, experts, pairs, signal);
      } else await this.#segments(segment, tokens.length, position, [], undefined, signal);
      onProgress(Math.floor((tokens.length * (index + 1)) / layers.length));
    }
    let logits: Float32Array<ArrayBuffer> | undefined;
    if (each) {
      for (let row = 0; row < tokens.length; row++) {
        throwIfAborted(signal, "Generating");
        each((logits = await this.#logits(row)));
      }
    }
    if (last) return logits ?? this.#logits(tokens.length - 1);
    this.#submit("prefill end", [], this.#fence);
    await this.#wait(this.#fence, this.#pairFlow, undefined);
    return undefined;
  }

  /** The chunk's tokens through what needs no choice of experts; `behind` what follows the last. The bytes of `result`, if one is wanted. */
  async #segments(dispatches: readonly Sized[], tokens: number, position: number, behind: readonly Dispatch[], result: Readback | undefined, signal: AbortSignal | undefined): Promise<ArrayBuffer | undefined> {
    for (let first = 0; first < tokens; ) {
      const count = Math.min(this.sizes.segment, Math.floor(this.#tokenFlow.amount / LEAST_TOKENS) * LEAST_TOKENS, tokens - first);
      const last = first + count === tokens;
      this.#writeSegment(count, position + first, first);
      const full = this.#tokenFlow.add(count);
      const awaited = last && result ? result : full ? this.#fence : undefined;
      this.#submit(`prefill ${position + first}`, [...dispatches.map((sized) => sized(count)), ...(last ? behind : [])], awaited);
      first += count;
      if (!awaited) continue;
      const bytes = await this.#wait(awaited, this.#tokenFlow, signal);
      if (last && result) return bytes;
    }
    return undefined;
  }

  /** The routed experts of a layer, each for all the chunk's tokens that chose it. */
  async #experts(layer: number, sized: PrefillExperts, pairs: SortedPairs, signal: AbortSignal | undefined): Promise<void> {
    const { experts: cache } = this.#parts;
    const mostExperts = cache.holdsAll ? Infinity : Math.min(EXPERTS_AT_ONCE, cache.slotsFor(layer));
    for (let from = 0; from < pairs.length; ) {
      const batch = pairs.batch(from, Math.min(this.sizes.pairs, this.#pairFlow.amount), mostExperts, this.#tileRows);
      const { experts, uses, order, tiles, sums } = batch;
      const later = pairs.experts.filter((expert) => expert > experts.at(-1)!);
      // The batch before runs meanwhile: what is put into a slot comes behind it in the queue.
      this.#writeBatch(batch, await cache.serve(layer, experts, uses, later, signal));
      const awaited = this.#pairFlow.add(order.length) ? this.#fence : undefined;
      this.#submit(
        `prefill experts of ${layer}`,
        [sized.gate(tiles.length), sized.up(tiles.length), sized.swiglu(order.length), sized.down(tiles.length), sized.combine(sums.length / 4)],
        awaited,
      );
      if (awaited) await this.#wait(awaited, this.#pairFlow, signal);
      from += order.length;
    }
  }

  async #wait(result: Readback, flow: Flow, signal: AbortSignal | undefined): Promise<ArrayBuffer> {
    const [bytes] = await result.read();
    flow.waited();
    this.#stats = { ...this.#stats, readbacks: this.#stats.readbacks + 1 };
    throwIfAborted(signal, "Generating");
    return bytes!;
  }

  async #logits(row: number): Promise<Float32Array<ArrayBuffer>> {
    const { gpu, many, space, plan } = this.#parts;
    const bytes = plan.config.hidden * 4;
    const encoder = gpu.device.createCommandEncoder();
    encoder.copyBufferToBuffer(many.x, row * bytes, space.x, 0, bytes);
    gpu.device.queue.submit([encoder.finish()]);
    const logits = this.#readback("logits", space.logits, plan.vocab * 4);
    this.#submit("prefill output", this.#head, logits);
    return new Float32Array(await this.#wait(logits, this.#pairFlow, undefined));
  }

  #writeSegment(tokens: number, position: number, first: number): void {
    const { gpu, many, plan } = this.#parts;
    const { rotaryDim, theta } = plan.config.attention;
    gpu.memory.write(many.segment, 0, Uint32Array.of(tokens, position, first, 0));
    if (rotaryDim === 0) return;
    const rope = new Float32Array(tokens * rotaryDim);
    const header = stepBytes(0) - 8;
    for (let t = 0; t < tokens; t++) rope.set(new Float32Array(packStep({ token: 0, position: position + t, route: 0 }, rotaryDim / 2, theta).buffer, header, rotaryDim), t * rotaryDim);
    gpu.memory.write(many.rope, 0, rope);
  }

  #writeBatch({ experts, tiles, pairs, sums, order }: Batch, slots: readonly number[]): void {
    const { gpu, many } = this.#parts;
    const slotOf = new Map(experts.map((expert, i) => [expert, slots[i]!]));
    gpu.memory.write(many.tiles, 0, Uint32Array.from(tiles.flatMap(({ expert, first, pairs: count }) => [slotOf.get(expert)!, first, count, 0])));
    gpu.memory.write(many.pairs, 0, pairs);
    gpu.memory.write(many.sums, 0, sums);
    gpu.memory.write(many.order, 0, order);
  }

  #submit(label: string, dispatches: readonly Dispatch[], result?: Readback): void {
    const encoder = this.#parts.gpu.device.createCommandEncoder();
    encode(encoder, label, dispatches);
    result?.encode(encoder);
    this.#parts.gpu.device.queue.submit([encoder.finish()]);
    this.#stats = { ...this.#stats, dispatches: this.#stats.dispatches + dispatches.length };
  }

  /** Read only to know that all before it has run. */
  get #fence(): Readback {
    return this.#readback("end", this.#parts.many.segment, 16);
  }

  #readback(what: string, buffer: GPUBuffer, bytes: number): Readback {
    const key = `${what} ${bytes}`;
    const known = this.#readbacks.get(key) ?? new Readback(this.#parts.gpu, `prefill ${key}`, [{ buffer, offset: 0, bytes }]);
    this.#readbacks.set(key, known);
    return known;
  }
}

/** Few sizes, so that few buffers are made; at most `most`. */
function roundUp(tokens: number, most: number): number {
  let size = 64;
  while (size < tokens) size *= 2;
  return Math.min(size, most);
}

/** Out of the routing buffer: src/kernels/routing.ts. */
function readChoices(bytes: ArrayBuffer, tokens: number, topK: number): ConstructorParameters<typeof SortedPairs>[0] {
  const words = new Uint32Array(bytes);
  const floats = new Float32Array(bytes);
  const experts = new Uint32Array(tokens * topK);
  const weights = new Float32Array(tokens * topK);
  for (let token = 0; token < tokens; token++) {
    for (let j = 0; j < topK; j++) {
      const at = 4 + 4 * (token * (topK + 1) + j);
      experts[token * topK + j] = words[at]!;
      weights[token * topK + j] = floats[at + 2]!;
    }
  }
  return { tokens, topK, experts, weights };
}
