// The panel's lines follow from facts: none says "works" without the fact that makes it work.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { capabilitiesOf, type OfflineFacts } from "../../../src/ui/offline/capabilities.ts";
import { offline as german } from "../../../src/ui/strings/de/offline.ts";
import { offline as english } from "../../../src/ui/strings/en/offline.ts";

const READY: OfflineFacts = { phase: "ready", files: { stored: 30, total: 30 }, models: ["Micro"], webllm: { stored: [], missing: 6 }, packages: 0 };

function works(facts: Partial<OfflineFacts>): string {
  return capabilitiesOf({ ...READY, ...facts }).map(({ what, works: does }) => `${what} ${does}`).join(", ");
}

const facts: fc.Arbitrary<OfflineFacts> = fc.record({
  phase: fc.constantFrom("off" as const, "saving" as const, "ready" as const, "failed" as const),
  files: fc.option(fc.record({ stored: fc.nat(3), total: fc.constant(3) }), { nil: undefined }),
  models: fc.array(fc.constantFrom("A", "B"), { maxLength: 2 }),
  webllm: fc.record({ stored: fc.array(fc.constant("W"), { maxLength: 1 }), missing: fc.nat(6) }),
  packages: fc.nat(2),
});

describe("without a network", () => {
  it("everything of ours works when the whole version is stored, and what is others' does not", () => {
    expect(works({})).toBe("page yes, models yes, container yes, webllm no, github no, stackblitz no, npm no, updates no");
  });

  it("nothing works before the copy is whole, whatever models are stored", () => {
    expect(works({ phase: "saving", files: undefined })).toMatch(/^page soon, models soon, container soon/);
    expect(works({ files: { stored: 29, total: 30 } })).toMatch(/^page no, models no, container no/);
    expect(works({ phase: "failed", files: undefined })).toMatch(/^page no, models no/);
  });

  it("there is no chat without a model, and WebLLM's count when they were downloaded", () => {
    expect(works({ models: [] })).toContain("models no");
    expect(works({ webllm: { stored: ["Qwen2.5-Coder 0.5B"], missing: 5 } })).toContain("webllm yes");
    expect(works({ packages: 40 })).toContain("npm yes");
  });

  it("each line has words in both languages, whatever the facts", () => {
    fc.assert(
      fc.property(facts, (given) => {
        for (const { what, why } of capabilitiesOf(given)) {
          for (const words of [english, german]) {
            expect(words.what[what]).toBeTruthy();
            const reasons: unknown = words.why[what];
            if (typeof reasons !== "string") expect((reasons as Record<string, unknown>)[why], `${what}.${why}`).toBeDefined();
          }
        }
      }),
    );
  });
});
