// TypeScript beyond types: what sucrase takes off or turns, what goes to TypeScript's own compiler, and where errors are.
import { describe, expect, it } from "vitest";
import { transform } from "../../src/headless/libraries/typescript.ts";
import { type Ran, runProgram } from "../support/run-program.ts";

async function run(files: Readonly<Record<string, string>>, argv: readonly string[], typescript: typeof transform | null = transform): Promise<Omit<Ran, "vfs">> {
  const { code, out, err } = await runProgram(files, argv, typescript === null ? {} : { libraries: { typescript } });
  return { code, out, err };
}

const ENUMS = `export enum Plain { A, B = 5, C }\nexport const enum Const { X = "x" }\nenum Merged { A = 1 }\nenum Merged { B = A + 1 }\nexport { Merged };\n`;
const NAMESPACES = `namespace Shapes { export const one = 1; export namespace Deep { export function two(): number { return one + 1 } } }\nnamespace Shapes { export const three = Deep.two() + 1 }\nclass Point { static origin: Point }\nnamespace Point { export const zero = 0 }\nexport { Shapes, Point };\n`;
const LEGACY = `const log: string[] = [];
const say = (name: string) => (target: any, key?: any, at?: any) => { log.push([name, typeof target, key, typeof at === "number" ? at : typeof at].join(":")) };
@say("class")
export class Service {
  @say("field") value: number = 1;
  constructor(@say("argument") private readonly dependency: string = "dep", public open?: number) {}
  @say("method") greet(@say("parameter") who: string): string { return this.dependency + who + this.value }
}
export const result = [new Service("a").greet("b"), ...log];
`;
const STANDARD = `function logged<T, A extends unknown[], R>(method: (this: T, ...args: A) => R, context: ClassMethodDecoratorContext) { return function (this: T, ...args: A): R { return ("<" + String(context.name) + ":" + method.call(this, ...args) + ">") as R } }
const double = (_: undefined, context: ClassFieldDecoratorContext) => (value: number) => value * 2;
const sealed = (target: Function, context: ClassDecoratorContext) => { context.addInitializer(() => console.log("sealed", context.name, target.name)) };
@sealed export class Thing { @double accessorless = 21; @logged hello(name: string): string { return "hi " + name + this.accessorless } @logged static s() { return "static" } }
`;

describe("TypeScript with more than types in it", () => {
  it("runs enums of every kind", async () => {
    const ran = await run({ "e.ts": ENUMS, "main.ts": `import { Plain, Const, Merged } from "./e.ts"; console.log(Plain.C, Plain[5], Const.X, Merged.B, Merged[1])` }, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "6 B x 2 A\n", err: "" });
  });

  it("runs namespaces, merged ones too", async () => {
    const ran = await run({ "n.ts": NAMESPACES, "main.ts": `import { Shapes, Point } from "./n.ts"; console.log(Shapes.Deep.two(), Shapes.three, Point.zero, new Point() instanceof Point)` }, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "2 3 0 true\n", err: "" });
  });

  it("runs parameter properties, abstract and optional members, overloads, satisfies", async () => {
    const ran = await run({ "main.ts": `abstract class A { constructor(protected readonly n: number, public s?: string) {} abstract f(): number; declare d: string }\nclass B extends A { constructor(n: number) { super(n, "s") } f(): number; f(x?: number): number { return this.n! + (x ?? 0) } }\nconst b = new B(3) satisfies A; console.log(b.f(), b.s, "d" in b, <number>b.f(), (b as any as { n: number }).n)` }, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "3 s false 3 3\n", err: "" });
  });

  it("runs `import x = require` and `export =`", async () => {
    const ran = await run({ "lib.cts": `class Lib { static v: number = 1 }\nexport = Lib;\n`, "main.cts": `import Lib = require("./lib.cts");\nimport fs = require("fs");\nconsole.log(Lib.v, typeof fs.readFileSync)` }, ["main.cts"]);
    expect(ran).toEqual({ code: 0, out: "1 function\n", err: "" });
  });

  it("leaves imports of types out and keeps imports of values", async () => {
    const ran = await run({ "t.ts": `console.log("t runs");\nexport interface T { a: number }\nexport type U = T;\nexport const v = 1;\n`, "main.ts": `import type { T } from "./t.ts";\nimport { type U, v } from "./t.ts";\nexport type { T } from "./t.ts";\nconst t: T = { a: v };\nconst u: U = t;\nconsole.log(u.a)` }, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "t runs\n1\n", err: "" });
  });

  it("runs legacy decorators where tsconfig.json asks for them, inherited options too", async () => {
    const files = { "base.json": `{ "compilerOptions": { /* old */ "experimentalDecorators": true } }`, "tsconfig.json": `{ "extends": "./base", }`, "s.ts": LEGACY, "main.ts": `import { result } from "./s.ts"; for (const line of result) console.log(line)` };
    const ran = await run(files, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "ab1\nfield:object:value:undefined\nparameter:object:greet:0\nmethod:object:greet:object\nargument:function::0\nclass:function::undefined\n", err: "" });
  });

  it("runs standard decorators", async () => {
    const ran = await run({ "t.ts": STANDARD, "main.ts": `import { Thing } from "./t.ts"; console.log(new Thing().hello("x"), Thing.s())` }, ["main.ts"]);
    expect(ran).toEqual({ code: 0, out: "sealed Thing Thing\n<hello:hi x42> <s:static>\n", err: "" });
  });

  it("says what is missing when there is no compiler", async () => {
    const ran = await run({ "main.ts": `namespace A { export const x = 1 }\n` }, ["main.ts"], null);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("/p/main.ts has decorators or namespaces in it: they need TypeScript's compiler");
  });
});

describe("places in TypeScript", () => {
  it("are those of the file as written, to the column, when only types are taken off", async () => {
    const ran = await run({ "main.ts": `interface Long { a: number }\nexport function f<T extends Long>(value: T, other?: string): never { const x: number = value.a as number; throw new Error("at " + x) }\ntry { f<Long>({ a: 1 }) } catch (e) { console.log((e as Error).stack) }\n` }, ["main.ts"]);
    expect(ran.out).toBe("Error: at 1\n    at f (file:///p/main.ts:2:113)\n    at file:///p/main.ts:3:7\n");
  });

  it("and when the compiler has moved every line", async () => {
    const ran = await run({ "main.ts": `namespace N {\n\n\n  export function fail(x: number): never { throw new Error("n" + x) }\n}\nexport {};\nN.fail(1);\n` }, ["main.ts"]);
    expect(ran.err).toContain(`file:///p/main.ts:4\n  export function fail(x: number): never { throw new Error("n" + x) }\n`);
    expect(ran.err).toContain("    at Object.fail (file:///p/main.ts:4:50)\n    at file:///p/main.ts:7:3\n");
  });

  it("of mistakes are told by line", async () => {
    const ran = await run({ "main.ts": `namespace A {\n  const x: = 1;\n}\n` }, ["main.ts"]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/main\.ts:2\n {2}const x: = 1;\n[\s\S]*SyntaxError: Type expected/);
  });
});
