// A script whose rarely used parts are text until they are called (src/cli/later-parts.ts), run as a Worker runs it.
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { expect, it } from "vitest";
import { bundle } from "../../src/cli/bundle-text.ts";

const FOLDER = fileURLToPath(new URL("../fixtures/later-parts/", import.meta.url));

interface Parts {
  describe(sides: number): string;
  readonly seen: readonly string[];
  readonly names: readonly string[];
}

async function run(minify: boolean): Promise<Parts> {
  const { code } = await bundle(`${FOLDER}main.ts`, minify);
  expect(code).toMatch(/^[\0-\x7f]*$/);
  const context = vm.createContext({}) as { laterParts?: Parts };
  vm.runInContext(code, context);
  return context.laterParts!;
}

it.each([true, false])("runs a part when one of its functions is first called, once, with the script's own modules (minified: %s)", async (minify) => {
  const { describe, seen, names } = await run(minify);
  expect([...names]).toEqual(["shapes"]);
  expect([...seen]).toEqual(["main"]);
  expect(describe(4)).toBe("4 sides, Grüße 🙂 true");
  describe(5);
  expect([...seen]).toEqual(["main", "shapes"]);
});

it("throws what the part throws, from a file that stack traces can tell from a program's", async () => {
  const { describe } = await run(true);
  let thrown: Error | undefined;
  try {
    describe(2);
  } catch (error) {
    thrown = error as Error;
  }
  expect(thrown?.message).toBe("No shape has 2 sides: say 3 or more.");
  expect(thrown?.stack).toContain("tabwright-shapes.js");
});

it("refuses a module of a folder `later` that does more than re-export", async () => {
  const folder = await mkdtemp(join(tmpdir(), "later-parts-"));
  try {
    await mkdir(join(folder, "later"));
    await writeFile(join(folder, "later/bad.ts"), "export const size = () => 3;\n");
    await writeFile(join(folder, "main.ts"), 'import { size } from "./later/bad.ts";\nconsole.log(size());\n');
    await expect(bundle(join(folder, "main.ts"), true)).rejects.toThrow(/re-exports functions and does nothing else, but it has the line "export const size/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
