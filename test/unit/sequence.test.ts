// The sequence over a model that notices any state that is not of its tokens (test/support/sequence-model.ts).
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dispensable, type Place } from "../../src/engine/kept-turns.ts";
import { Sequence } from "../../src/engine/sequence.ts";
import { turnStarts } from "../../src/tokenizer/turn-starts.ts";
import { LIMITS } from "../../src/base/limits.ts";
import { HashModel, hashOf } from "../support/sequence-model.ts";
import { qwenTokenizer } from "../support/tokenizer.ts";

const ids = (count: number, seed: number): number[] => Array.from({ length: count }, (_, i) => (seed * 1000 + i * 7) % 997);

async function ask(sequence: Sequence, prompt: readonly number[], turns: readonly number[] = []): Promise<{ readonly reused: number; readonly hash: number }> {
  const reused = sequence.rewind(prompt);
  const logits = await sequence.extend(prompt, turns, undefined);
  return { reused, hash: logits[0]! };
}

describe("a sequence", () => {
  const [one, two, three] = [ids(40, 1), ids(30, 2), ids(20, 3)];

  it("computes only what a longer prompt adds", async () => {
    const model = new HashModel();
    const sequence = new Sequence(model);
    await ask(sequence, one);
    expect(await ask(sequence, [...one, ...two])).toEqual({ reused: 40, hash: hashOf([...one, ...two]) });
    expect(model.computed).toBe(70);
  });

  it("goes back to where an edited message begins, and back again to the branch that was left", async () => {
    const sequence = new Sequence(new HashModel());
    await ask(sequence, [...one, ...two, ...three], [10, 40, 70]);
    expect((await ask(sequence, [...one, ...three], [10, 40])).reused).toBe(40);
    // The edit wrote over the keys and values behind it: the old branch is computed again from the fork on, and no earlier.
    expect(await ask(sequence, [...one, ...two, ...three])).toEqual({ reused: 40, hash: hashOf([...one, ...two, ...three]) });
  });

  it("keeps the beginning, and asks for the same again at the cost of one token", async () => {
    const sequence = new Sequence(new HashModel());
    await ask(sequence, [...one, ...two], [10]);
    expect((await ask(sequence, [...one, ...two])).reused).toBe(69);
    expect((await ask(sequence, [...one.slice(0, 12), ...three])).reused).toBe(10);
    expect((await ask(sequence, ids(50, 9))).reused).toBe(0);
  });

  it("does not stop midway in a prompt whose experts are read from storage, except where one side is short", async () => {
    const sequence = new Sequence(new HashModel({ slots: 1 }));
    await ask(sequence, [...one, ...two], [20, 68]);
    expect(sequence.beginnings.map(({ length }) => length)).toEqual([70, 69, 68]);
  });

  it("is always exactly its tokens, whatever is asked after whatever, and closes every snapshot it does not keep", async () => {
    const prompt = fc.record({ cut: fc.nat(120), more: fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }), turns: fc.array(fc.nat(150), { maxLength: 4 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(prompt, { minLength: 1, maxLength: 25 }), fc.constantFrom(10, LIMITS.snapshotGpuBytes / 2, LIMITS.snapshotGpuBytes * 2), async (prompts, snapshotBytes) => {
        const model = new HashModel({ snapshotBytes });
        const sequence = new Sequence(model);
        let last: readonly number[] = [];
        for (const { cut, more, turns } of prompts) {
          const next = [...last.slice(0, cut), ...more];
          const shared = next.findIndex((id, i) => last[i] !== id);
          const { reused, hash } = await ask(sequence, next, turns.toSorted((a, b) => a - b));
          expect(hash).toBe(hashOf(next));
          expect(reused).toBeLessThanOrEqual(shared < 0 ? next.length - 1 : shared);
          expect(sequence.ids).toEqual(next);
          expect(model.open.size).toBe(sequence.beginnings.length - 1);
          const onGpu = [...model.open].filter((snapshot) => snapshot.onGpu).length;
          expect(onGpu === 1 || onGpu * snapshotBytes <= LIMITS.snapshotGpuBytes).toBe(true);
          last = next;
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("the places given up when there is no room for all", () => {
  const place = (position: number, turn = false): Place => ({ position, bytes: 1, turn });
  const left = (places: readonly Place[], maxBytes: number): number[] => {
    const gone = new Set(dispensable(places, maxBytes, 99));
    return places.filter((one) => !gone.has(one)).map(({ position }) => position);
  };

  it("are none while all fit", () => {
    expect(left([place(1), place(2)], 2)).toEqual([1, 2]);
  });
  it("never are the newest, and get sparser towards the beginning", () => {
    const kept = left(Array.from({ length: 64 }, (_, i) => place((i + 1) * 100)), 8);
    expect(kept).toHaveLength(8);
    expect(kept.at(-1)).toBe(6400);
    const gaps = kept.slice(1).map((position, i) => position - kept[i]!);
    expect(gaps.at(-1)).toBeLessThan(gaps[0]!);
  });
  it("are steps rather than the user's messages", () => {
    expect(left([place(100), place(200, true), place(300), place(400), place(500)], 3)).toContain(200);
  });
  it("leave one even where none fits", () => {
    expect(left([place(1), place(2)], 0)).toEqual([2]);
  });
});

describe("where the user's messages begin", () => {
  const tokenizer = qwenTokenizer();
  const text = (blocks: readonly string[]): string => `${blocks.map((block) => `<|im_start|>${block}<|im_end|>\n`).join("")}<|im_start|>assistant\n`;
  it("is found behind the system's message, tools' answers sharing one message", () => {
    const blocks = ["system\ns", "user\n1", "assistant\na", "user\ntool one tool two", "assistant\nb", "user\n2"];
    const ids = tokenizer.encodePrompt(text(blocks));
    const roles = ["user", "assistant", "tool", "tool", "assistant", "user"].map((role) => ({ role }));
    const starts = [1, 5].map((block) => tokenizer.encodePrompt(text(blocks.slice(0, block))).length - tokenizer.encodePrompt("<|im_start|>assistant\n").length);
    expect(turnStarts(tokenizer, ids, roles)).toEqual(starts);
  });
  it("is nowhere in a prompt without control tokens", () => {
    expect(turnStarts(tokenizer, tokenizer.encodeText("plain"), [{ role: "user" }])).toEqual([]);
  });
});
