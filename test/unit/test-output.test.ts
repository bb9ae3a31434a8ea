// node20.*.txt were recorded from real Node by record.mjs beside them; the outputs of other runners are shortened copies.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandResult, condense, parseTestOutput } from "../../src/agent/test-output.ts";
import { comparedValues, compactValue, outcomeOf } from "../../src/agent/test-report.ts";
import { cpuMs } from "../support/cpu-time.ts";
import { NodeSandbox } from "../support/node-sandbox.ts";
import { treeOf } from "../support/trees.ts";

const FIXTURES = join(import.meta.dirname, "../fixtures/test-output");
const FILES = ["package.json", "src/median.js", "test/broken.test.js", "test/median.test.js"];
const recorded = (reporter: string): string => readFileSync(join(FIXTURES, `node20.${reporter}.txt`), "utf8");
const exited = (exitCode: number, output: string): CommandResult => ({ exitCode, output, end: "exit", durationMs: 5 });
const condensed = (exitCode: number, output: string, files: readonly string[] = FILES): string => condense(exited(exitCode, output), parseTestOutput(output, files), 60_000);

describe.each(["tap", "spec"])("node:test's %s reporter", (reporter) => {
  const report = parseTestOutput(recorded(reporter), FILES)!;
  const named = (name: string) => report.failures.find((failure) => failure.name === name);

  it("gives the counts, suites not among them", () => {
    expect([report.passed, report.failed, report.skipped, report.failures.length]).toEqual([1, 12, 2, 12]);
    expect(outcomeOf(report, 1)).toBe("failed");
  });

  it("gives each failure its line in the test file, and its values on one line", () => {
    expect(named("median([1, 2, 3, 4])")).toMatchObject({ place: { file: "test/median.test.js", line: 9 }, expected: "2.5", actual: "3" });
    expect(named("deep")).toMatchObject({ expected: "{ a: [1, 3], b: 'x\\ny' }", actual: "{ a: [1, 2], b: 'x\\ny' }" });
    expect(named("list")).toMatchObject({ expected: "[2, 4, 7]", actual: "[2, 4, 6]" });
    expect(named("multi")).toMatchObject({ expected: "'a\\nb\\nd'", actual: "'a\\nb\\nc'" });
    expect(named("undef")).toMatchObject({ expected: "'x'", actual: "undefined" });
    expect(named("own message")).toMatchObject({ expected: "2", actual: "1" });
  });

  it("gives a thrown error its message and the first place inside the project", () => {
    expect(named("boom({})")).toEqual({
      name: "boom({})",
      message: "TypeError: x.foo is not a function",
      place: { file: "test/median.test.js", line: 15 },
      at: { file: "src/median.js", line: 7 },
    });
    expect(named("throws")).toMatchObject({ message: "AssertionError: Missing expected exception." });
    expect(named("throws")).not.toHaveProperty("expected");
    expect(named("async")).toMatchObject({ message: "RangeError: bad range" });
  });

  it("tells why a test file could not run", () => {
    expect(named("test/broken.test.js")).toMatchObject({
      message: "Cannot find module 'src/missing.js' imported from test/broken.test.js",
      place: { file: "test/broken.test.js", line: 1 },
    });
  });

  it("names every test, passed and skipped ones too, with its suite and how long it took", () => {
    const tests = report.tests!;
    expect(tests).toHaveLength(15);
    expect(tests.filter(({ state }) => state === "failed").map(({ name }) => name)).toEqual(report.failures.map(({ name }) => name));
    expect(tests.find(({ name }) => name === "median([3])")).toMatchObject({ state: "passed", suites: [], durationMs: expect.closeTo(5, -1) as number });
    expect(tests.filter(({ suites }) => suites[0] === "group").map(({ name, state }) => `${name}: ${state}`)).toEqual([
      "boom({}): failed", "strings: failed", "own message: failed", "ok: failed", "multi: failed", "throws: failed", "async: failed", "list: failed", "undef: failed", "skipped: skipped", "todo one: skipped",
    ]);
  });

  it("reads the same with colours and Windows line ends", () => {
    const coloured = recorded(reporter).replaceAll("AssertionError", "\u001b[31mAssertionError\u001b[39m").replaceAll("\n", "\r\n");
    expect(parseTestOutput(coloured, FILES)).toEqual(report);
  });
});

