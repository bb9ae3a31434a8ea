// The table of published suites: rows of an earlier run stay when only new suites were run.
import { describe, expect, it } from "vitest";
import type { PackageSuite, SuiteResult, SuiteRun } from "../../src/cli/suites/package-suite.ts";
import { formatPackages, verdict, withoutRow } from "../../src/cli/suites/table.ts";

const machine = { node: "20.0.0", cores: 2, date: "2026-01-01" };
const suite = (name: string, runner: PackageSuite["runner"] = "tape"): PackageSuite => ({ name, version: "1.0.0", runner, command: "tape a | cat" });
const run = (passed: number, durationMs: number): SuiteRun => ({ exitCode: 0, counts: { passed, failed: 0, skipped: 0 }, durationMs, output: "" });
const result = (of: PackageSuite, passed: number, ms: number): SuiteResult => ({ suite: of, licence: "MIT", node: run(5, 100), container: run(passed, ms) });

describe("the table of suites", () => {
  const [one, two, other] = [suite("one"), suite("two"), suite("two", "mocha")];
  const first = formatPackages([result(one, 5, 300), result(other, 4, 100)], machine);

  it("names the suites it has no row of, runners told apart", () => {
    expect(withoutRow(first, [one, two, other])).toEqual([two]);
  });

  it("takes rows and differences of an earlier table over, in the list's order, and counts them", () => {
    const both = formatPackages([result(two, 5, 100)], machine, [one, two, other], first);
    expect(both.match(/^\| (one|two) .*$/gm)?.map((row) => row.split(" | ")[3])).toEqual(["tape", "tape", "mocha"]);
    expect(both).toContain("2 of 3 equal. Container ÷ Node over the equal ones: median 2.0 (bar 2), worst 3.0 (bar 5).");
    expect(both).toContain("- **two** (mocha): not explained yet.");
  });

  it("drops the difference of a suite that agrees now", () => {
    const again = formatPackages([result(other, 5, 100)], machine, [one, other], first);
    expect(again).toContain("2 of 2 equal");
    expect(again).toMatch(/## Differences\n\nNone\.\n$/);
  });

  it("compares no times of native code with those of its WebAssembly build", () => {
    const built = { ...suite("built"), builds: ["built-wasm32-wasi@1.0.0"] };
    const table = formatPackages([result(one, 5, 150), result(built, 5, 900)], machine);
    expect(table).toMatch(/^\| built \|.* yes \| 0\.10 \| 0\.90 \| – \|$/m);
    expect(table).toContain("2 of 2 equal. Container ÷ Node over the equal ones: median 1.5 (bar 2), worst 1.5 (bar 5).");
    expect(verdict([result(one, 5, 150), result(built, 5, 900)])).toEqual({ equal: 2, medianRatio: 1.5, worstRatio: 1.5 });
  });
});
