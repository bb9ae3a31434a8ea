// A sandbox in this process, for making training data fast: files in memory, `npm test` without a Node of its own.
// It prints TAP whose meaning (counts, titles, places, values) is what real `node --test` prints for the same project;
// a test proves that on sampled tasks. For generated projects only: it is no isolation.
import { AppError } from "../base/errors.ts";
import type { RunOptions, RunResult, Sandbox } from "../container/sandbox.ts";
import { decodeText } from "../project/text.ts";
import type { FileTree } from "../project/tree.ts";
import { inspect, isDeepEqual } from "./inspect.ts";
import { type CompiledModule, compileModule, type Exports, resetGuard, sourceLine } from "./program.ts";

const TEST_COMMANDS = new Set(["npm test", "npm run test", "npm t", "node --test"]);

class AssertionFailure extends Error {
  override readonly name = "AssertionError";
}

interface TestCase {
  readonly title: string;
  readonly body: () => unknown;
}

/** Compiled modules by path and text: the same file runs several times in one episode. */
const compiled = new Map<string, CompiledModule>();
const COMPILED_KEPT = 4000;

function compile(source: string, path: string): CompiledModule {
  const key = `${path}\n${source}`;
  let module = compiled.get(key);
  if (!module) {
    if (compiled.size >= COMPILED_KEPT) compiled.clear();
    module = compileModule(source, path);
    compiled.set(key, module);
  }
  return module;
}

export class FastSandbox implements Sandbox {
  #files: Map<string, Uint8Array>;

  constructor(files: FileTree) {
    this.#files = new Map(files);
  }

  async readFile(path: string): Promise<Uint8Array> {
    const bytes = this.#files.get(path);
    if (!bytes) throw new AppError("project/not-found", `There is no file ${path}. List the files to find the right path.`);
    return bytes;
  }

  async writeFile(path: string, bytes: Uint8Array): Promise<void> {
    this.#files.set(path, bytes);
  }

  async remove(path: string): Promise<void> {
    this.#files.delete(path);
  }

  async list(): Promise<readonly string[]> {
    return [...this.#files.keys()].sort();
  }

  async snapshot(): Promise<FileTree> {
    return new Map(this.#files);
  }

  async restore(tree: FileTree): Promise<void> {
    this.#files = new Map(tree);
  }

  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    const known = TEST_COMMANDS.has(command.trim());
    const { output, exitCode } = known ? this.#runTests() : { output: `sh: 1: ${command.split(" ")[0]}: not found\n`, exitCode: 127 };
    options.onOutput?.(output);
    return { exitCode, output, end: "exit", durationMs: 1 };
  }

  #runTests(): { output: string; exitCode: number } {
    const lines = ["TAP version 13"];
    let [number, failed] = [0, 0];
    for (const path of [...this.#files.keys()].filter(isTestFile).sort()) {
      for (const { title, body } of this.#collect(path)) {
        const failure = runBody(body);
        number++;
        if (failure) failed++;
        lines.push(`# Subtest: ${title}`, `${failure ? "not ok" : "ok"} ${number} - ${title.replace(/[#\\]/g, "\\$&")}`, "  ---");
        if (failure) lines.push(...failure.map((line) => `  ${line}`));
        lines.push("  duration_ms: 1", "  ...");
      }
    }
    lines.push(`1..${number}`, `# tests ${number}`, "# suites 0", `# pass ${number - failed}`, `# fail ${failed}`);
    lines.push("# cancelled 0", "# skipped 0", "# todo 0", "# duration_ms 1");
    return { output: `${lines.join("\n")}\n`, exitCode: failed > 0 ? 1 : 0 };
  }

  /** The tests that a file registers. */
  #collect(path: string): TestCase[] {
    const tests: TestCase[] = [];
    const register = (title: string, body: () => unknown): void => void tests.push({ title, body });
    const loaded = new Map<string, Exports>();
    const load = (from: string, specifier: string): Exports => {
      if (specifier === "node:test") return { default: register, test: register, it: register };
      if (specifier.startsWith("node:assert")) return { default: ASSERT, ...ASSERT };
      const target = resolve(from, specifier);
      const known = loaded.get(target);
      if (known) return known;
      const exports = compile(this.#text(target), target).instantiate((next) => load(target, next));
      loaded.set(target, exports);
      return exports;
    };
    compile(this.#text(path), path).instantiate((specifier) => load(path, specifier));
    return tests;
  }

  #text(path: string): string {
    const bytes = this.#files.get(path);
    const text = bytes && decodeText(bytes);
    if (text === undefined) throw new AppError("bug", `The generated project has no file ${path}.`);
    return text;
  }
}

function isTestFile(path: string): boolean {
  return /(^|\/)test\/[^/]+\.js$/.test(path) || path.endsWith(".test.js");
}

function resolve(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** The YAML of a failed test, or undefined for a pass. */
function runBody(body: () => unknown): string[] | undefined {
  resetGuard();
  try {
    body();
    return undefined;
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown));
    const assertion = error instanceof AssertionFailure;
    return [
      "failureType: 'testCodeFailure'",
      "error: |-",
      ...error.message.split("\n").map((line) => `  ${line}`),
      `code: '${assertion ? "ERR_ASSERTION" : "ERR_TEST_FAILURE"}'`,
      `name: '${error.name}'`,
      "stack: |-",
      ...frames(error).map((line) => `  ${line}`),
    ];
  }
}

/** Frames in project files, as Node prints them but for the absolute path. */
function frames(error: Error): string[] {
  return [...(error.stack ?? "").matchAll(/^ +at (?:(.+) \()?((?:packages|src|test)\/[^\s():]+):(\d+):(\d+)\)?$/gm)].map(
    ([, name, path, line, column]) => `${name ?? "<anonymous>"} (${path}:${sourceLine(Number(line))}:${column})`,
  );
}

function fail(kind: string, actual: unknown, expected: unknown): never {
  throw new AssertionFailure(`Expected values to be strictly ${kind}:\n\n${inspect(actual)} !== ${inspect(expected)}\n`);
}

function strictEqual(actual: unknown, expected: unknown): void {
  if (!Object.is(actual, expected)) fail("equal", actual, expected);
}

function deepStrictEqual(actual: unknown, expected: unknown): void {
  if (!isDeepEqual(actual, expected)) fail("deep-equal", actual, expected);
}

const ASSERT = { equal: strictEqual, strictEqual, deepEqual: deepStrictEqual, deepStrictEqual };
