// Keys out of what a terminal sends: one `keypress` event for each, named as Node names them.
import type { AnyFunction, Emitter, StreamLike } from "../../node/runtime.ts";
import type { TerminalTools } from "./tools.ts";

export interface Key {
  readonly sequence: string;
  readonly name: string | undefined;
  readonly ctrl: boolean;
  readonly meta: boolean;
  readonly shift: boolean;
  /** Of an escape sequence: what follows the ESC, without modifiers. */
  readonly code?: string;
}

export interface KeyReader {
  escapeCodeTimeout: number;
  /** False while more of what came in one piece follows: then Tab is text, as in a paste. */
  isCompletionEnabled: boolean;
  /** The key is alone in its piece. */
  sawKeyPress?: boolean;
}

const ESC = "\u001b";
const DEFAULT_TIMEOUT_MS = 500;

/** By the code of an escape sequence; "+" marks Shift, "^" Ctrl. */
const NAMES: Readonly<Record<string, string>> = Object.fromEntries(
  `[P f1|[Q f2|[R f3|[S f4|OP f1|OQ f2|OR f3|OS f4|[11~ f1|[12~ f2|[13~ f3|[14~ f4|[[A f1|[[B f2|[[C f3|[[D f4|[[E f5|[15~ f5|[17~ f6|[18~ f7|[19~ f8|[20~ f9|[21~ f10|[23~ f11|[24~ f12
|[A up|[B down|[C right|[D left|[E clear|[F end|[H home|OA up|OB down|OC right|OD left|OE clear|OF end|OH home|[1~ home|[2~ insert|[3~ delete|[4~ end|[5~ pageup|[6~ pagedown|[[5~ pageup|[[6~ pagedown|[7~ home|[8~ end
|[200~ paste-start|[201~ paste-end|[a +up|[b +down|[c +right|[d +left|[e +clear|[2$ +insert|[3$ +delete|[5$ +pageup|[6$ +pagedown|[7$ +home|[8$ +end
|Oa ^up|Ob ^down|Oc ^right|Od ^left|Oe ^clear|[2^ ^insert|[3^ ^delete|[5^ ^pageup|[6^ ^pagedown|[7^ ^home|[8^ ^end|[Z +tab`.split(/\s*\|/).map((entry) => entry.split(" ") as [string, string]),
);

