// DESIGN §2 draws which room may import which; a new arrow is a decision, made here and nowhere else.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const SRC = resolve(import.meta.dirname, "../../src");

/** Room → rooms it may import, itself included. `types` arrows carry no code: `import type` only. */
const ARROWS: Readonly<Record<string, { readonly code: readonly string[]; readonly types?: readonly string[] }>> = {
  base: { code: [] },
  // Repacks what it reads from the user's own file, and what it fetches again of a damaged record.
  storage: { code: ["gguf", "base"] },
  // A file on a server is one of the places that a model is read from.
  download: { code: ["storage", "base"], types: ["gguf"] },
  gguf: { code: ["base"] },
  gpu: { code: ["base"] },
  kernels: { code: ["gpu", "base"], types: ["gguf"] },
  experts: { code: ["storage", "gpu", "base"] },
  model: { code: ["kernels", "experts", "gguf", "storage", "gpu", "base"] },
  tokenizer: { code: ["gguf", "base"], types: ["engine"] },
  engine: { code: ["model", "tokenizer", "download", "storage", "experts", "gguf", "gpu", "base"] },
  project: { code: ["base"] },
  container: { code: ["project", "base"] },
  headless: { code: ["base"] },
  agent: { code: ["tokenizer", "project", "base"], types: ["engine", "container"] },
  tasks: { code: ["agent", "project", "base"], types: ["engine", "container"] },
  embed: { code: ["base"] },
  // The service worker's: it must start in an instant and outlive every page, so it knows nothing of them.
  offline: { code: ["base"] },
};
/** The page and the commands stand on top: they may import anything. */
const TOP = ["ui", "cli"];

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : entry.name.endsWith(".ts") ? [join(folder, entry.name)] : [],
  );
}

interface Import {
  readonly file: string;
  readonly room: string;
  readonly to: string;
  readonly specifier: string;
  readonly typeOnly: boolean;
}

function imports(): Import[] {
  const pattern = /^\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+["']([^"']+)["']|^\s*import\s+["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;
  return files(SRC).flatMap((file) => {
    const room = relative(SRC, file).split("/")[0] ?? "";
    return [...readFileSync(file, "utf8").matchAll(pattern)].map((match) => {
      const specifier = match[2] ?? match[3] ?? match[4] ?? "";
      const target = specifier.startsWith(".") ? relative(SRC, resolve(dirname(file), specifier)).split("/")[0] : undefined;
      return { file: relative(SRC, file), room, to: target ?? specifier, specifier, typeOnly: match[1] !== undefined };
    });
  });
}

describe("the rooms", () => {
  const all = imports();

  it("import only along the arrows that are drawn", () => {
    const wrong = all.filter(({ room, to, specifier, typeOnly }) => {
      const arrows = ARROWS[room];
      if (!arrows || !specifier.startsWith(".") || to === room) return false;
      return !(arrows.code.includes(to) || (typeOnly && arrows.types?.includes(to)));
    });
    expect(wrong.map((i) => `${i.file} -> ${i.specifier}`)).toEqual([]);
  });

  it("are all drawn", () => {
    const rooms = readdirSync(SRC, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    expect(rooms.filter((room) => !(room in ARROWS) && !TOP.includes(room))).toEqual([]);
  });

  it.each([["@mlc-ai/web-llm"], ["@mlc-ai/web-xgrammar"], ["@webcontainer/api"]])("name %s in one file only", (specifier) => {
    expect(new Set(all.filter((i) => i.specifier === specifier).map((i) => i.file)).size).toBeLessThanOrEqual(1);
  });

  it("touch innerHTML in one file at most", () => {
    const touching = files(SRC).filter((file) => /\.innerHTML\b|unsafeHTML|insertAdjacentHTML/.test(readFileSync(file, "utf8")));
    expect(touching.map((file) => relative(SRC, file)).length).toBeLessThanOrEqual(1);
  });
});
