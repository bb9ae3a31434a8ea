import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { measureBudgets } from "../../src/cli/budgets.ts";

const code = (bytes: number): string => randomBytes(bytes).toString("latin1");
const chunk = (fileName: string, facadeModuleId: string | null, imports: readonly string[], bytes: number) => ({ fileName, facadeModuleId, imports, code: code(bytes) });

describe("a budget", () => {
  const chunks = [chunk("main.js", "/x/index.html", ["lit.js"], 300), chunk("lit.js", null, ["main.js"], 200), chunk("editor.js", "/x/ui/work/editor.ts", ["lit.js", "cm.js"], 400), chunk("cm.js", null, [], 500)];
  const size = (...names: string[]) => names.reduce((sum, name) => sum + gzipSync(chunks.find(({ fileName }) => fileName === name)!.code, { level: 9 }).byteLength, 0);

  it("counts a chunk and all it imports statically, once, and not what is on the page already", () => {
    const lines = measureBudgets(chunks, [
      { what: "page", module: "/index.html", limitKiB: 1 },
      { what: "editor", module: "/editor.ts", limitKiB: 1, after: "page" },
      { what: "missing", module: "/nowhere.ts", limitKiB: 1 },
    ]);
    expect(lines).toEqual([
      { what: "page", bytes: size("main.js", "lit.js"), limitBytes: 1024 },
      { what: "editor", bytes: size("editor.js", "cm.js"), limitBytes: 1024 },
    ]);
  });
});