/** A sequence that may become one: complete, to be continued, or neither. */
const WHOLE = /^(O\d?\D|\[\[?(?:\d{1,3};\d[^]|\d{1,3}[^\d;]|[^\d[]))$/s;
const BEGUN = /^(O\d?|\[|\[\[|\[\[?\d{1,3}(;\d?)?)$/;

/** The three forms of modifiers: ESC O 5 A, ESC [ 3 ; 5 ~, ESC [ 1 ; 5 A. */
const FORMS = [/^(O)(\d?)(.)$/s, /^(\[\[?\d\d?)(?:;(\d))?([~^$])$/, /^(\[\[?)(?:(?:\d;)?(\d))?([A-Za-z])$/];

function sequenceKey(sequence: string, text: string): Key {
  const [, start = "", digit = "", end = ""] = FORMS.map((form) => form.exec(text)).find((match) => match !== null) ?? [undefined, text];
  const code = start + end;
  const modifier = Number(digit || "1") - 1;
  const known = NAMES[code] ?? "undefined";
  return { sequence, name: known.replace(/^[+^]/, ""), ctrl: known.startsWith("^") || (modifier & 4) !== 0, meta: (modifier & 10) !== 0, shift: known.startsWith("+") || (modifier & 1) !== 0, code };
}

const SINGLE: Readonly<Record<string, string>> = { "\r": "return", "\n": "enter", "\t": "tab", "\b": "backspace", "\u007f": "backspace", [ESC]: "escape", " ": "space" };

function characterKey(sequence: string, character: string, escaped: boolean): Key {
  const key = (name: string | undefined, ctrl: boolean, shift = false): Key => ({ sequence, name, ctrl, meta: escaped, shift });
  if (SINGLE[character] !== undefined) return key(SINGLE[character], false);
  if (!escaped && character <= "\u001a") return key(String.fromCharCode(character.charCodeAt(0) + 96), true);
  if (/^[\dA-Za-z]$/.test(character)) return key(character.toLowerCase(), false, /[A-Z]/.test(character));
  return key(undefined, false);
}

/** What follows the ESCs that it begins with. */
function withoutEscapes(text: string): string {
  let at = 0;
  while (text[at] === ESC) at++;
  return text.slice(at);
}

/** Fed character by character; calls back for each key. */
export class KeyParser {
  readonly #emit: (text: string | undefined, key: Key) => void;
  /** From the first ESC on. */
  #held = "";

  constructor(emit: (text: string | undefined, key: Key) => void) {
    this.#emit = emit;
  }

  /** Whether what is held may be all there is: the Escape key. */
  get waits(): boolean {
    return this.#held !== "" && withoutEscapes(this.#held) === "";
  }

  push(character: string): void {
    if (this.#held === "" && character !== ESC) return this.#emit(character, characterKey(character, character, false));
    const sequence = this.#held + character;
    const rest = withoutEscapes(sequence);
    this.#held = sequence;
    if (rest === "" ? sequence.length < 3 : BEGUN.test(rest) && !WHOLE.test(rest)) return;
    this.#held = "";
    if (rest === "") return this.#escape(sequence);
    // One key with Alt, or what no table knows.
    this.#emit(undefined, /^[O[]./s.test(rest) ? sequenceKey(sequence, rest) : characterKey(sequence, rest, true));
  }

  /** Nothing has followed for a while. */
  flush(): void {
    const held = this.#held;
    this.#held = "";
    if (held !== "") this.#escape(held);
  }

  #escape(sequence: string): void {
    this.#emit(undefined, { sequence, name: "escape", ctrl: false, meta: true, shift: false });
  }
}

const ATTACHED = Symbol("keypress");

/** `readline.emitKeypressEvents`: listens to the stream's data only while somebody listens to its keys. */
export function emitKeypressEvents({ StringDecoder, runtime }: TerminalTools, stream: StreamLike & Emitter, reader?: KeyReader): void {
  const marked = stream as unknown as Record<symbol, unknown>;
  if (marked[ATTACHED]) return;
  marked[ATTACHED] = true;
  const decoder = new StringDecoder("utf8");
  const parser = new KeyParser((text, key) => void stream.emit("keypress", text, key));
  const { setTimeout, clearTimeout } = runtime.builtin("timers") as unknown as { setTimeout(task: () => void, ms: number): unknown; clearTimeout(timer: unknown): void };
  let timer: unknown;
  const onData = (chunk: unknown): void => {
    if (stream.listenerCount("keypress") === 0) {
      stream.off("data", onData);
      stream.on("newListener", onNewListener);
      return;
    }
    const text = typeof chunk === "string" ? chunk : decoder.write(chunk as Uint8Array);
    if (text === "") return;
    clearTimeout(timer);
    const characters = [...text];
    if (reader) Object.assign(reader, { sawKeyPress: characters.length === 1, isCompletionEnabled: false });
    for (const [i, character] of characters.entries()) {
      if (reader && i === characters.length - 1) reader.isCompletionEnabled = true;
      try {
        parser.push(character);
      } catch (error) {
        // What follows is read by a parser that knows nothing of it.
        parser.flush();
        throw error;
      }
    }
    if (parser.waits) timer = setTimeout(() => parser.flush(), reader?.escapeCodeTimeout ?? DEFAULT_TIMEOUT_MS);
  };
  const onNewListener: AnyFunction = (event) => {
    if (event !== "keypress") return;
    stream.on("data", onData);
    stream.off("newListener", onNewListener);
  };
  if (stream.listenerCount("keypress") > 0) stream.on("data", onData);
  else stream.on("newListener", onNewListener);
}

