// Where text ends on a screen of so many columns.
import { textWidth } from "../../line-editor.ts";

export interface Place {
  readonly cols: number;
  readonly rows: number;
}

/** Of the end of the text, from the left of its first row. Colours take no room; a wide character does not straddle the margin. */
export function placeAfter(text: string, columns: number, tabSize: number): Place {
  let offset = 0;
  let rows = 0;
  // oxlint-disable-next-line no-control-regex -- what moves and colours takes no room
  for (const character of text.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, "")) {
    if (character === "\n") {
      rows += offset === 0 ? 1 : Math.ceil(offset / columns);
      offset = 0;
    } else if (character === "\t") offset += tabSize - (offset % tabSize);
    else {
      const width = character < " " || character === "\u007f" ? 0 : textWidth(character);
      if (width === 2 && (offset + 1) % columns === 0) offset++;
      offset += width;
    }
  }
  const cols = offset % columns;
  return { cols, rows: rows + (offset - cols) / columns };
}

/** The longest beginning that all share. */
export function commonStart(words: readonly string[]): string {
  let [common = ""] = words;
  for (const word of words) while (!word.startsWith(common)) common = common.slice(0, -1);
  return common;
}

/** Words in columns, row by row; an empty word begins a new group. */
export function inColumns(words: readonly string[], columns: number): string {
  const width = Math.max(0, ...words.map(textWidth)) + 2;
  const perRow = !Number.isFinite(columns) || width === 0 ? 1 : Math.floor(columns / width) || 1;
  let text = "";
  let inRow = 0;
  let padding = 0;
  for (const word of words) {
    if (word === "" || inRow === perRow) {
      text += "\r\n";
      inRow = padding = 0;
      if (word === "") continue;
    } else text += " ".repeat(padding);
    text += word;
    padding = width - textWidth(word);
    inRow++;
  }
  return inRow > 0 ? `${text}\r\n\r\n` : text;
}
