import { describe, expect, it } from "vitest";
import { route, routeReference } from "../../src/kernels/ops/route.ts";
import { NO_SLOT, RoutingView, routingBytes } from "../../src/kernels/routing.ts";
import { seeded } from "../support/kernel-random.ts";
import { runKernel, STALLED } from "../support/kernel-run.ts";

interface Case {
  readonly logits: Float32Array<ArrayBuffer>;
  readonly slots: Uint32Array<ArrayBuffer>;
  readonly experts: number;
  readonly topk: number;
  readonly layer: number;
  readonly layers: number;
  readonly route: number;
}

async function run({ logits, slots, experts, topk, layer, layers, route: at }: Case, header?: Uint32Array) {
  const before = new Uint32Array(routingBytes(at + layers, topk) / 4).fill(0xabcdef);
  before.set(header ?? new Uint32Array(4));
  const { routing } = await runKernel(route, { params: { experts, topk, layer, tokens: 1 }, constants: { lanes: topk % 2 === 0 ? 16 : 64 }, buffers: { logits, slots, step: new Uint32Array([5, 77, at, 0]), routing: before } });
  const bytes = new Uint8Array(routing!.buffer, routing!.byteOffset, routing!.byteLength).slice().buffer;
  return { view: new RoutingView(bytes, topk), words: new Uint32Array(bytes), floats: new Float32Array(bytes), before };
}

describe("route", () => {
  it("chooses, weighs and places the experts of any router", async () => {
    for (let seed = 1; seed <= 96; seed++) {
      const rng = seeded(seed);
      const experts = seed === 1 ? 1 : seed === 2 ? 512 : rng.int(1, 300);
      const topk = seed === 2 ? 10 : rng.int(1, Math.min(experts, 24));
      const layers = rng.int(1, 4);
      const layer = rng.int(0, layers - 1);
      // Every third case has many ties: the lower index must come first, as in the definition.
      const logits = rng.normal(experts + 1, 3).map((value) => (seed % 3 === 0 ? Math.round(value) : value));
      const slots = Uint32Array.from({ length: experts }, () => rng.int(0, 4000));
      const shape: Case = { logits, slots, experts, topk, layer, layers, route: rng.int(0, 3) * layers };
      const { view, floats } = await run(shape);
      const reference = routeReference(logits, slots, { experts, topk });
      const chosen = view.choices(shape.route, layer);
      expect(chosen.map(({ expert, slot }) => [expert, slot]), `seed ${seed}`).toEqual(reference.slice(0, topk).map(({ expert, slot }) => [expert, slot]));
      // exp of WGSL is good to 3 + 2|x| units in the last place, with |x| < 20 here.
      chosen.forEach(({ weight }, j) => expect(Math.abs(weight - reference[j]!.weight), `seed ${seed} weight ${j}`).toBeLessThan(5e-6));
      const gate = floats[4 + 4 * ((shape.route + layer) * (topk + 1) + topk) + 2]!;
      expect(Math.abs(gate - reference[topk]!.weight), `seed ${seed} gate`).toBeLessThan(5e-6);
      expect(view.stall).toBeUndefined();
    }
  });

  it("stalls naming layer, position and every missing expert, and still says what was chosen", async () => {
    const logits = new Float32Array([0, 9, 8, 7, 6, 0]);
    const slots = new Uint32Array([3, NO_SLOT, 1, NO_SLOT, 2]);
    const { view } = await run({ logits, slots, experts: 5, topk: 3, layer: 1, layers: 2, route: 2 });
    expect(view.stall).toEqual({ layer: 1, position: 77, missing: [1, 3] });
    expect(view.choices(2, 1).map(({ expert }) => expert)).toEqual([1, 2, 3]);
  });

  it("does not stall for an expert that was not chosen", async () => {
    const { view } = await run({ logits: new Float32Array([1, 2, 3]), slots: new Uint32Array([NO_SLOT, 0]), experts: 2, topk: 1, layer: 0, layers: 1, route: 0 });
    expect(view.stall).toBeUndefined();
  });

  it("chooses for many tokens at once without stalling", async () => {
    const [experts, topk, tokens] = [40, 3, 17];
    const logits = seeded(8).normal(tokens * (experts + 1), 2);
    const before = new Uint32Array(routingBytes(1, topk, tokens) / 4);
    const slots = new Uint32Array([NO_SLOT]);
    const { routing } = await runKernel(route, { params: { experts, topk, layer: 0, tokens }, constants: { stalls: 0 }, buffers: { logits, slots, step: new Uint32Array(4), routing: before } });
    const view = new RoutingView(new Uint8Array(routing!.buffer, routing!.byteOffset, routing!.byteLength).slice().buffer, topk);
    for (let token = 0; token < tokens; token++) {
      const row = logits.subarray(token * (experts + 1), (token + 1) * (experts + 1));
      const reference = routeReference(row, new Uint32Array(experts).fill(NO_SLOT), { experts, topk }).slice(0, topk);
      const chosen = view.choices(token, 0);
      expect(chosen.map(({ expert }) => expert), `token ${token}`).toEqual(reference.map(({ expert }) => expert));
      chosen.forEach(({ weight }, j) => expect(Math.abs(weight - reference[j]!.weight)).toBeLessThan(5e-6));
    }
    expect(view.stall).toBeUndefined();
  });

  it("chooses NaN last and never the same expert twice", async () => {
    const slots = Uint32Array.from({ length: 4 }, (_, e) => e);
    const some = await run({ logits: new Float32Array([NaN, -Infinity, 1, NaN, 0]), slots, experts: 4, topk: 3, layer: 0, layers: 1, route: 0 });
    expect(some.view.choices(0, 0).map(({ expert }) => expert)).toEqual([2, 1, 0]);
    const all = await run({ logits: new Float32Array(5).fill(NaN), slots, experts: 4, topk: 4, layer: 0, layers: 1, route: 0 });
    expect(all.view.choices(0, 0).map(({ expert }) => expert)).toEqual([0, 1, 2, 3]);
  });

  it("changes nothing after a miss", async () => {
    const { words, before } = await run({ logits: new Float32Array([1, 2, 3]), slots: new Uint32Array([0, 1]), experts: 2, topk: 1, layer: 0, layers: 1, route: 0 }, STALLED);
    expect([...words]).toEqual([...before]);
  });

  it("would not pass with a wrong definition", async () => {
    const logits = new Float32Array([1, 1, 0, 0]);
    const slots = new Uint32Array([5, 6, 7]);
    const { view } = await run({ logits, slots, experts: 3, topk: 2, layer: 0, layers: 1, route: 0 });
    const wrong = routeReference(logits.map((value) => -value), slots, { experts: 3, topk: 2 });
    expect(view.choices(0, 0).map(({ expert }) => expert)).not.toEqual(wrong.slice(0, 2).map(({ expert }) => expert));
  });
});
