// The rules of style that a machine can read. A failure names the file and what to do.
import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const ROOT = resolve(import.meta.dirname, "../..");
const MAX_LINES = 500;

function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    // `training/out` is what training makes, its virtual environment among it.
    if (entry.isDirectory()) return path.startsWith("test/fixtures/") || path === "training/out" ? [] : files(path);
    return /\.(ts|wgsl|py)$/.test(entry.name) ? [path] : [];
  });
}

const sources = ["src", "workers", "headless", "test", "training"].flatMap(files).map((path) => ({ path, text: readFileSync(join(ROOT, path), "utf8") }));
const product = sources.filter(({ path }) => !path.startsWith("test/"));

function offenders(list: typeof sources, pattern: RegExp): string[] {
  return list.flatMap(({ path, text }) => text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${relative("", path)}:${index + 1} ${line.trim()}`] : [])));
}

describe("every source file", () => {
  it(`has at most ${MAX_LINES} lines; a longer one holds two things: split it`, () => {
    expect(sources.filter(({ text }) => text.split("\n").length > MAX_LINES + 1).map(({ path }) => path)).toEqual([]);
  });

  it("starts with a header that says what it promises", () => {
    const bare = product.filter(({ path, text }) => path.endsWith(".ts") && !/^\s*(\/\/|\/\*)/.test(text));
    expect(bare.map(({ path }) => path)).toEqual([]);
  });

  it("has a kebab-case name", () => {
    expect(product.filter(({ path }) => path.endsWith(".ts") && !/^[a-z0-9.-]+$/.test(path.split("/").at(-1) ?? "")).map(({ path }) => path)).toEqual([]);
  });
});

describe("the product's code", () => {
  it("has no any, no ts-ignore, no empty catch", () => {
    expect(offenders(product, /\bas any\b|: any(?=\s*([;,)=\]>|[]|$))|<any>|@ts-ignore|@ts-nocheck|catch\s*(\([^)]*\))?\s*\{\s*\}/)).toEqual([]);
  });

  it("has no default export and no enum", () => {
    expect(offenders(product.filter(({ path }) => path.endsWith(".ts") && !path.endsWith(".d.ts")), /^export default\b|^\s*(export\s+)?(const\s+)?enum\s+\w+\s*\{/)).toEqual([]);
  });

  it("leaves nothing to do without an issue's number", () => {
    expect(offenders(product, /(\/\/|^\s*\*|^\s*#)\s*(TODO|FIXME|XXX|HACK)\b(?!\s*\(?#\d+)/)).toEqual([]);
  });
});

describe("the tests", () => {
  it("skip nothing silently and single nothing out", () => {
    const tests = sources.filter(({ path }) => path.endsWith(".test.ts") && !path.endsWith("style.test.ts"));
    expect(offenders(tests, /\b(it|test|describe)\.(only|skip|todo)\(/)).toEqual([]);
  });
});
