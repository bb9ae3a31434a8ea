// All families, in the two sets that never mix: those a corpus is made of, and those kept for measuring.
import type { Family } from "../draft.ts";
import { COMPOSED, COMPOSED_NOVEL } from "./composed.ts";
import { LISTS } from "./lists.ts";
import { WRITTEN_NOVEL } from "./novel.ts";
import { NUMBERS } from "./numbers.ts";
import { TEXTS } from "./texts.ts";

/** Written families weigh more than composed ones: each is the only one of its kind. */
const written = [...NUMBERS, ...LISTS, ...TEXTS].map((family) => ({ ...family, weight: 3.5 }));

export const TRAINED_FAMILIES: readonly Family[] = [...written, ...COMPOSED];

/** Never in training. The written ones and the composed ones are drawn equally often. */
export const NOVEL_FAMILIES: readonly Family[] = [...WRITTEN_NOVEL, ...COMPOSED_NOVEL].map((family) => ({ ...family, weight: 1 }));
