// A shell at a terminal: prompt, line editing, history, completion, a task for each command so that Ctrl+C stops it alone.
import { type Completion, LineEditor } from "../line-editor.ts";
import { resolvePath } from "../posix-path.ts";
import { BUILTINS } from "./builtins/index.ts";
import { COMMANDS } from "./commands/index.ts";
import { runText } from "./interpreter.ts";
import { promptEscapes } from "./parameters.ts";
import { History } from "./history.ts";
import { programNames } from "./simple-command.ts";
import { Break, Exit, ExpansionError, Killed, Return, type ShellState } from "./state.ts";
import { BrokenPipe, OpenFile, type TerminalTurn } from "./streams.ts";
import { Task } from "./task.ts";
import { ReadonlyError } from "./variables.ts";
import { isWhole } from "./whole.ts";

const PROMPT = "\\[\\e[1;34m\\]\\w\\[\\e[0m\\] \\$ ";

export interface PromptTerminal {
  write(text: string): void;
  columns(): number;
  /** Whether keys come as they are typed (while a line is edited) or in lines (while a program runs). */
  raw(on: boolean): void;
  /** The terminal's input, for one command. */
  turn(): TerminalTurn;
  /** Input that nobody has read. */
  leftOver(): string;
}

export class Prompt {
  readonly #state: ShellState;
  readonly #terminal: PromptTerminal;
  readonly #editor: LineEditor;
  readonly #history: History;
  #foreground: Task;
  #warned = false;
  #running = false;
  #dropped = false;

  constructor(state: ShellState, terminal: PromptTerminal) {
    this.#state = state;
    this.#terminal = terminal;
    this.#foreground = state.task;
    this.#history = new History(state);
    this.#editor = new LineEditor({ write: (text) => terminal.write(text), columns: () => terminal.columns(), history: state.host.history, bracketsPaste: true, complete: (before) => complete(state, before) });
  }

