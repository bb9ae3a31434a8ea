// The table of `npm run bench -- gpu` from what its jobs gave. Speeds of a model with more layers are read off a straight line
// through two measured ones: time = what every model takes (embedding, head, round trip) + layers × what a layer takes.
import type { Failed, Generation, OwnGeneration } from "./gpu-jobs.ts";
import type { KernelBench } from "./gpu-kernels.ts";
import type { Measurement } from "./measurement.ts";

/** Layers of the published model. */
export const PUBLISHED_LAYERS = 48;

/** One engine on models of two lengths, the shorter first. */
export interface EngineRuns {
  readonly name: string;
  readonly runs: readonly [Generation | Failed, Generation | Failed];
}

/** Milliseconds of a model with so many layers. */
export function atLayers(layers: number, [short, long]: readonly [{ readonly layers: number; readonly ms: number }, { readonly layers: number; readonly ms: number }]): number {
  const perLayer = (long.ms - short.ms) / (long.layers - short.layers);
  return long.ms + (layers - long.layers) * perLayer;
}

const row = (what: string, value: number, unit: string | undefined = ""): Measurement => ({ section: "gpu", what, value, unit });

export function kernelRows({ adapter, copies, figures, products }: KernelBench): Measurement[] {
  const rate = (bytes: number, microseconds: number): number => bytes / (microseconds * 1e-6);
  const roof = Math.max(...copies);
  return [
    row(`${adapter}: copyBufferToBuffer, read + written`, copies[0] / 1e9, "GB/s"),
    row(`${adapter}: copy by a kernel, read + written`, copies[1] / 1e9, "GB/s"),
    ...figures.flatMap(({ kernel, type, shape, bytes, inTurn, overlapped, copy, error }) => {
      const name = `${kernel} ${type} ${shape}`;
      const pace = (how: string, time: number | null): Measurement[] =>
        time === null || Number.isNaN(time) ? [] : [row(`${name}, ${how}`, time, "µs"), row(`${name}, ${how}`, rate(bytes, time) / 1e9, "GB/s"), row(`${name}, ${how}, ÷ the faster copy`, rate(bytes, time) / roof)];
      return [...pace("in turn", inTurn), row(`${name}, in turn, ÷ a copy that moves as many bytes`, copy / inTurn), ...pace("overlapped", overlapped), row(`${name}, largest error`, error, "of the largest result")];
    }),
    ...products.flatMap(({ kernel, type, shape, operations, inTurn, error }) => {
      const name = `${kernel} ${type} ${shape}`;
      return [row(name, inTurn, "µs"), row(name, rate(operations, inTurn) / 1e12, "TFLOP/s"), row(`${name}, largest error`, error, "of the largest result")];
    }),
  ];
}

/** What was timed of a generation: the prefill of each prompt, then a token of the decode. */
interface Step {
  readonly what: string;
  /** Tokens that `ms` is for. */
  readonly tokens: number;
  readonly ms: number;
}

function stepsOf({ prefill, decode }: Generation): readonly Step[] {
  return [...prefill.map(({ tokens, ms }) => ({ what: `prefill of ${tokens} tokens`, tokens, ms })), { what: "decode", tokens: 1, ms: decode.ms / decode.tokens }];
}

const speed = ({ tokens, ms }: Step): number => (tokens * 1000) / ms;

/** A step as measured in the longer model, and what it comes to in the published one where the shorter was measured too. */
interface Timed {
  readonly step: Step;
  readonly published?: Step;
}

/** Empty where the longer model did not run. */
function timesOf([short, long]: EngineRuns["runs"]): readonly Timed[] {
  if ("problem" in long) return [];
  if ("problem" in short) return stepsOf(long).map((step) => ({ step }));
  const shorter = stepsOf(short);
  return stepsOf(long).map((step, index) => {
    const ms = atLayers(PUBLISHED_LAYERS, [{ layers: short.layers, ms: shorter[index]?.ms ?? Number.NaN }, { layers: long.layers, ms: step.ms }]);
    return { step, published: { ...step, ms } };
  });
}

/** Ours first, then every other engine and how ours compares with it. An engine that did not run has one row that says why. */
export function modelRows(own: EngineRuns, others: readonly EngineRuns[]): Measurement[] {
  const ours = timesOf(own.runs);
  return [own, ...others].flatMap(({ name, runs }) => {
    const [short, long] = runs;
    const problems = [short, long].flatMap((run) => ("problem" in run ? [row(name, Number.NaN, run.problem.split("\n")[0])] : []));
    if ("problem" in long) return problems.slice(-1);
    const layers = `${long.layers} layers`;
    const rows = timesOf(runs).flatMap(({ step, published }, index) => {
      const mine = name === own.name ? undefined : ours[index];
      return [
        row(`${name}, ${layers}: ${step.what}`, speed(step), "tokens/s"),
        ...(published ? [row(`${name}, extrapolated to ${PUBLISHED_LAYERS} layers: ${step.what}`, speed(published), "tokens/s")] : []),
        ...(mine ? [row(`${own.name} ÷ ${name}, ${layers}: ${step.what}`, speed(mine.step) / speed(step))] : []),
        ...(mine?.published && published ? [row(`${own.name} ÷ ${name}, extrapolated: ${step.what}`, speed(mine.published) / speed(published))] : []),
      ];
    });
    return [...rows, ...problems];
  });
}

/** What our engine did for each decoded token, and where a token's time goes. */
export function ownRows(name: string, { layers, adapter, loadMs, dispatches, readbacks, hits, loadedBytes, parts }: OwnGeneration): Measurement[] {
  const experts = PUBLISHED_LAYERS * parts.experts;
  const mixers = (PUBLISHED_LAYERS / 4) * (3 * parts.deltanet + parts.attention);
  const published = parts.embedding + mixers + experts + parts.output + parts.roundTrip;
  const part = (what: string, ms: number): Measurement => row(`${name}, ${layers} layers: time of ${what}`, ms * 1000, "µs");
  return [
    row(`${name}, ${layers} layers: from file to ${adapter}`, loadMs / 1000, "s"),
    row(`${name}, ${layers} layers: dispatches per token`, dispatches),
    row(`${name}, ${layers} layers: readbacks per token`, readbacks),
    row(`${name}, ${layers} layers: expert hits in decode`, 100 * hits, "%"),
    row(`${name}, ${layers} layers: read from the file in decode`, loadedBytes / 1e6, "MB per token"),
    part("the embedding", parts.embedding),
    part("a delta rule layer up to its experts", parts.deltanet),
    part("an attention layer up to its experts", parts.attention),
    part("a layer's experts", parts.experts),
    part("the head", parts.output),
    part("a submission there and back", parts.roundTrip),
    row(`${name}, ${PUBLISHED_LAYERS} layers: decode, by the sum of these times`, 1000 / published, "tokens/s"),
  ];
}
