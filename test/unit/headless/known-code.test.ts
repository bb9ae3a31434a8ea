// Facts about code that processes share: two of them over one memory, as two Workers have it.
import { describe, expect, it } from "vitest";
import { KnownCode, makeCodeMemory } from "../../../src/headless/known-code.ts";

const never = (): never => {
  throw new Error("found out again");
};

describe("what is known of code", () => {
  it("is found out by one process and known to the others, those that are there and those that come", () => {
    const memory = makeCodeMemory(1 << 16);
    const [first, second] = [new KnownCode(memory), new KnownCode(memory)];
    const facts = { names: ["a", "ü🙂\ud800"], edits: [[1, 2, "x", true]], none: null };
    expect(first.facts("module", "text", () => facts)).toEqual(facts);
    expect(first.facts("module", "text", never)).toEqual(facts);
    expect(second.facts("module", "text", never)).toEqual(facts);
    expect(second.facts("module", "other", () => 1)).toBe(1);
    expect(first.facts("module", "other", never)).toBe(1);
    expect(new KnownCode(memory).facts("module", "other", never)).toBe(1);
  });

  it("is of one kind and one text, however alike they are", () => {
    const known = new KnownCode(makeCodeMemory(1 << 20));
    const texts = ["", "a", "b", "aa", "ab", "ba", "\0", "\0\0", "é", "é", "x".repeat(1000), `${"x".repeat(999)}y`, `y${"x".repeat(999)}`];
    for (let k = 0; k < 2000; k++) texts.push(`const v${k % 50} = ${Math.floor(k / 50)};`);
    for (const kind of ["module", "script"]) for (const text of new Set(texts)) known.facts(kind, text, () => `${kind} ${text}`);
    for (const kind of ["module", "script"]) for (const text of new Set(texts)) expect(known.facts(kind, text, never)).toBe(`${kind} ${text}`);
  });

  it("is not kept when finding it out fails", () => {
    const known = new KnownCode(makeCodeMemory(1 << 12));
    expect(() => known.facts("module", "let = ;", never)).toThrow("found out again");
    expect(known.facts("module", "let = ;", () => 2)).toBe(2);
  });

  it("is found out anew where there is no room for it, and what was there stays", () => {
    const memory = makeCodeMemory(400);
    const known = new KnownCode(memory);
    expect(known.facts("module", "small", () => "s")).toBe("s");
    const large = "l".repeat(500);
    expect(known.facts("module", "large", () => large)).toBe(large);
    expect(() => known.facts("module", "large", never)).toThrow("found out again");
    expect(known.facts("module", "small", never)).toBe("s");
  });

  it("survives a process that ends while it adds: with a head and no facts, or with the lock", () => {
    const memory = makeCodeMemory(1 << 12);
    const numbers = new Int32Array(memory);
    const before = new KnownCode(memory);
    before.facts("module", "one", () => 1);
    // Room is taken for facts that never come.
    numbers[numbers[1]! / 4 + 4] = 20;
    Atomics.add(numbers, 1, (6 + 5) * 4);
    const after = new KnownCode(memory);
    expect(after.facts("module", "two", () => 2)).toBe(2);
    expect(before.facts("module", "two", never)).toBe(2);
    Atomics.store(numbers, 0, 1);
    expect(after.facts("module", "three", () => 3)).toBe(3);
    expect(() => after.facts("module", "three", never)).toThrow("found out again");
    expect(after.facts("module", "one", never)).toBe(1);
  });
});
