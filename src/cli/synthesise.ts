// `npm run synthesise`: training episodes as JSON lines, or the held-out tasks. Deterministic by seed.
import { createWriteStream, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { finished } from "node:stream/promises";
import { AppError } from "../base/errors.ts";
import { corpusEpisode, trainingSource } from "../tasks/corpus.ts";
import type { Episode } from "../tasks/episode.ts";
import { toolTrajectory } from "./tool-messages.ts";
import { isUsableName } from "../tasks/words.ts";
import { numberOption, required, runCommand, type Values } from "./args.ts";

const HELP = `
npm run synthesise -- --out FILE.jsonl [--count N] [--seed S] [--shard K/N] [--mine-words | --words FILE] [--form FORM]
npm run synthesise -- --held-out DIR|FILE.jsonl [--sets known,novel] [--count N] [--seed S]

Makes coding tasks: small functions with one-line bugs and tests that catch them.

  --out FILE       episodes of the real agent loop driven by an oracle, one JSON object a line:
                   { id, kind, family, tools, messages: [{ role, content, skip? }] }
  --held-out DIR   task folders for npm run eval: known families with new names, and families never seen;
                   with a name that ends in .jsonl one file, a task a line, for training/measure.py
  --sets LIST      which: known, novel, and built, of pieces that practice never shows; default known,novel
  --count N        episodes (default 1000), or tasks per set (default 40)
  --seed S         default 1; the same seed gives the same output
  --shard K/N      only every N-th episode, from the K-th (0 is the first): for several processes at once
  --mine-words     more words for names, collected from the documentation under node_modules
  --words FILE     more words for names, one a line
  --form FORM      "text" (default): turns as the bundled model writes them; "messages": with system message, parsed
                   tool calls and tools as JSON schemas, for the trainers of other models

Exit code 0 when everything was written, 1 on a failure, 2 for wrong arguments.
`;

await runCommand({
  help: HELP,
  options: {
    out: { type: "string" },
    "held-out": { type: "string" },
    sets: { type: "string" },
    count: { type: "string" },
    seed: { type: "string" },
    shard: { type: "string" },
    "mine-words": { type: "boolean" },
    words: { type: "string" },
    form: { type: "string" },
  },
  run: async (values) => {
    const seed = numberOption(values, "seed", 0) ?? 1;
    if (typeof values["held-out"] === "string") {
      const { heldOutSets, writeHeldOut } = await import("./held-out.ts");
      const sets = heldOutSets(typeof values["sets"] === "string" ? values["sets"] : "known,novel");
      return writeHeldOut(values["held-out"], sets, numberOption(values, "count", 1) ?? 40, seed);
    }
    return writeCorpus(values, seed);
  },
});

async function writeCorpus(values: Values, seed: number): Promise<number> {
  const path = required(values, "out");
  const count = numberOption(values, "count", 1) ?? 1000;
  const [shard, shards] = shardOf(values);
  const line = lineOf(values);
  const source = trainingSource(typeof values["words"] === "string" ? listedWords(values["words"]) : values["mine-words"] === true ? minedWords() : []);
  mkdirSync(dirname(path), { recursive: true });
  const out = createWriteStream(path);
  const started = performance.now();
  let written = 0;
  for (let index = shard; index < count; index += shards) {
    if (!out.write(`${JSON.stringify(line(await corpusEpisode(seed, index, source)))}\n`)) await new Promise<void>((resolve) => out.once("drain", resolve));
    written++;
  }
  out.end();
  await finished(out);
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${written} episodes in ${seconds.toFixed(1)} s (${(written / seconds).toFixed(0)} a second): ${path}\n`);
  return 0;
}

function lineOf(values: Values): (episode: Episode) => object {
  const form = values["form"] ?? "text";
  if (form === "messages") return toolTrajectory;
  if (form === "text") return withoutSystem;
  throw new AppError("command/usage", `--form must be "text" or "messages", not "${String(form)}".`);
}

function withoutSystem(episode: Episode): object {
  const { system: _, ...rest } = episode;
  return rest;
}

function shardOf(values: Values): readonly [number, number] {
  const text = values["shard"] ?? "0/1";
  const match = /^(\d+)\/(\d+)$/.exec(String(text));
  if (match && Number(match[1]) < Number(match[2])) return [Number(match[1]), Number(match[2])];
  throw new AppError("command/usage", `--shard must be K/N with K below N, not "${String(text)}".`);
}

function listedWords(path: string): string[] {
  return readFileSync(path, "utf8").split("\n").filter(isUsableName);
}

/** Words of 3 to 10 letters that occur in the README files under node_modules. Nothing of them is stored in the project. */
function minedWords(): string[] {
  const root = new URL("../../node_modules/", import.meta.url).pathname;
  const counts = new Map<string, number>();
  for (const name of readdirSync(root).sort()) {
    const folders = name.startsWith("@") ? readdirSync(join(root, name)).map((inner) => join(root, name, inner)) : [join(root, name)];
    for (const folder of folders) {
      const readme = name.startsWith(".") ? undefined : listFiles(folder).find((file) => /^readme\.md$/i.test(file));
      if (!readme) continue;
      for (const word of readFileSync(join(folder, readme), "utf8").toLowerCase().match(/\b[a-z]{3,10}\b/g) ?? []) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  return [...counts].filter(([word, count]) => count >= 2 && isUsableName(word)).map(([word]) => word).sort();
}

function listFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => entry.name);
}
