// The project that is open when nothing else is: three small packages of everyday code, each with one wrong line and
// so one red test. Kept in the shape of what the bundled model was trained to repair.
import { encodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

const FILES: Readonly<Record<string, string>> = {
  "package.json": `{
  "name": "corner-shop",
  "private": true,
  "type": "module",
  "scripts": {
    "test": "node --test"
  }
}
`,
  "README.md": `# Corner shop

Three small packages, each with a test that fails because of one wrong line.
Ask the assistant: "Fix the failing test".
`,
  "packages/cart/package.json": manifest("cart"),
  "packages/cart/src/cart-total.js": `export function cartTotal(items) {
  let total = 0;
  for (const item of items) {
    total += item.price + item.qty;
  }
  return total;
}
`,
  "packages/cart/test/cart-total.test.js": testFile("cartTotal", "cart-total", [
    ["[]", "0"],
    ["[{ price: 2, qty: 2 }]", "4"],
    ["[{ price: 5, qty: 3 }]", "15"],
  ]),
  "packages/stats/package.json": manifest("stats"),
  "packages/stats/src/range.js": `export function range(values) {
  return Math.max(...values) + Math.min(...values);
}
`,
  "packages/stats/test/range.test.js": testFile("range", "range", [
    ["[0]", "0"],
    ["[3, 0]", "3"],
    ["[5, 1, 9]", "8"],
  ]),
  "packages/text/package.json": manifest("text"),
  "packages/text/src/capitalize.js": `export function capitalize(text) {
  return text[0].toLowerCase() + text.slice(1);
}
`,
  "packages/text/test/capitalize.test.js": testFile("capitalize", "capitalize", [
    ['"1a"', '"1a"'],
    ['"?"', '"?"'],
    ['"hello"', '"Hello"'],
  ]),
};

function manifest(name: string): string {
  return `{\n  "name": "${name}",\n  "type": "module",\n  "scripts": {\n    "test": "node --test"\n  }\n}\n`;
}

function testFile(name: string, file: string, cases: readonly (readonly [args: string, expected: string])[]): string {
  const tests = cases.map(([args, expected]) => {
    const call = `${name}(${args})`;
    return `\ntest(${call.includes('"') ? `'${call}'` : `"${call}"`}, () => {\n  assert.deepEqual(${call}, ${expected});\n});\n`;
  });
  return `import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { ${name} } from "../src/${file}.js";\n${tests.join("")}`;
}

/** The demo's files, new each time. */
export function demoProject(): FileTree {
  return new Map(Object.entries(FILES).map(([path, text]) => [path, encodeText(text)]));
}
