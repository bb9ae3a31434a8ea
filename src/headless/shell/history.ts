// The command lines of a prompt: kept in ~/.jsh_history, as bash keeps its own, and called again by `!!`, `!12`, `!-2`, `!text`.
import { joinPath } from "../posix-path.ts";
import type { ShellState } from "./state.ts";

const KEPT = 1000;
/** Not within single quotes, and not before what `!` means something else with. */
const EVENT = /'[^']*'|\\.|(^|[\s;|&("])!(!|-?\d+|[A-Za-z][\w./-]*)/g;

export class History {
  readonly #state: ShellState;
  readonly #path: string;

  constructor(state: ShellState) {
    this.#state = state;
    this.#path = joinPath(state.vars.get("HOME") ?? "/home", ".jsh_history");
    const { vfs, history } = state.host;
    if (vfs.exists(this.#path)) history.push(...new TextDecoder().decode(vfs.readFile(this.#path)).split("\n").filter((line) => line !== "").map(decoded));
  }

  /** The line to be run, and kept; undefined when it calls for one that there is not. `say` is told so, and what was called. */
  take(given: string, say: (text: string) => void): string | undefined {
    const { history, vfs } = this.#state.host;
    let missing: string | undefined;
    const line = given.replaceAll(EVENT, (all: string, before?: string, event?: string) => {
      if (event === undefined) return all;
      const found = this.#find(event);
      missing ??= found === undefined ? event : undefined;
      return (before ?? "") + (found ?? "");
    });
    if (missing !== undefined) {
      say(`jsh: !${missing}: event not found\n`);
      return undefined;
    }
    if (line !== given) say(`${line}\n`);
    if (line !== history.at(-1) && !line.startsWith(" ")) history.push(line);
    history.splice(0, history.length - KEPT);
    try {
      vfs.writeFile(this.#path, new TextEncoder().encode(history.map((each) => `${encoded(each)}\n`).join("")));
    } catch {
      // A full or removed home: the line is run all the same.
    }
    return line;
  }

  #find(event: string): string | undefined {
    const { history } = this.#state.host;
    if (event === "!") return history.at(-1);
    if (/^-?\d+$/.test(event)) return Number(event) < 0 ? history.at(Number(event)) : history[Number(event) - 1];
    return history.findLast((line) => line.startsWith(event));
  }
}

/** A command of several lines is one line of the file. */
const encoded = (line: string): string => line.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
const decoded = (line: string): string => line.replaceAll(/\\(.)/g, (_, next: string) => (next === "n" ? "\n" : next));
