// The command lines of a prompt: kept in ~/.jsh_history, as bash keeps its own, and called again by `!!`, `!12`, `!-2`, `!text`.
// The file is what all shells of the container share, and what the page keeps for the next visit.
import { commandsOf, HISTORY_FILE, historyLine, newestLines } from "../../base/shell-files.ts";
import { FsError } from "../fs-error.ts";
import { joinPath } from "../posix-path.ts";
import type { ShellState } from "./state.ts";

/** Not within single quotes, and not before what `!` means something else with. */
const EVENT = /'[^']*'|\\.|(^|[\s;|&("])!(!|-?\d+|[A-Za-z][\w./-]*)/g;

export class History {
  readonly #state: ShellState;
  readonly path: string;

  constructor(state: ShellState) {
    this.#state = state;
    this.path = historyPath(state);
    this.read();
  }

  /** The file has changed: another shell, or the page, has a line more. */
  read(): void {
    const { vfs, history } = this.#state.host;
    const node = vfs.find(this.path);
    if (node?.kind === "file") history.splice(0, history.length, ...commandsOf(newestLines(new TextDecoder().decode(node.data))));
  }

  /** The line to be run, and kept; undefined when it calls for one that there is not. `say` is told so, and what was called. */
  take(given: string, say: (text: string) => void): string | undefined {
    const { history } = this.#state.host;
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
    saveHistory(this.#state);
    return line;
  }

  #find(event: string): string | undefined {
    const { history } = this.#state.host;
    if (event === "!") return history.at(-1);
    if (/^-?\d+$/.test(event)) return Number(event) < 0 ? history.at(Number(event)) : history[Number(event) - 1];
    return history.findLast((line) => line.startsWith(event));
  }
}

const historyPath = (state: ShellState): string => joinPath(state.vars.get("HOME") ?? "/home", HISTORY_FILE);

/** Writes the newest lines to the file; older ones are forgotten. */
export function saveHistory(state: ShellState): void {
  const { history, vfs } = state.host;
  const text = newestLines(history.map(historyLine).join(""));
  history.splice(0, history.length - commandsOf(text).length);
  try {
    vfs.writeFile(historyPath(state), new TextEncoder().encode(text));
  } catch (error) {
    // A full or removed home: the line is run all the same.
    if (!(error instanceof FsError)) throw error;
  }
}
