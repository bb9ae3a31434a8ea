// What the runtime adds to Node or cannot take from it: TypeScript, refusals that name the function, embedding.
import { describe, expect, it } from "vitest";
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
    const ran = await runProgram({ "main.js": source }, ["main.js"]);
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