describe("a condensed test run", () => {
  it("says the same whichever reporter ran", () => {
    expect(condensed(1, recorded("tap"))).toBe(condensed(1, recorded("spec")));
  });

  it("shows the first failure in detail and counts the rest", () => {
    const first = recorded("tap").replace(/^[\s\S]*?(?=# Subtest: median\(\[3)/, "");
    expect(condensed(1, first)).toBe("exit code 1: 1 passed, 12 failed, 2 skipped\nFAIL test/median.test.js:9 median([1, 2, 3, 4])\nexpected 2.5\nactual 3\nand 11 more failed");
  });

  it("says when no test ran", () => {
    const empty = "TAP version 13\n1..0\n# tests 0\n# suites 0\n# pass 0\n# fail 0\n# cancelled 0\n# skipped 0\n# todo 0\n# duration_ms 3.9\n";
    expect(condensed(0, empty)).toBe("exit code 0: no tests ran");
    expect(outcomeOf(parseTestOutput(empty)!, 0)).toBe("none");
  });

  it("does not take a passing count for success when the process failed", () => {
    const output = "✔ a (1.2ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 4\nsomething broke later";
    expect(outcomeOf(parseTestOutput(output)!, 7)).toBe("failed");
    expect(condensed(7, output)).toBe(`exit code 7: 1 passed, 0 failed\n${output}`);
  });

  it("is not fooled by a test that prints counts or results of its own", () => {
    const output = recorded("tap").replace("# Subtest: deep", "# not ok 9 - mine\n# # pass 400\n# ✔ wrong (1ms)\n# Subtest: deep");
    expect(parseTestOutput(output, FILES)).toMatchObject({ passed: 1, failed: 12 });
  });

  it("fault 19: is never green for tests that hang, change their minds, print control bytes, or are none", () => {
    const green = "✔ a (1.2ms)\nℹ tests 1\nℹ suites 0\nℹ pass 1\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 4\n";
    const outcome = (output: string, code: number | null): string => {
      const read = parseTestOutput(output);
      return read ? outcomeOf(read, code) : "none";
    };
    expect(outcome(green, 0)).toBe("passed");
    // Killed by the time-out, by a signal, or never started: whatever was printed before.
    for (const code of [143, 137, 1, null]) expect(outcome(green, code)).not.toBe("passed");
    expect(condense({ exitCode: 143, output: green, end: "timeout", durationMs: 1 }, parseTestOutput(green), 60_000)).toMatch(/^timed out after 60 s/);
    // The first run passed, the second did not: the last word counts.
    expect(outcome(green + green.replace("ℹ pass 1", "ℹ pass 0").replace("ℹ fail 0", "ℹ fail 1").replace("✔", "✖"), 1)).toBe("failed");
    for (const noise of ["\u001b[2J\u001b[H", "\u0007\u0008\u0000", "\u001b]0;✔ all passed\u0007", "\r\u001b[K"]) expect(outcome(noise + green.replaceAll("\n", `\n${noise}`).replace("ℹ pass 1", "ℹ pass 0").replace("ℹ fail 0", "ℹ fail 1"), 1)).not.toBe("passed");
    for (const nothing of ["", "done\n", "\u001b[32m\u001b[39m", "ℹ tests 0\nℹ suites 0\nℹ pass 0\nℹ fail 0\nℹ cancelled 0\nℹ skipped 0\nℹ todo 0\nℹ duration_ms 1\n"]) expect(outcome(nothing, 0)).toBe("none");
  });

  it("says how a run was ended that did not end by itself", () => {
    const run = (end: CommandResult["end"], output: string): string => condense({ exitCode: 143, output, end, durationMs: 1 }, parseTestOutput(output), 60_000);
    expect(run("timeout", "")).toBe("timed out after 60 s: no output");
    expect(run("timeout", "waiting for the server\n")).toBe("timed out after 60 s:\nwaiting for the server");
    expect(run("timeout", "TAP version 13\nok 1 - a\n")).toBe("timed out after 60 s: 1 passed, 0 failed\nTAP version 13\nok 1 - a");
    expect(run("output-limit", "x".repeat(30_000))).toMatch(/^stopped after more than 8 MB of output:\nx{5000}\n\[\.\.\. 20000 characters left out \.\.\.\]\nx{5000}$/);
  });

  it("cuts long values", () => {
    const output = recorded("tap").replaceAll("'help'", `'${"h".repeat(900)}'`);
    const line = condensed(1, output.slice(output.indexOf("    # Subtest: strings"))).split("\n")[2]!;
    expect(line.length).toBeLessThan(220);
  });

  it("shows anything else as it is", () => {
    expect(condensed(2, "sh: foo: not found\n")).toBe("exit code 2\nsh: foo: not found");
    expect(condensed(0, "")).toBe("exit code 0");
  });
});

describe("other runners", () => {
  it("are understood by their closing counts", () => {
    const vitest = " ❯ test/a.test.ts (2 tests | 1 failed) 8ms\n\n FAIL  test/a.test.ts > adds\nAssertionError: expected 3 to be 4 // Object.is equality\n\n- Expected\n+ Received\n\n- 4\n+ 3\n\n ❯ test/a.test.ts:5:19\n\n Test Files  1 failed (1)\n      Tests  1 failed | 1 passed (2)\n";
    expect(parseTestOutput(vitest, ["test/a.test.ts"])).toMatchObject({ runner: "vitest", passed: 1, failed: 1, failures: [{ name: "adds", place: { file: "test/a.test.ts", line: 5 }, expected: "4", actual: "3" }] });
    const jest = "FAIL ./sum.test.js\n  ● sum › adds\n\n    expect(received).toBe(expected)\n\n    Expected: 4\n    Received: 3\n\n      at Object.<anonymous> (sum.test.js:4:15)\n\nTest Suites: 1 failed, 1 total\nTests:       1 failed, 2 passed, 3 total\n";
    expect(parseTestOutput(jest, ["sum.test.js"])).toMatchObject({ runner: "jest", passed: 2, failed: 1, failures: [{ name: "adds", place: { file: "sum.test.js", line: 4 }, expected: "4", actual: "3" }] });
    const mocha = "  sum\n    ✔ adds (52ms)\n    1) fails\n\n\n  1 passing (5ms)\n  1 failing\n\n  1) sum\n       fails:\n\n      AssertionError: 3 == 4\n      at Context.<anonymous> (test/sum.js:9:12)\n";
    expect(parseTestOutput(mocha, ["test/sum.js"])).toMatchObject({ runner: "mocha", passed: 1, failed: 1, failures: [{ name: "fails", place: { file: "test/sum.js", line: 9 } }] });
    const tape = "TAP version 13\n# adds\nnot ok 1 should be equal\n  ---\n    operator: equal\n    expected: 4\n    actual:   3\n    at: Test.<anonymous> (/p/test/a.js:5:5)\n  ...\nok 2 fine\n\n1..2\n# tests 2\n# pass  1\n# fail  1\n";
    expect(parseTestOutput(tape, ["test/a.js"])).toMatchObject({ runner: "tap", passed: 1, failed: 1, failures: [{ name: "should be equal", place: { file: "test/a.js", line: 5 } }] });
    expect(parseTestOutput("  ✔ a\n\n  2 tests passed\n")).toMatchObject({ runner: "ava", passed: 2 });
  });

  it("have their tests named where they print them", () => {
    const names = (output: string) => parseTestOutput(output, ["test/a.test.ts", "sum.test.js"])!.tests!.map(({ file, suites, name, state, durationMs }) => [file, ...suites, name, state, durationMs].filter((part) => part !== undefined).join(" | "));
    expect(names(" ✓ test/a.test.ts > maths > adds 3ms\n × test/a.test.ts > subtracts 1ms\n ↓ test/a.test.ts > later\n\n Test Files  1 failed (1)\n      Tests  1 failed | 1 passed (2)\n")).toEqual([
      "test/a.test.ts | maths | adds | passed | 3", "test/a.test.ts | subtracts | failed | 1", "test/a.test.ts | later | skipped",
    ]);
    expect(names("FAIL ./sum.test.js\n  sum\n    ✓ adds (2 ms)\n    ✕ fails (1 ms)\n    ○ skipped later\n\nTest Suites: 1 failed, 1 total\nTests:       1 failed, 1 passed, 2 total\n")).toEqual([
      "sum.test.js | sum | adds | passed | 2", "sum.test.js | sum | fails | failed | 1", "sum.test.js | sum | skipped later | skipped",
    ]);
    expect(names("  sum\n    ✔ adds\n    1) fails\n\n\n  1 passing (5ms)\n  1 failing\n\n  1) sum\n       fails:\n\n      AssertionError: 3 == 4\n")).toEqual(["sum | adds | passed", "sum | fails | failed"]);
  });

  it("name as many tests as are worth listing, and count all", () => {
    const output = `TAP version 13\n${Array.from({ length: 6_000 }, (_, i) => `ok ${i + 1} - test ${i}\n`).join("")}1..6000\n`;
    const report = parseTestOutput(output)!;
    expect([report.passed, report.tests!.length]).toEqual([6_000, 5_000]);
  });

  it.each([["compiled 3 files in 12 ms"], ["Tests are important"], ["ok"], ["1 passing thought"]])("do not include %j", (output) => {
    expect(parseTestOutput(output)).toBeUndefined();
  });
});

describe("output made to be hard to read", () => {
  const pieces = ["\n", "/", "(", "✔ ", "ok 1 - x\n", "not ok 1\n  ---\n", " 1 passing (\n", "a:1\n", "# tests 1\n", "FAIL x > y\n", "  1) ", "\u001b[", "    at (", "Tests  ", "{ '"];
  it.each(pieces)("is given up in reasonable time: %j again and again", (piece) => {
    for (const opening of ["", "TAP version 13\nnot ok 1 - a\n  ---\n  error: 'x'\n", "✖ failing tests:\n✔ a (1ms)\ntest at a.js:1:1\n✖ a (1ms)\n"]) {
      const output = opening + piece.repeat(1_000_000 / piece.length);
      expect(cpuMs(() => condense(exited(1, output), parseTestOutput(output, FILES), 60_000))).toBeLessThan(4_000);
    }
  });
});

describe("values", () => {
  it("are put on one line without touching their strings", () => {
    expect(compactValue("[\n  1,\n  { 'a  b': \"x  y\" }\n]")).toBe("[1, { 'a  b': \"x  y\" }]");
    expect(compactValue("[ ]")).toBe("[]");
    expect(compactValue("it's")).toBe("it's");
  });

  it("are not read from a difference that was cut", () => {
    expect(comparedValues("Expected values to be strictly deep-equal:\n+ actual - expected\n... Skipped lines\n\n+ 1\n- 2")).toBeUndefined();
  });
});

describe("with the Node that runs these tests", { timeout: 120_000 }, () => {
  let sandbox: NodeSandbox;
  beforeAll(async () => {
    sandbox = await NodeSandbox.open(
      treeOf({
        "package.json": '{ "type": "module", "scripts": { "test": "node --test" } }',
        "packages/a/src/add.js": "export const add = (a, b) => a - b;\n",
        "packages/a/test/add.test.js": 'import assert from "node:assert/strict";\nimport { test } from "node:test";\nimport { add } from "../src/add.js";\n\ntest("add(1, 2)", () => {\n  assert.deepEqual(add(1, 2), 3);\n});\n',
        "test/add.test.js": 'import { test } from "node:test";\ntest("fine", () => {});\n',
      }),
    );
  });
  afterAll(() => sandbox.close());

  it.each(["node --test", "node --test --test-reporter=spec", "npm test"])("%s reads the same, with paths of the project", async (command) => {
    const run = await sandbox.run(command);
    const report = parseTestOutput(run.output, await sandbox.list());
    expect(condense(run, report, 60_000)).toBe("exit code 1: 1 passed, 1 failed\nFAIL packages/a/test/add.test.js:6 add(1, 2)\nexpected 3\nactual -1");
  });
});
