// Text of a project as it is: characters that show nothing, or turn the direction of what follows, are written out.
// A name or a line can then not look like another (trojan source). What emoji and scripts need for joining is left alone.
import { html, type TemplateResult } from "lit";
import { t } from "../strings/more.ts";

/** A run of text, or one character that would not be seen. */
export type TextPart = { readonly text: string } | { readonly hidden: string };

// Format and control characters, fillers and variation selectors; without the Arabic number signs, which are seen.
const HIDDEN = /(?![\t\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2])(?:\p{Cc}|\p{Cf}|\p{Variation_Selector}|[\u115f\u1160\u2028\u2029\u3164\uffa0]|\u034f|\u17b4|\u17b5)/u;
const JOINS = /[\u200c\u200d]/;
const EMOJI_END = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u;
/** Scripts in which a joiner or non-joiner between two letters is spelling. */
const JOINED_SCRIPT = /[\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gurmukhi}\p{Script=Gujarati}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Sinhala}\p{Script=Khmer}]/u;

/** The text in runs; joined again with the hidden characters it is the text. */
export function visibleParts(text: string): readonly TextPart[] {
  if (!HIDDEN.test(text)) return text === "" ? [] : [{ text }];
  const characters = [...text];
  const parts: TextPart[] = [];
  let run = "";
  for (const [i, character] of characters.entries()) {
    if (!HIDDEN.test(character) || isSpelling(characters[i - 1] ?? "", character, characters[i + 1] ?? "")) {
      run += character;
      continue;
    }
    if (run !== "") parts.push({ text: run });
    run = "";
    parts.push({ hidden: character });
  }
  return run === "" ? parts : [...parts, { text: run }];
}

function isSpelling(before: string, character: string, after: string): boolean {
  if (character === "\ufe0f" || character === "\ufe0e") return /[\p{Emoji}\u20e3]$/u.test(before);
  if (!JOINS.test(character)) return false;
  if (character === "\u200d" && EMOJI_END.test(before) && /^\p{Extended_Pictographic}/u.test(after)) return true;
  return JOINED_SCRIPT.test(before) && JOINED_SCRIPT.test(after);
}

/** `U+202E` */
export function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** For titles and labels, which hold no elements: `evil⟨U+202E⟩txt.exe`. */
export function writtenOut(text: string): string {
  return visibleParts(text).map((part) => ("text" in part ? part.text : `⟨${codePoint(part.hidden)}⟩`)).join("");
}

/**
 * The text isolated from the direction of what stands around it. Paths and code run left to right, so that an extension
 * stays at the end; what people write takes its own direction ("auto"). Style `.hidden-character` with `hiddenStyles`.
 */
export function visibleText(text: string, direction: "ltr" | "auto" = "ltr"): TemplateResult {
  const parts = visibleParts(text);
  if (parts.length <= 1 && parts.every((part) => "text" in part)) return html`<bdi dir=${direction}>${text}</bdi>`;
  return html`<bdi dir=${direction}>${parts.map((part) => ("text" in part ? part.text : html`<span class="hidden-character" title=${t().work.hiddenCharacter(codePoint(part.hidden))}>${codePoint(part.hidden)}</span>`))}</bdi>`;
}
