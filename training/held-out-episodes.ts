// Episodes of families or names that the corpus never has, to watch a training run by:
// `npx tsx training/held-out-episodes.ts known|novel COUNT OUT.jsonl`. The tasks of `npm run eval` are others.
import { writeFileSync } from "node:fs";
import { type EpisodeSource, makeEpisode } from "../src/tasks/episode.ts";
import { NOVEL_FAMILIES, TRAINED_FAMILIES } from "../src/tasks/families/index.ts";
import { hashText, Random } from "../src/tasks/random.ts";
import { WordSource } from "../src/tasks/words.ts";

const MULTI_EVERY = 10;

const [set, count, path] = process.argv.slice(2);
if ((set !== "known" && set !== "novel") || !(Number(count) > 0) || !path) {
  console.error("usage: npx tsx training/held-out-episodes.ts known|novel COUNT OUT.jsonl");
  process.exit(2);
}
const families = set === "known" ? TRAINED_FAMILIES : NOVEL_FAMILIES;
const source: EpisodeSource = { words: new WordSource("held-out"), pickFamily: (random) => random.weighted(families, (family) => family.weight) };
const lines: string[] = [];
for (let index = 0; lines.length < Number(count); index++) {
  const kind = index % MULTI_EVERY === MULTI_EVERY - 1 ? "multi" : "fix";
  const episode = await makeEpisode(kind, `${set}-${index}`, source, new Random(hashText(`watch/${set}/${index}`)));
  if (!episode) continue;
  const { system: _, ...line } = episode;
  lines.push(JSON.stringify(line));
}
writeFileSync(path, `${lines.join("\n")}\n`);
