// How many columns of a terminal a text takes: wide characters two, marks and control characters none.
import { stripVTControlCharacters } from "node-inspect-extracted";

const PLAIN = /^[ -~]*$/;
const NONE = /^[\p{Cc}\p{Cf}\p{Mn}\p{Me}]$/u;
const WIDE = /^(?:[\u1100-\u115f\u231a\u231b\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]|\p{Emoji_Presentation})$/u;

export function textWidth(text: string): number {
  const shown = stripVTControlCharacters(text);
  if (PLAIN.test(shown)) return shown.length;
  let width = 0;
  for (const character of shown.normalize("NFC")) if (!NONE.test(character)) width += WIDE.test(character) ? 2 : 1;
  return width;
}
