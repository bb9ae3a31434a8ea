// Problems as files: one package, or several under packages/, with tests that node:test runs.
import { encodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import type { Case, Problem } from "./problem.ts";
import type { Random } from "./random.ts";
import { showValue } from "./values.ts";

/** A broken function at its place: `folder` is "" or ends with a slash. */
export interface FunctionAt {
  readonly problem: Pick<Problem, "rendered" | "broken" | "visible">;
  readonly folder: string;
  /** False for a module that is right from the start. */
  readonly isBroken: boolean;
}

export interface Placed extends FunctionAt {
  readonly problem: Problem;
}

export const sourcePath = ({ folder, problem }: FunctionAt): string => `${folder}src/${problem.rendered.fileName}.js`;
export const testPath = ({ folder, problem }: FunctionAt): string => `${folder}test/${problem.rendered.fileName}.test.js`;

/** The test file of these cases. Each title is the call itself. */
export function testFile(name: string, fileName: string, cases: readonly Case[]): string {
  const head = `import test from "node:test";\nimport assert from "node:assert/strict";\nimport { ${name} } from "../src/${fileName}.js";\n`;
  return head + cases.map((one) => `\ntest(${quoteTitle(one.call)}, () => {\n  ${assertion(one)}\n});\n`).join("");
}

function assertion({ call, expected }: Case): string {
  const deep = typeof expected === "object" && expected !== null;
  return `assert.${deep ? "deepEqual" : "equal"}(${call}, ${showValue(expected)});`;
}

function quoteTitle(title: string): string {
  return title.includes('"') ? `'${title}'` : `"${title}"`;
}

export function packageFile(name: string): string {
  return `${JSON.stringify({ name, type: "module", scripts: { test: "node --test" } }, null, 2)}\n`;
}

/** The whole project. `which` chooses between the start and the reference. */
export function projectTree(name: string, modules: readonly FunctionAt[], which: "start" | "solution"): FileTree {
  const files = new Map<string, string>([["package.json", packageFile(name)]]);
  for (const placed of modules) {
    const { problem, folder, isBroken } = placed;
    if (folder !== "") files.set(`${folder}package.json`, packageFile(folder.split("/").at(-2)!));
    files.set(sourcePath(placed), isBroken && which === "start" ? problem.broken : problem.rendered.source);
    files.set(testPath(placed), testFile(problem.rendered.name, problem.rendered.fileName, problem.visible));
  }
  return new Map([...files].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, text]) => [path, encodeText(text)]));
}

/** One module at the root, or several packages; names of packages are drawn with `packageName`. */
export function placeProblems(problems: readonly Problem[], broken: number, multi: boolean, packageName: () => string, random: Random): Placed[] {
  const order = random.shuffle(problems.map((_, i) => i));
  const isBroken = (i: number): boolean => order.indexOf(i) < broken;
  const names = new Set<string>();
  while (names.size < problems.length) names.add(packageName());
  const folders = [...names];
  return problems.map((problem, i) => ({ problem, folder: multi ? `packages/${folders[i]}/` : "", isBroken: isBroken(i) }));
}
