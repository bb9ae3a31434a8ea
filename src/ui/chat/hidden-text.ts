// Characters that a reader cannot see but a model or a shell can: zero-width, bidirectional controls, tags, variation
// selectors, control characters. They are cut out as pieces of their own so that a view can show them by name.
// Joiners that writing needs (inside emoji, between letters of scripts that use them) stay.

/** Text as it is, or a run of one invisible character: its code point and how often it stands there. */
export type TextPiece = { readonly text: string } | { readonly hidden: string; readonly count: number };

const HIDDEN =
  // oxlint-disable-next-line no-control-regex no-misleading-character-class -- these characters are what is looked for
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e01ef}]/gu;
const ANY = new RegExp(HIDDEN.source, "u");
const JOINERS = new Set(["\u200c", "\u200d"]);
const JOINING_SCRIPT = /[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Devanagari}\p{Script=Bengali}\p{Script=Gujarati}\p{Script=Gurmukhi}\p{Script=Kannada}\p{Script=Malayalam}\p{Script=Oriya}\p{Script=Tamil}\p{Script=Telugu}\p{Script=Sinhala}\p{Script=Khmer}\p{Script=Mongolian}]/u;
const EMOJI_END = /[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u;
const EMOJI_START = /^\p{Extended_Pictographic}/u;
/** A flag of a region: a black flag, its letters as tags, and the end tag. */
const FLAG = /\u{1f3f4}[\u{e0020}-\u{e007e}]{1,8}\u{e007f}/gu;

/** Whether anything in the text may have to be named: cheap, for the many texts that have nothing. */
export function hasHiddenText(text: string): boolean {
  return ANY.test(text);
}

/** The text cut at its invisible characters; one piece with all of it where there are none. */
export function piecesOf(text: string): readonly TextPiece[] {
  if (!hasHiddenText(text)) return [{ text }];
  const flags = [...text.matchAll(FLAG)].map((match) => [match.index, match.index + match[0].length] as const);
  const pieces: TextPiece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    const at = match.index;
    if (isNeeded(text, at, match[0]) || flags.some(([start, end]) => at > start && at < end)) continue;
    if (at > from) pieces.push({ text: text.slice(from, at) });
    from = at + match[0].length;
    const hidden = nameOf(match[0]);
    const last = pieces.at(-1);
    if (last && "hidden" in last && last.hidden === hidden) pieces[pieces.length - 1] = { hidden, count: last.count + 1 };
    else pieces.push({ hidden, count: 1 });
  }
  if (from < text.length) pieces.push({ text: text.slice(from) });
  return pieces;
}

/** "U+202E", or "U+200B ×12". */
export function hiddenLabel(piece: Extract<TextPiece, { hidden: string }>): string {
  return piece.count === 1 ? piece.hidden : `${piece.hidden} ×${piece.count}`;
}

/** The text with names in place of what cannot be seen: for attributes, which hold no elements. */
export function visibleText(text: string): string {
  return piecesOf(text)
    .map((piece) => ("text" in piece ? piece.text : `⟦${hiddenLabel(piece)}⟧`))
    .join("");
}

function nameOf(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}

function isNeeded(text: string, at: number, character: string): boolean {
  if (!JOINERS.has(character)) return false;
  const before = text.slice(Math.max(0, at - 2), at);
  const after = text.slice(at + 1, at + 3);
  if (character === "\u200d" && EMOJI_END.test(before) && EMOJI_START.test(after)) return true;
  return JOINING_SCRIPT.test(before) && JOINING_SCRIPT.test(after);
}
