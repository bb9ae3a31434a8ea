import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { isMutantOf, mutantsOf, type Operator, OPERATORS, spliced } from "../../src/tasks/operators/index.ts";

const inside = (body: string): string => `export async function f(a, list, n) {\n${body}\n}\n`;
/** The mutants of one operator, as whole texts. */
function broken(operator: Operator, source: string, path = "f.js"): string[] {
  return mutantsOf(source, path).filter((one) => one.operator === operator).map((one) => spliced(source, one));
}

/** Operator, a line, what must come of it, and what must not. */
type Example = readonly [Operator, string, readonly string[], (readonly string[])?];
const EXAMPLES: readonly Example[] = [
  ["flip-operator", "return a + n * 2;", ["return a - n * 2;", "return a + n / 2;"]],
  ["flip-operator", "return a /* + */ + n;", ["return a /* + */ - n;"]],
  ["flip-operator", "return 'total: ' + n;", [], ["return 'total: ' - n;"]],
  ["flip-operator", "n += a;", ["n -= a;", "n = a;"]],
  ["swap-operands", "return a - n;", ["return n - a;"]],
  ["swap-operands", "return a - n - 1;", ["return 1 - (a - n);"]],
  ["swap-operands", "return list.with(a, n);", ["return list.with(n, a);"]],
  ["off-by-one", "return list[list.length - 1];", ["return list[list.length];"]],
  ["off-by-one", "return list.slice(1, n);", ["return list.slice(2, n);", "return list.slice(0, n);", "return list.slice(1, n + 1);"]],
  ["off-by-one", "if (a < n) return a;", ["if (a <= n) return a;"]],
  ["wrong-variable", "return a;", ["return list;", "return n;"], ["return f;"]],
  ["wrong-method", "return Math.max(a, n);", ["return Math.min(a, n);"]],
  ["wrong-method", "return list.toString();", [], ["return list.undefined();"]],
  ["dropped-branch", "if (!a) return 0;\nreturn n;", ["return n;"]],
  ["dropped-branch", "if (a) n = 1; else n = 2;\nreturn n;", ["if (a) n = 1;\nreturn n;"]],
  ["dropped-branch", "return a ? n : list;", ["return n;", "return list;"]],
  ["dropped-branch", "return a ?? n;", ["return a;"]],
  ["inverted-condition", "if (a === n) return a;", ["if (!(a === n)) return a;"]],
  ["inverted-condition", "if (!(a in n)) return a;", ["if ((a in n)) return a;"]],
  ["shuffled-statements", "list.push(a);\nlist.push(n);", ["list.push(n);\nlist.push(a);"]],
  ["removed-statement", "list.push(a);\nreturn list;", ["return list;"]],
  ["removed-statement", "for (const x of list) {\n  if (x) {\n    continue;\n  }\n}", ["for (const x of list) {\n  if (x) {\n  }\n}"]],
  ["wrong-constant", "return n * 60;", ["return n * 61;", "return n * 59;", "return n * 600;", "return n * 6;"]],
  ["wrong-constant", "return a.replace(/x/gi, 'y');", ["return a.replace(/x/i, 'y');", "return a.replace(/x/g, 'y');", 'return a.replace(/x/gi, "");']],
  ["wrong-return", "return a > n;", ["return !(a > n);"]],
  ["wrong-return", "return [a, n];", ["return [];"]],
  ["wrong-return", "return list.map((x) => x + 1);", ["return undefined;", "return list.map((x) => undefined);", "return a;"]],
  ["loop-bound", "for (let i = 0; i < n; i++) list[i] = a;", ["for (let i = 0; i <= n; i++) list[i] = a;", "for (let i = 1; i < n; i++) list[i] = a;", "for (let i = 0; i < n; i += 2) list[i] = a;", "for (let i = 0; i < n - 1; i++) list[i] = a;"]],
  ["loop-bound", "for (const x of list) n += x;", ["for (const x of list.slice(1)) n += x;"]],
  ["shadowing", "let best = 0;\nfor (const x of list) {\n  if (x > n) {\n    best = x;\n  }\n}", ["let best = 0;\nfor (const x of list) {\n  if (x > n) {\n    let best = x;\n  }\n}"]],
  ["shadowing", "n = a;\nreturn n;", [], ["let n = a;\nreturn n;"]],
  ["missing-await", "return (await a).n;", ["return (a).n;"]],
];

describe("the operators that break a file", () => {
  it.each(EXAMPLES.map((example): [Operator, string, Example] => [example[0], example[1], example]))("%s: %s", (operator, line, [, , wanted, unwanted = []]) => {
    const found = broken(operator, inside(line));
    for (const text of wanted) expect(found).toContain(inside(text));
    for (const text of unwanted) expect(found).not.toContain(inside(text));
  });

  it("are all shown by an example", () => {
    expect([...new Set(EXAMPLES.map(([operator]) => operator))].sort()).toEqual([...OPERATORS].sort());
  });

  it("work on TypeScript and leave its types alone", () => {
    const source = "enum Side { Left = 1 }\ninterface Box<T = 1 | 2> { size: 3 }\nexport function f(box: Box<4>, n = 5 as number): 6 | undefined {\n  type Local = 7;\n  return box.size < n! ? undefined : (8 as Local);\n}\n";
    const constants = mutantsOf(source, "f.ts").filter(({ operator }) => operator === "wrong-constant");
    expect(new Set(constants.map(({ start, end }) => source.slice(start, end)))).toEqual(new Set(["1", "5", "8"]));
    expect(broken("flip-operator", source, "f.ts")).toContain(source.replace("size < n!", "size > n!"));
  });

  it("read CommonJS, JSX and hash bangs, and give nothing for what does not parse", () => {
    expect(broken("wrong-return", "#!/usr/bin/env node\nwith (a) b();\nmodule.exports = (x) => x + 1;\nreturn x;\n", "f.cjs").length).toBeGreaterThan(0);
    expect(broken("dropped-branch", "export const f = (a) => <p>{a ? <b/> : null}</p>;", "f.tsx")).toContain("export const f = (a) => <p>{null}</p>;".replace("null", "(<b/>)"));
    expect(mutantsOf("function (", "f.js")).toEqual([]);
  });

  it("name the function around the place", () => {
    const source = "const one = () => 1 < 2;\nclass A { two() { return 3 < 4; } }\n";
    expect(new Set(mutantsOf(source, "f.js").map(({ inFunction }) => inFunction))).toEqual(new Set(["one", "two"]));
  });

  it("break our own sources in ways that nearly all parse", () => {
    for (const path of ["container/run.ts", "tasks/problem.ts"]) {
      const source = readFileSync(join(import.meta.dirname, "../../src", path), "utf8");
      const mutants = mutantsOf(source, path).filter((_, i) => i % 97 === 0);
      expect(mutants.length).toBeGreaterThan(5);
      expect(mutants.filter((one) => !isMutantOf(source, path, one)).map((one) => [source.slice(one.start, one.end), one.text])).toEqual([]);
    }
  });
});
