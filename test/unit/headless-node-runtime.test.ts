// What the runtime adds to Node or cannot take from it: TypeScript, refusals that name the function, embedding.
import { describe, expect, it } from "vitest";
import { keys } from "../../src/headless/libraries/keys.ts";
import { runNode } from "../../src/headless/node/run.ts";
import { Vfs } from "../../src/headless/vfs.ts";
import { runProgram } from "../support/run-program.ts";

describe("TypeScript files", () => {
  it("run with their types taken off, imports of types included", async () => {
    const ran = await runProgram({
      "main.ts": `import { greet, type Person } from "./lib.ts";\nimport type { Unused } from "./none.ts";\nenum Level { Low = 1, High }\nconst p: Person = { name: "Ada" };\nconsole.log(greet(p) satisfies string, Level[2], <number>1 as unknown);\n`,
      "lib.ts": `export interface Person { readonly name: string }\nexport function greet<T extends Person>(who: T): string { return "hi " + who!.name }\n`,
    }, ["main.ts"]);
    expect(ran).toMatchObject({ code: 0, out: "hi Ada High 1\n", err: "" });
  });

  it("are found when they are imported by the name of the file they compile to", async () => {
    const ran = await runProgram({ "main.mts": `import { a } from "./a.mjs"; import { b } from "./b.js"; console.log(a, b)`, "a.mts": `export const a: number = 1`, "b.ts": `export const b: number = 2` }, ["main.mts"]);
    expect(ran).toMatchObject({ code: 0, out: "1 2\n" });
  });

  it("keep their lines in stack traces and test reports", async () => {
    const ran = await runProgram({ "a.test.ts": `import test from "node:test";\nimport assert from "node:assert";\ninterface X { a: number }\n\ntest("t", () => {\n  const x: X = { a: 1 };\n  assert.strictEqual(x.a, 2);\n});\n` }, ["a.test.ts"]);
    expect(ran.code).toBe(1);
    expect(ran.out).toContain("location: '/p/a.test.ts:5:1'");
    expect(ran.out).toMatch(/TestContext\.<anonymous> \(file:\/\/\/p\/a\.test\.ts:7:\d+\)/);
  });

  it("as CommonJS can be required without an extension", async () => {
    const ran = await runProgram({ "main.cts": `const { f } = require("./f"); console.log(f(2 as number))`, "f.cts": `exports.f = (x: number): number => x * 2` }, ["main.cts"]);
    expect(ran).toMatchObject({ code: 0, out: "4\n" });
  });

  it("are run by node --test", async () => {
    const ran = await runProgram({ "src/a.test.ts": `import test from "node:test";\nconst n: number = 1;\ntest("typed", () => { if (n !== 1) throw new Error() });` }, ["--test"]);
    expect(ran.code).toBe(0);
    expect(ran.out).toContain("# pass 1");
  });

  it("with a mistake end with a syntax error at its line", async () => {
    const ran = await runProgram({ "main.ts": `const a: number = 1;\nconst b: = 2;\n` }, ["main.ts"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/main\.ts:2\n[\s\S]*SyntaxError/);
  });
});

describe("what a flag asks for and the container does not have", () => {
  it("is refused where a program would count on it: permissions", async () => {
    for (const flag of ["--experimental-permission", "--permission", "--allow-fs-read=*"]) {
      const ran = await runProgram({ "main.js": "console.log('ran')" }, [flag, "main.js"]);
      expect(ran).toMatchObject({ code: 9, out: "" });
      expect(ran.err).toContain(`${flag.split("=")[0]!} is not available in the container`);
    }
  });

  it("is told where the program runs as well without: coverage", async () => {
    const ran = await runProgram({ "a.test.js": "require('node:test')('one', () => {})" }, ["--test", "--experimental-test-coverage"]);
    expect(ran.code).toBe(0);
    expect(ran.err).toContain("--experimental-test-coverage is not available in the container");
  });
});

// What Node 20 has not yet: expected values are those that Node 22.23 printed for the same files.
describe("node:test of a newer Node", () => {
  it("runs all files in one process with --test-isolation=none, hooks around them all, a file without tests as a test", async () => {
    const files = {
      "a.test.js": `const { test, before, after } = require("node:test"); globalThis.n = 1; before(() => console.log("before")); after(() => console.log("after")); test("a1", () => console.log("a1", globalThis.n))`,
      "b.test.mjs": `import test from "node:test"; globalThis.n++; test("b1", (t) => t.test("sub", () => console.log("b1", globalThis.n)))`,
      "c.test.js": `console.log("no tests")`, "d.test.js": `throw new Error("load")`,
    };
    const { code, out } = await runProgram(files, ["--test", "--test-isolation=none", "--test-reporter=tap"]);
    expect(code).toBe(1);
    expect(out.match(/^(?:before|no tests|a1 .*|b1 .*|after|(?:not )?ok .*|# (?:tests|pass|fail) .*)$/gm)).toEqual(["before", "no tests", "a1 2", "b1 2", "after", "ok 1 - a1", "ok 2 - b1", "ok 3 - c.test.js", "not ok 4 - d.test.js", "# tests 5", "# pass 4", "# fail 1"]);
  });

  it("mocks properties: reads, writes, values for one access, and puts the property back", async () => {
    const source = `const { mock } = require("node:test"); const o = { a: 1, get g() { return 2 } }; Object.defineProperty(o, "r", { value: 3, configurable: true });
const p = mock.property(o, "a", 5); console.log(o.a, p.a, p.mock.accessCount()); o.a = 6; console.log(o.a, p.mock.accesses.map(({ type, value }) => type + value).join());
p.mock.mockImplementationOnce(9); p.mock.mockImplementationOnce(10, 6); console.log(o.a, o.a, o.a); p.mock.resetAccesses(); console.log(p.mock.accessCount()); p.mock.restore(); console.log(o.a, Object.getOwnPropertyDescriptor(o, "a").writable);
for (const bad of [() => mock.property(o, "none"), () => mock.property(1, "a"), () => mock.property(o, 5), () => { const q = mock.property(o, "r", 4); o.r = 1 }, () => { mock.property(o, "a").mock.mockImplementationOnce(1, -1) }]) try { bad() } catch (e) { console.log(e.code, e.message) } mock.reset(); console.log(o.a, o.r);`;
    const { code, out } = await runProgram({ "main.js": source }, ["main.js"]);
    expect(code).toBe(0);
    expect(out.trimEnd().split("\n")).toEqual([
      "5 5 2", "6 get5,get5,set6,get6", "9 6 10", "0", "1 true",
      "ERR_INVALID_ARG_VALUE The argument 'propertyName' is not a property of the object. Received 'none'",
      `ERR_INVALID_ARG_TYPE The "object" argument must be of type object. Received type number (1)`,
      `ERR_INVALID_ARG_TYPE The "propertyName" argument must be one of type string or symbol. Received type number (5)`,
      "ERR_INVALID_ARG_VALUE The argument 'propertyName' cannot be set. Received 'r'",
      `ERR_OUT_OF_RANGE The value of "onAccess" is out of range. It must be >= 0 && <= 9007199254740991. Received -1`,
      "1 3",
    ]);
  });
});

describe("what is not there is refused by name", () => {
  const refused: readonly (readonly [string, string])[] = [
    [`require("child_process").execSync("ls")`, "child_process.execSync is not available"],
    [`require("zlib").brotliCompressSync("x")`, "zlib.brotliCompress is not available: a process gets brotli when"],
    [`require("https").createServer()`, "https.createServer is not available: a page has no encrypted connections of its own"],
    [`require("dgram").createSocket("udp4")`, "dgram.createSocket is not available: a page has no datagrams"],
    [`new (require("worker_threads").Worker)("x.js")`, "new worker_threads.Worker is not available"],
    [`require("crypto").createCipheriv("camellia-128-cbc", "k", "i")`, `crypto.createCipheriv("camellia-128-cbc") is not available`],
  ];
  it.each(refused)("%s", async (source, message) => {
    const ran = await runProgram({ "main.js": source }, ["main.js"], { libraries: { keys } });
    expect(ran.code).toBe(1);
    expect(ran.err).toContain(message);
  });
});

describe("a program inside a host", () => {
  it("leaves the host's globals as they were", async () => {
    const before = { process: globalThis.process, console: globalThis.console, setTimeout: globalThis.setTimeout, prepare: Error.prepareStackTrace };
    const ran = await runProgram({ "main.js": `globalThis.madeUp = 1; console.log(typeof madeUp, process.cwd()); process.env.X = 1; console.log(process.env.X === "1")` }, ["main.js"]);
    expect(ran.out).toBe("number /p\ntrue\n");
    expect("madeUp" in globalThis).toBe(false);
    expect({ process: globalThis.process, console: globalThis.console, setTimeout: globalThis.setTimeout, prepare: Error.prepareStackTrace }).toEqual(before);
    expect(process.env["X"]).toBeUndefined();
  });

  it("can be stopped while it waits", async () => {
    const ran = await runProgram({ "main.js": `console.log("up"); setInterval(() => {}, 5)` }, ["main.js"], { signal: AbortSignal.timeout(50) });
    expect(ran).toMatchObject({ code: 137, out: "up\n" });
  });

  it("writes into the file system it was given and nothing after its end counts", async () => {
    const ran = await runProgram({ "main.js": `const fs = require("fs"); fs.writeFileSync("a.txt", "1"); try { process.exit(0) } catch {} console.log("not printed")` }, ["main.js"]);
    expect(ran).toMatchObject({ code: 0, out: "" });
    expect(new TextDecoder().decode(ran.vfs.readFile("/p/a.txt"))).toBe("1");
  });

  it("sees a module's newest text when it is run again", async () => {
    const vfs = new Vfs();
    vfs.mkdir("/p");
    const outputs: string[] = [];
    for (const text of ["one", "two"]) {
      vfs.writeFile("/p/m.mjs", new TextEncoder().encode(`console.log("${text}")`));
      await runNode({ vfs, argv: ["m.mjs"], cwd: "/p", stdout: (bytes) => outputs.push(new TextDecoder().decode(bytes)) });
    }
    expect(outputs).toEqual(["one\n", "two\n"]);
  });
});

describe("stack traces", () => {
  it("name the place as written, also behind rewritten imports", async () => {
    const ran = await runProgram({
      "main.mjs": `import { a, fail } from "./lib.mjs"; const x = [a, a].map((v) => fail(v, a));\n`,
      "lib.mjs": `export const a = 1;\nexport const fail = () => { throw new Error("here") };\n`,
    }, ["main.mjs"]);
    expect(ran.err).toBe(`file:///p/lib.mjs:2\nexport const fail = () => { throw new Error("here") };\n                                  ^\n\nError: here\n    at fail (file:///p/lib.mjs:2:35)\n    at file:///p/main.mjs:1:66\n    at Array.map (<anonymous>)\n    at file:///p/main.mjs:1:55\n\nNode.js v20.20.0\n`);
  });
});
