// One token's time, layer by layer, on demand: every part of the model gets a pass of its own between two timestamps.
// Nothing of it runs otherwise. Where the device has no timestamps, the host's clock times one submission a part, so that
// each figure holds a round trip, which is measured too and told.
import { throwIfAborted } from "../base/errors.ts";
import type { ExpertCache } from "../experts/cache.ts";
import type { Gpu } from "../gpu/device.ts";
import { type Dispatch, encode } from "../gpu/dispatch.ts";
import { Readback, readBuffer } from "../gpu/readback.ts";
import { Stamps } from "../gpu/stamps.ts";
import { packStep, routingBytes, RoutingView } from "../kernels/index.ts";
import type { ForwardShape } from "./forward.ts";
import type { PreparedModel, Workspace } from "./layers.ts";

/** Where one layer's time went. */
export interface LayerTime {
  readonly kind: "attention" | "deltanet";
  /** From the layer's input to its router. */
  readonly mixerMs: number;
  /** From the choice of experts to the layer's output. */
  readonly expertsMs: number;
  /** Until experts that had no slot were read: of the first token, as the next ones find them. */
  readonly loadMs: number;
  readonly missed: number;
}

/** Where one token's time went. */
export interface TokenProfile {
  /** `gpu`: timestamps of the device. `host`: the host's clock, a round trip in every figure. */
  readonly clock: "gpu" | "host";
  /** The figures are means over so many tokens. */
  readonly tokens: number;
  readonly embeddingMs: number;
  readonly layers: readonly LayerTime[];
  readonly outputMs: number;
  /** Of a submission that does nothing, there and back. */
  readonly roundTripMs: number;
}

/** Of a loaded model, lent for as long as the measurement takes. */
export interface ProfilerParts {
  readonly gpu: Gpu;
  readonly model: PreparedModel;
  readonly space: Workspace;
  readonly experts: ExpertCache;
  readonly shape: ForwardShape;
  readonly kinds: readonly LayerTime["kind"][];
}

/** What one run showed: the time of each part, and what waiting for experts took in each layer. */
interface Run {
  readonly partMs: readonly number[];
  readonly loads: readonly { readonly ms: number; readonly missed: number }[];
}

const ROUND_TRIPS = 5;
/** Parts in order: embedding, then mixer and experts of each layer, then the output. */
const expertsPart = (layer: number): number => 2 + 2 * layer;

/**
 * Times a token at a position `tokens` times over; `rewind` puts the sequence back after each. The caller sees to it
 * that nothing else uses the model meanwhile.
 */
export async function profileToken(parts: ProfilerParts, at: { readonly token: number; readonly position: number }, tokens: number, rewind: () => void, signal?: AbortSignal): Promise<TokenProfile> {
  const { gpu, shape, kinds } = parts;
  const clock = gpu.device.features.has("timestamp-query") ? "gpu" : "host";
  const roundTripMs = await roundTrip(gpu, parts.space);
  const runs: Run[] = [];
  for (let round = 0; round < tokens; round++) {
    throwIfAborted(signal, "Measuring");
    gpu.memory.write(parts.space.step, 0, packStep({ ...at, route: 0 }, shape.rotaryPairs, shape.ropeTheta));
    runs.push(await runOnce(parts, clock));
    rewind();
  }
  const mean = (part: number): number => runs.reduce((sum, { partMs }) => sum + partMs[part]!, 0) / runs.length;
  return {
    clock,
    tokens,
    embeddingMs: mean(0),
    layers: kinds.map((kind, layer) => ({ kind, mixerMs: mean(expertsPart(layer) - 1), expertsMs: mean(expertsPart(layer)), loadMs: runs[0]!.loads[layer]!.ms, missed: runs[0]!.loads[layer]!.missed })),
    outputMs: mean(1 + 2 * shape.layers),
    roundTripMs,
  };
}

async function roundTrip(gpu: Gpu, space: Workspace): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < ROUND_TRIPS; round++) {
    const started = performance.now();
    await readBuffer(gpu, space.routing, 0, 4);
    times.push(performance.now() - started);
  }
  return times.toSorted((a, b) => a - b)[ROUND_TRIPS >> 1]!;
}

function dispatchesOf({ embedding, layers, head }: PreparedModel): readonly (readonly Dispatch[])[] {
  return [embedding, ...layers.flatMap(({ mixer, experts }) => [mixer, experts]), head];
}

/** Runs every part once, going on after each miss from the layer that stalled. */
async function runOnce({ gpu, model, space, experts, shape }: ProfilerParts, clock: TokenProfile["clock"]): Promise<Run> {
  const parts = dispatchesOf(model);
  const { layers, topK } = shape;
  const stamps = clock === "gpu" ? new Stamps(gpu, parts.length) : undefined;
  const readback = new Readback(gpu, "profile", [{ buffer: space.routing, offset: 0, bytes: routingBytes(layers, topK) }]);
  const hostMs = parts.map(() => 0);
  const loads = Array.from({ length: layers }, () => ({ ms: 0, missed: 0 }));
  let counted = 0; // layers whose experts are counted
  try {
    for (let next = 0; next < parts.length; ) {
      const end = stamps ? parts.length : next + 1;
      const encoder = gpu.device.createCommandEncoder();
      for (let part = next; part < end; part++) encode(encoder, `part ${part}`, parts[part]!, stamps?.of(part));
      readback.encode(encoder);
      const started = performance.now();
      gpu.device.queue.submit([encoder.finish()]);
      const [bytes] = await readback.read();
      const view = new RoutingView(bytes!, topK);
      const done = view.stall?.layer ?? Math.floor((end - 1) / 2);
      for (; counted < Math.min(done, layers); counted++) experts.used(counted, view.experts(0, counted));
      hostMs[next] = performance.now() - started;
      next = end;
      if (!view.stall) continue;
      const waiting = performance.now();
      await experts.load(done, view.experts(0, done));
      loads[done] = { ms: performance.now() - waiting, missed: view.stall.missing.length };
      gpu.memory.write(space.routing, 0, new Uint32Array(1));
      counted = done + 1;
      next = expertsPart(done);
    }
    return { partMs: stamps ? await stamps.read() : hostMs, loads };
  } finally {
    readback.close();
    stamps?.close();
  }
}
