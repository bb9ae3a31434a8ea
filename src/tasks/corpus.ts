// A corpus: any number of episodes by seed, in a fixed mix.
import { drawChat } from "./chat-lines.ts";
import { type Episode, type EpisodeKind, type EpisodeSource, makeEpisode } from "./episode.ts";
import { TRAINED_FAMILIES } from "./families/index.ts";
import { hashText, Random } from "./random.ts";
import { WordSource } from "./words.ts";

/** Shares of the kinds; they sum to 1. */
export const MIX: Readonly<Record<EpisodeKind, number>> = { fix: 0.8, multi: 0.1, recover: 0.05, review: 0.015, chat: 0.035 };

/** Words and families for training; `extraWords` widen the pool that names are copied from. */
export function trainingSource(extraWords: readonly string[] = []): EpisodeSource {
  return {
    words: new WordSource("train", extraWords),
    pickFamily: (random) => random.weighted(TRAINED_FAMILIES, (family) => family.weight),
  };
}

/** Episode `index` of the corpus with this seed; the same whichever others are made. */
export async function corpusEpisode(seed: number, index: number, source: EpisodeSource): Promise<Episode> {
  const random = new Random(hashText(`${seed}/${index}`));
  const kinds = Object.keys(MIX) as EpisodeKind[];
  const id = `e${seed}-${index}`;
  for (;;) {
    const kind = random.weighted(kinds, (one) => MIX[one]);
    if (kind === "chat") {
      const { ask, answer } = drawChat(random);
      // The page offers tools in every chat with a project open; without one there are none.
      return { id, kind, family: "chat", tools: random.chance(0.7), messages: [{ role: "user", content: ask }, { role: "assistant", content: answer }] };
    }
    const episode = await makeEpisode(kind, id, source, random);
    if (episode) return episode;
  }
}
