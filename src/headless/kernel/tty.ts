// The line discipline of a terminal, as a kernel keeps it: what is typed is echoed and handed on line by line, erased with
// Backspace, and Ctrl+C and Ctrl+Z are signals. A program that edits its own lines asks for raw bytes instead.
import type { Signal } from "../protocol.ts";

export interface TtyEvents {
  echo(text: string): void;
  /** Null: Ctrl+D on an empty line. */
  input(text: string | null): void;
  signal(signal: Signal): void;
}

const ERASE = "\b \b";

export class Tty {
  readonly #events: TtyEvents;
  #line: string[] = [];
  #raw = false;

  constructor(events: TtyEvents) {
    this.#events = events;
  }

  /** A line begun stays and is handed on with what comes next. */
  set raw(on: boolean) {
    this.#raw = on;
    const begun = this.#line.join("");
    this.#line = [];
    if (on && begun !== "") this.#events.input(begun);
  }

  type(text: string): void {
    if (this.#raw) return this.#events.input(text);
    // A chunk may change the mode by what it starts: the rest then goes the new way.
    const characters = [...text];
    for (const [i, character] of characters.entries()) {
      this.#cooked(character);
      if (this.#raw) return this.#events.input(characters.slice(i + 1).join(""));
    }
  }

  #cooked(character: string): void {
    const { echo, input, signal } = this.#events;
    switch (character) {
      case "\r":
      case "\n":
        echo("\n");
        return this.#hand("\n");
      case "\u0003":
      case "\u001a":
      case "\u001c": {
        const [shown, sent] = character === "\u0003" ? (["^C\n", "SIGINT"] as const) : character === "\u001a" ? (["^Z", "SIGTSTP"] as const) : (["^\\\n", "SIGQUIT"] as const);
        echo(shown);
        this.#line = [];
        return signal(sent);
      }
      case "\u0004":
        return this.#line.length === 0 ? input(null) : this.#hand("");
      case "\u007f":
      case "\b":
        if (this.#line.pop() !== undefined) echo(ERASE);
        return;
      case "\u0015":
        echo(ERASE.repeat(this.#line.length));
        this.#line = [];
        return;
      default:
        this.#line.push(character);
        echo(character < " " && character !== "\t" ? `^${String.fromCharCode(character.charCodeAt(0) + 64)}` : character);
    }
  }

  #hand(end: string): void {
    const line = this.#line.join("") + end;
    this.#line = [];
    this.#events.input(line);
  }
}
