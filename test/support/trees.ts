// File trees written as text, and the small project most agent tests work on.
import type { FileTree } from "../../src/project/tree.ts";

export function treeOf(files: Readonly<Record<string, string>>): FileTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, new TextEncoder().encode(text)]));
}

export function textOf(tree: FileTree, path: string): string | undefined {
  const bytes = tree.get(path);
  return bytes && new TextDecoder().decode(bytes);
}

/** One red test because of one line. */
export const MEDIAN_PROJECT = treeOf({
  "package.json": '{\n  "name": "median",\n  "type": "module",\n  "scripts": { "test": "node --test" }\n}\n',
  "src/median.js": `export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) {
    return sorted[middle];
  }
  return (sorted[middle] + sorted[middle]) / 2;
}
`,
  "test/median.test.js": `import assert from "node:assert/strict";
import { test } from "node:test";
import { median } from "../src/median.js";

test("median([3])", () => {
  assert.deepEqual(median([3]), 3);
});

test("median([1, 2, 3, 4])", () => {
  assert.deepEqual(median([1, 2, 3, 4]), 2.5);
});
`,
});

/** The same, with a test command that only looks for the right line: judged by a shell in milliseconds, printed as TAP. */
export const QUICK_PROJECT: FileTree = new Map([
  ...MEDIAN_PROJECT,
  ...treeOf({
    "check.sh": `echo TAP version 13
if grep -q 'middle - 1' src/median.js; then echo 'ok 1 - median([1, 2, 3, 4])'; exit 0; fi
echo 'not ok 1 - median([1, 2, 3, 4])'
exit 1
`,
  }),
]);