  /** Keys of the line it reads; returns those that are not: they are for what has the terminal after it. */
  type(keys: string): string {
    if (!this.#editor.reading) return keys;
    this.#editor.type(keys);
    return this.#editor.reading ? "" : this.#editor.takeRest();
  }

  /** A command has the terminal; until then a line that was given may be dropped. */
  get running(): boolean {
    return this.#running;
  }

  /** A file has changed under the shell. */
  fileChanged(path: string): void {
    if (path === this.#history.path) this.#history.read();
  }

  /** Ctrl+C, for what runs; a line that was given and has not begun is dropped. */
  interrupt(): void {
    if (this.#running) this.#foreground.send("SIGINT");
    else this.#dropped = true;
  }

  /** Ctrl+Z, for what runs. What runs no process stops at once; a process says when it has. */
  suspend(): void {
    const { foreground, stopsProcesses } = this.#state.host;
    // Between two commands: the next is stopped as it begins.
    if (!foreground) {
      this.#state.host.stopsNext = true;
      return;
    }
    if (!stopsProcesses || !foreground.task.hasChildren) foreground.stop();
    else foreground.task.send("SIGTSTP");
  }

  /** Until `exit` or Ctrl+D. Throws Exit. */
  async run(): Promise<number> {
    let text = "";
    for (;;) {
      if (text === "") await this.#tellJobs();
      this.#terminal.raw(true);
      this.#dropped = false;
      const reading = this.#editor.read(promptEscapes(this.#state, this.#state.vars.get(text === "" ? "PS1" : "PS2") ?? (text === "" ? PROMPT : "> ")));
      const left = this.#terminal.leftOver();
      if (left !== "") this.#editor.type(left);
      const typed = await reading;
      if (typed === "interrupt" || this.#dropped) {
        text = "";
        this.#state.status = 130;
        continue;
      }
      if (typed === null) {
        if (text !== "") {
          text = "";
          continue;
        }
        this.#terminal.write("exit\n");
        if (this.#mayLeave()) throw new Exit(this.#state.status);
        continue;
      }
      text += `${typed.line}\n`;
      if (!isWhole(text)) continue;
      const given = text.replace(/\n+$/, "");
      text = "";
      if (given.trim() === "") continue;
      const command = this.#history.take(given, (said) => this.#terminal.write(said));
      if (command !== undefined) await this.#runOne(command);
    }
  }

  async #runOne(command: string): Promise<void> {
    const state = this.#state;
    const task = new Task(state.jobs.root);
    task.onSignal = (signal) => state.traps.has(signal.slice(3));
    this.#foreground = state.task = task;
    this.#running = true;
    this.#terminal.raw(false);
    const turn = this.#terminal.turn();
    const input = state.fds.get(0)?.hold();
    if (input?.stream.own === 0) state.setFd(0, new OpenFile(turn));
    state.host.typed = { line: command, turn };
    state.host.stopsNext = false;
    try {
      await runText(state, command);
      if (task.signal.aborted) throw task.signal.reason;
    } catch (error) {
      if (error instanceof Exit) {
        if (/^\s*(exit|logout)\b/.test(command) && !this.#mayLeave()) return;
        throw error;
      }
      if (error instanceof Killed || error instanceof Return) state.status = error.code;
      else if (error instanceof BrokenPipe) state.status = 141;
      else if (error instanceof Break) state.status = 0;
      else if (error instanceof ExpansionError || error instanceof ReadonlyError) {
        state.status = 1;
        await state.complain(error.message);
      } else throw error;
    } finally {
      if (state.fds.get(0)?.stream === turn) state.setFd(0, input);
      else input?.release();
      turn.close();
      task.close();
      this.#running = false;
      this.#foreground = state.task = new Task(state.jobs.root);
      state.loops = state.tested = 0;
      state.calls = [];
    }
  }

  /** Jobs would end with the shell: the first time, that is said instead. */
  #mayLeave(): boolean {
    const { running } = this.#state.jobs;
    if (running.length === 0 || this.#warned) return true;
    this.#warned = true;
    this.#terminal.write(`There are ${running.some(({ stopped }) => stopped) ? "stopped" : "running"} jobs; leaving again ends them.\n`);
    return false;
  }

  async #tellJobs(): Promise<void> {
    const { jobs } = this.#state;
    for (const job of jobs.all) {
      if (job.status === undefined) continue;
      await this.#state.write(2, `${jobs.line(job)}\n`);
      jobs.forget(job);
    }
  }
}

/** Commands where a command begins, variables after `$`, else paths. */
export function complete(state: ShellState, before: string): Completion {
  const match = /(?:[^\s"'\\;|&()<>]|\\.|"[^"]*"?|'[^']*'?)*$/.exec(before);
  const word = match?.[0] ?? "";
  const from = before.length - word.length;
  const variable = /\$\{?(\w*)$/.exec(word);
  if (variable) {
    const name = variable[1] ?? "";
    return { from: before.length - name.length, candidates: state.vars.names().filter((known) => known.startsWith(name)) };
  }
  const plain = word.replaceAll(/\\(.)|["']/g, "$1");
  const begins = /(^|[;|&(\n]|\b(then|do|else|time|sudo)\s)\s*$/.test(before.slice(0, from));
  if (begins && !plain.includes("/")) {
    const names = new Set([...Object.keys(BUILTINS), ...Object.keys(COMMANDS), ...state.host.leaves.names, ...programNames(state), ...state.functions.keys(), ...state.aliases.keys()]);
    const found = [...names].filter((name) => name.startsWith(plain)).sort();
    if (found.length > 0) return { from, candidates: found };
  }
  return { from, candidates: paths(state, plain) };
}

function paths(state: ShellState, word: string): string[] {
  const slash = word.lastIndexOf("/") + 1;
  const shown = word.slice(0, slash);
  const home = state.vars.get("HOME") ?? "";
  const folder = state.host.vfs.find(resolvePath(shown.replace(/^~(?=\/)/, home) || ".", state.cwd));
  if (folder?.kind !== "dir") return [];
  const start = word.slice(slash);
  return [...folder.entries].filter(([name]) => name.startsWith(start) && (start !== "" || !name.startsWith("."))).map(([name, node]) => {
    const real = node.kind === "link" ? state.host.vfs.find(resolvePath(`${shown.replace(/^~(?=\/)/, home)}${name}`, state.cwd)) : node;
    return (shown + name).replaceAll(/[\s"'\\$&;|()<>*?[\]!`#]/g, "\\$&") + (real?.kind === "dir" ? "/" : "");
  }).sort();
}
