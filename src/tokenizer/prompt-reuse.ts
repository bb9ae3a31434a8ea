// A model may cut its own words into other tokens than the tokenizer would. To keep the state it computed, a prompt that
// goes on from such a sequence keeps the sequence's ids and tokenises only what is new.
import { Detokenizer } from "./detokenizer.ts";
import { type PromptPart, partIds } from "./prompt.ts";
import type { ModelTokenizer } from "./tokenizer.ts";

/** Ids as text and special tokens in turn. */
export function idsToParts(tokenizer: ModelTokenizer, ids: readonly number[]): readonly PromptPart[] {
  const parts: PromptPart[] = [];
  let text = "";
  let detokenizer = new Detokenizer(tokenizer);
  const flush = (): void => {
    text += detokenizer.end();
    if (text !== "") parts.push(text);
    text = "";
    detokenizer = new Detokenizer(tokenizer);
  };
  for (const id of ids) {
    const special = tokenizer.special(id);
    if (special) {
      flush();
      parts.push(special);
    } else text += detokenizer.push(id);
  }
  flush();
  return parts;
}

/**
 * Ids of the prompt that begin with `known`, or undefined when the prompt says something else there.
 * `known` must be a true beginning: there is always something new after it.
 */
export function continueIds(tokenizer: ModelTokenizer, known: readonly number[], prompt: readonly PromptPart[]): number[] | undefined {
  const before = idsToParts(tokenizer, known);
  if (before.length === 0 || before.length > prompt.length) return undefined;
  const last = before.length - 1;
  for (let i = 0; i < last; i++) if (!samePart(before[i]!, prompt[i]!)) return undefined;
  const ours = before[last]!;
  const theirs = prompt[last]!;
  if (samePart(ours, theirs)) return last + 1 < prompt.length ? [...known, ...partIds(tokenizer, prompt.slice(last + 1))] : undefined;
  if (typeof ours !== "string" || typeof theirs !== "string" || !theirs.startsWith(ours)) return undefined;
  return [...known, ...partIds(tokenizer, [theirs.slice(ours.length), ...prompt.slice(last + 1)])];
}

function samePart(a: PromptPart, b: PromptPart): boolean {
  return typeof a === "string" || typeof b === "string" ? a === b : a.id === b.id;
}
