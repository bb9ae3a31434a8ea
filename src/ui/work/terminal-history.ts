// What was typed at a project's terminal, in its shells and on the command line: kept in this browser for the next visit, apart
// from the project. While a container runs, the file of its shells is the truth and what is kept follows it; a new container,
// or another project, begins with what is kept.
import { commandsOf, historyLine, newestLines } from "../../base/shell-files.ts";
import type { ShellHistory } from "../../container/sandbox.ts";
import { openShelf, type Shelf } from "../../storage/shelf.ts";
import type { SessionCore } from "../session/core.ts";
import { HISTORY } from "../session/session-store.ts";

export class TerminalHistory {
  readonly #core: SessionCore;
  /** Whose lines these are, as the file has them. */
  #workspace = "";
  #text = "";
  #shelf: Promise<Shelf<string>> | undefined;
  #watched: ShellHistory | undefined;
  #turn: Promise<void> = Promise.resolve();

  constructor(core: SessionCore) {
    this.#core = core;
  }

  /** Oldest first; as `follow` has left them. */
  get lines(): readonly string[] {
    return commandsOf(this.#text);
  }

  /** Makes this and the container's file the history of the project that is open. */
  follow(): Promise<void> {
    return this.#next(async () => {
      const { id } = this.#core.state.project;
      const file = this.#core.sandbox?.shellHistory;
      const isOther = id !== this.#workspace;
      if (isOther) this.#text = newestLines((await (await this.#kept())?.get(id + HISTORY)) ?? "");
      this.#workspace = id;
      if (!file) return;
      if (isOther || file !== this.#watched || (await file.read()) === null) await file.write(this.#text);
      if (file !== this.#watched) file.watch(() => void this.#taken(file));
      this.#watched = file;
    });
  }

  /** A line that was run: the newest, unless it was that already. */
  async add(line: string): Promise<void> {
    await this.follow();
    await this.#next(async () => {
      if (this.lines.at(-1) === line) return;
      await this.#keep(newestLines(`${this.#text}${historyLine(line)}`));
      await this.#watched?.write(this.#text);
    });
  }

  /** What a shell has added, or cleared. Of a file that is gone nothing is known. */
  #taken(file: ShellHistory): Promise<void> {
    return this.#next(async () => {
      const text = await file.read();
      if (text !== null && this.#workspace === this.#core.state.project.id && newestLines(text) !== this.#text) await this.#keep(newestLines(text));
    });
  }

  async #keep(text: string): Promise<void> {
    this.#text = text;
    await (await this.#kept())?.put(this.#workspace + HISTORY, text);
  }

  /** Undefined where the browser stores nothing. */
  #kept(): Promise<Shelf<string>> | undefined {
    if (this.#core.parts.store) this.#shelf ??= openShelf<string>("checkpoints");
    return this.#shelf;
  }

  /** One after the other; what fails is told, and the terminal goes on without. */
  #next(what: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(what).catch((error: unknown) => this.#core.report(error));
    return this.#turn;
  }
}
