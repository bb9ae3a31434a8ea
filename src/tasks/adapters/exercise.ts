// An exercise folder in Exercism's form as a task: `.meta/config.json` names the solution, test and example files; the
// example (`.meta/proof.ci.js`) is the reference and never reaches the assistant. Specs for Jest run on node:test.
import { AppError } from "../../base/errors.ts";
import { decodeText, encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Task } from "../task.ts";

const CONFIG = ".meta/config.json";
/** In a folder for tests: it is locked, and put back for grading. */
const GLOBALS = "tests/jest-globals.js";

export function isExercise(files: FileTree): boolean {
  return files.has(CONFIG);
}

/** `globals`: the text of the module that stands for `@jest/globals`. Throws `task/format` naming what the folder lacks. */
export function exerciseTask(slug: string, files: FileTree, globals: string): Task {
  const config = configOf(slug, files);
  const file = (path: string): string => {
    const text = decodeText(files.get(path) ?? refuse(slug, `has no file ${path}, which ${CONFIG} names`));
    return text ?? refuse(slug, `has a file ${path} that is no text`);
  };
  const specs = treeOf(config.test.map((path) => [path, forNode(file(path), path, files)]));
  if (specs.size === 0) refuse(slug, `names no test file in ${CONFIG}`);
  const given = treeOf([...config.solution, ...config.editor].map((path) => [path, forNode(file(path), path, files)]));
  const solution = treeOf(config.example.slice(0, config.solution.length).map((path, at) => [config.solution[at]!, forNode(file(path), config.solution[at]!, files, path)]));
  if (solution.size === 0) refuse(slug, `names no example in ${CONFIG}, so nothing proves that it can be solved`);
  const words = ["introduction", "instructions", "instructions.append"].flatMap((name) => decodeText(files.get(`.docs/${name}.md`) ?? new Uint8Array()) || []);
  const test = `node --test ${config.test.join(" ")}`;
  const manifest = JSON.stringify({ name: slug, private: true, type: "module", scripts: { test } }, null, 2);
  const hidden = new Map([...specs, [GLOBALS, encodeText(globals)] as const]);
  return {
    id: slug, set: "exercises", test,
    instruction: `Write ${config.solution.join(" and ")} so that the tests pass. README.md says what is asked.`,
    files: new Map([...given, ...treeOf([["README.md", words.join("\n\n")], ["package.json", `${manifest}\n`]]), ...hidden]),
    hidden, solution,
  };
}

interface Config {
  readonly solution: readonly string[];
  readonly test: readonly string[];
  readonly example: readonly string[];
  readonly editor: readonly string[];
}

function configOf(slug: string, files: FileTree): Config {
  const text = decodeText(files.get(CONFIG) ?? new Uint8Array());
  let named: Readonly<Record<string, unknown>>;
  try {
    named = (JSON.parse(text ?? "") as { files?: Record<string, unknown> }).files ?? {};
  } catch (cause) {
    throw new AppError("task/format", `The exercise ${slug} has no valid ${CONFIG}. Correct it.`, { cause });
  }
  const list = (name: string, fallback: string): string[] => (Array.isArray(named[name]) ? named[name].map(String) : fallback === "" ? [] : [fallback]);
  // A track's old exercises have no list of files; then the track's own pattern holds.
  return { solution: list("solution", `${slug}.js`), test: list("test", `${slug}.spec.js`), example: list("example", ".meta/proof.ci.js"), editor: list("editor", "") };
}

/**
 * Specifiers as Node resolves them: Jest adds extensions, and `@jest/globals` becomes our file. `path` is where the text
 * will be; an example may name files as from there or from where it lies (`from`).
 */
function forNode(text: string, path: string, files: FileTree, from = path): string {
  const folder = folderOf(path);
  const up = folder === "" ? "./" : "../".repeat(folder.split("/").length);
  return text.replace(/(\bfrom\s*|\bimport\s*\(?\s*)(["'])([^"'\n]+)\2/g, (whole, before: string, quote: string, specifier: string) => {
    if (specifier === "@jest/globals") return `${before}${quote}${up}${GLOBALS}${quote}`;
    if (!/^\.\.?\//.test(specifier)) return whole;
    for (const base of [folder, folderOf(from)]) {
      const target = resolve(base, specifier);
      const found = [target, `${target}.js`, `${target}/index.js`].find((one) => files.has(one));
      if (found !== undefined) return `${before}${quote}${up}${found}${quote}`;
    }
    return whole;
  });
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "";
}

function resolve(folder: string, specifier: string): string {
  const parts = folder === "" ? [] : folder.split("/");
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

function treeOf(entries: readonly (readonly [path: string, text: string])[]): Map<string, Uint8Array> {
  return new Map(entries.map(([path, text]) => [path, encodeText(text)]));
}

function refuse(slug: string, what: string): never {
  throw new AppError("task/format", `The exercise ${slug} ${what}. Correct it, or leave the exercise out.`);
}
