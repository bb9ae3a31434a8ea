// What programs print, before a terminal sees it. An allow-list: text, line ends, tabs, colours and moves inside the line go
// through, every other control sequence is dropped. So output can set no title, write no clipboard, make no link, ask the
// terminal for nothing, and reach no line above its own: what a command printed cannot be painted over or made up later.

/** Strings of OSC, DCS and the like are dropped up to their end, but no further than this or the end of the line. */
const STRING_CHARS = 4_096;
const SEQUENCE_CHARS = 64;

const ESC = 0x1b;
/** Direction marks would let a line be shown in another order than it is. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

type Mode = "text" | "escape" | "sequence" | "string";

/**
 * Keeps its place between chunks: a sequence may be cut anywhere. `whole`: for a screen that a program has to itself, where it
 * may move anywhere and clear it; still no titles, links, clipboard, questions.
 */
export class TerminalFilter {
  readonly #whole: boolean;
  #mode: Mode = "text";
  #collected = "";
  #skipped = 0;

  constructor(whole = false) {
    this.#whole = whole;
  }

  push(chunk: string): string {
    let out = "";
    for (let i = 0; i < chunk.length; i++) {
      const code = chunk.charCodeAt(i);
      const taken = this.#take(code, chunk[i]!);
      if (taken === undefined) i--;
      else out += taken;
    }
    return out.replace(DIRECTION, (mark) => `⟨U+${mark.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
  }

  /** What goes through; undefined: the mode has changed, look at this character again. */
  #take(code: number, character: string): string | undefined {
    switch (this.#mode) {
      case "text":
        return this.#text(code, character);
      case "escape":
        return this.#escape(code, character);
      case "sequence":
        return this.#sequence(code, character);
      case "string":
        return this.#string(code);
      default:
        return this.#mode satisfies never;
    }
  }

  #text(code: number, character: string): string {
    if (code === ESC) this.#enter("escape");
    else if (code === 0x9b) this.#enter("sequence");
    else if (code === 0x90 || code === 0x98 || (code >= 0x9d && code <= 0x9f)) this.#enter("string");
    else if (code === 0x0a || code === 0x0d || code === 0x09 || code === 0x08 || (code >= 0x20 && code < 0x7f) || code >= 0xa0) return character;
    return "";
  }

  #escape(code: number, character: string): string | undefined {
    if (code < 0x20) return this.#again();
    if (character === "[") this.#enter("sequence");
    else if ("]PX^_".includes(character)) this.#enter("string");
    else if (code > 0x2f || ++this.#skipped > SEQUENCE_CHARS) this.#enter("text");
    return "";
  }

  #sequence(code: number, character: string): string | undefined {
    if (code < 0x20 || code > 0x7e) return this.#again();
    if (code < 0x40) {
      this.#collected += character;
      if (this.#collected.length > SEQUENCE_CHARS) this.#enter("text");
      return "";
    }
    const parameters = this.#collected;
    this.#enter("text");
    return allowed(parameters, character) || (this.#whole ? allowedOnOwnScreen(parameters, character) : "");
  }

  #string(code: number): string | undefined {
    // ESC ends a string whether the backslash of its terminator follows or not.
    if (code === 0x0a || code === ESC) return this.#again();
    if (code === 0x07 || code === 0x9c || code === 0x18 || code === 0x1a || ++this.#skipped > STRING_CHARS) this.#enter("text");
    return "";
  }

  #enter(mode: Mode): string {
    this.#mode = mode;
    this.#collected = "";
    this.#skipped = 0;
    return "";
  }

  /** The character belongs to no sequence: it is read again as text. */
  #again(): undefined {
    this.#enter("text");
    return undefined;
  }
}

/** Colours without "concealed", erasing in the line, moving in the line. */
function allowed(parameters: string, final: string): string {
  switch (final) {
    case "m":
      return /^[\d;:]*$/.test(parameters) ? `\u001b[${withoutConceal(parameters)}m` : "";
    case "K":
      return /^[012]?$/.test(parameters) ? `\u001b[${parameters}K` : "";
    case "C":
    case "D":
    case "G":
      return /^\d{0,4}$/.test(parameters) ? `\u001b[${parameters}${final}` : "";
    default:
      return "";
  }
}

/** Cursor, alternate screen, wrapping, bracketed paste: what `h` and `l` may switch. */
const SWITCHES = new Set(["7", "12", "25", "47", "1047", "1049", "2004"]);

/** Moves, erasing, scrolling, inserting and deleting, anywhere on the screen. */
function allowedOnOwnScreen(parameters: string, final: string): string {
  if ("ABEFHJLMPSTX@dfr".includes(final)) return /^[\d;]{0,12}$/.test(parameters) ? `\u001b[${parameters}${final}` : "";
  if (final === "h" || final === "l") return parameters.startsWith("?") && SWITCHES.has(parameters.slice(1)) ? `\u001b[${parameters}${final}` : "";
  return "";
}

/** `8` hides text; as the second value of `38;5;8` it is a colour. */
function withoutConceal(parameters: string): string {
  const values = parameters.split(";");
  const kept: string[] = [];
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value === "38" || value === "48" || value === "58") {
      const length = values[i + 1] === "5" ? 3 : values[i + 1] === "2" ? 5 : 1;
      kept.push(...values.slice(i, i + length));
      i += length - 1;
    } else if (!/^0*8$/.test(value)) kept.push(value);
  }
  return kept.length === 0 && parameters !== "" ? "0" : kept.join(";");
}

// oxlint-disable-next-line no-control-regex -- the control characters that a filtered text can still hold
const LEFT_OVER = /\u001b\[[\d;:]*[mKCDG]|[\u0008\r]/g;

/** Text alone, for reading and copying: no colours, tabs and newlines stay. */
export function plainText(text: string): string {
  return new TerminalFilter().push(text.replaceAll("\r\n", "\n")).replace(LEFT_OVER, "");
}

/** What is pasted, as text alone: a control character would be a key, and the end of a paste could be one. */
export function pasteable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- all of them but tab and line ends
  return text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]/g, "");
}
