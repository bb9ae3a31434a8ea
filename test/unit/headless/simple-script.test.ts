// The script that needs no shell, and that a shell would read the same.
import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseSimpleScript } from "../../../src/headless/kernel/simple-script.ts";

describe("the simplest script", () => {
  test("is one command of plain and quoted words, with assignments before it", () => {
    expect(parseSimpleScript("npm test")).toEqual({ env: {}, words: ["npm", "test"] });
    expect(parseSimpleScript(`  node -e "1 + 1" 'a b' x"y"z `)).toEqual({ env: {}, words: ["node", "-e", "1 + 1", "a b", "xyz"] });
    expect(parseSimpleScript("A=1 B='x y' node a")).toEqual({ env: { A: "1", B: "x y" }, words: ["node", "a"] });
  });

  test("leaves everything else to a real shell", () => {
    for (const script of [
      "a | b", "a > f", "a < f", "a &", "$(a)", "`a`", "echo $X", 'echo "$X"', "echo *.js", "echo a\\ b", "if true; then a; fi", "(a)", "{ a; }", "for x in 1; do a; done", "echo ~", "a && b", "a; b", "a\nb",
      "echo 'open", "A=1", "", "! a", "# comment", "a 2>&1",
    ]) {
      expect(parseSimpleScript(script), script).toBeUndefined();
    }
  });

  test("is split into words exactly as sh splits it", () => {
    const part = fc.constantFrom("a", "b c", "'", '"', " ", "=", "-", "'x y'", '"p q"', "1", "/");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const script = `printf '<%s>' x ${parts.join("")}`;
        const ours = parseSimpleScript(script);
        if (!ours) return;
        const theirs = spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout;
        expect(ours.words.slice(2).map((word) => `<${word}>`).join(""), script).toBe(theirs);
      }),
      { numRuns: 60, seed: 20261122 },
    );
  });
});
