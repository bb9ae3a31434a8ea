import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseList } from "../../../src/headless/shell/list.ts";

const words = (script: string): unknown => parseList(script)?.map((command) => [command.after, ...command.words]);

describe("the simplest scripts", () => {
  test("are commands of plain and quoted words, joined by && || and ;", () => {
    expect(words("npm test")).toEqual([[";", "npm", "test"]]);
    expect(words(`node -e "1 + 1" 'a b' && cd "x y" || echo no; ls`)).toEqual([
      [";", "node", "-e", "1 + 1", "a b"],
      ["&&", "cd", "x y"],
      ["||", "echo", "no"],
      [";", "ls"],
    ]);
    expect(words("node a;\nnode b;")).toEqual([[";", "node", "a"], [";", "node", "b"]]);
  });

  test("keep assignments and 2>&1 apart from the words", () => {
    expect(parseList("A=1 B='x y' node a 2>&1")).toEqual([{ after: ";", env: { A: "1", B: "x y" }, words: ["node", "a"], stderrToStdout: true }]);
  });

  test("leave everything else to a real shell", () => {
    for (const script of [
      "a | b", "a > f", "a < f", "a &", "$(a)", "`a`", "echo $X", 'echo "$X"', "echo *.js", "echo a\\ b", "if true; then a; fi", "(a)", "{ a; }",
      "for x in 1; do a; done", "echo ~", "a &&", "&& a", "a ;; b", "echo 'open", "A=1", "", "! a", "# comment", "a 2>&1 b",
    ]) {
      expect(parseList(script), script).toBeUndefined();
    }
  });

  test("split into words exactly as sh splits them", () => {
    const part = fc.constantFrom("a", "b c", "'", '"', " ", "=", "-", "'x y'", '"p q"', "1", "/");
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const script = `printf '<%s>' x ${parts.join("")}`;
        const ours = parseList(script);
        if (!ours || ours.length !== 1) return;
        const theirs = spawnSync("sh", ["-c", script], { encoding: "utf8" }).stdout;
        expect(ours[0]?.words.slice(2).map((word) => `<${word}>`).join(""), script).toBe(theirs);
      }),
      { numRuns: 60, seed: 20261122 },
    );
  });
});
