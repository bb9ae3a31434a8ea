// readline.Interface: lines of a stream, and at a terminal a line that is edited. Its inner functions have the names that
// programs replace in Node (`_writeToOutput` hides a password, `_ttyWrite` takes keys first).
// (Over 300 lines: one class, which is what Node has.)
import type { AnyFunction, Emitter, StreamLike } from "../../node/runtime.ts";
import { actionFor } from "./bindings.ts";
import { iterate } from "./iterate.ts";
import { emitKeypressEvents, type Key, type KeyReader } from "./keypress.ts";
import { type Completer, completerOf, type Completions, type Options, readOptions } from "./options.ts";
import { commonStart, inColumns, placeAfter, type Place } from "./screen-text.ts";
import type { TerminalTools } from "./tools.ts";
import { CURSOR } from "./tty.ts";

const LINE_END = /\r?\n|\r(?!\n)/g;
const LEAST_CRLF_MS = 100;
const KILLED = 32;

export interface EditedLine {
  line: string;
  cursor: number;
}

export type InterfaceClass = ReturnType<typeof makeInterface>;
export type InterfaceObject = InstanceType<InterfaceClass>;

export function makeInterface(tools: TerminalTools) {
  const { errors, runtime: { process } } = tools;
  return class Interface extends (tools.EventEmitter as unknown as new () => Emitter) implements KeyReader, EditedLine {
    readonly input: Options["input"];
    readonly output: StreamLike | undefined;
    readonly terminal: boolean;
    readonly crlfDelay: number;
    readonly completer: Completer | undefined;
    readonly historySize: number;
    readonly removeHistoryDuplicates: boolean;
    readonly tabSize: number;
    escapeCodeTimeout: number;
    isCompletionEnabled = true;
    sawKeyPress = false;
    line = "";
    cursor = 0;
    history: string[];
    historyIndex = -1;
    prevRows = 0;
    closed = false;
    paused = false;
    _prompt: string;
    #oldPrompt = "";
    #answer: ((line: string) => void) | undefined;
    #sawReturnAt = 0;
    #rest = "";
    #decoder = new tools.StringDecoder("utf8");
    #lastKey: Key | undefined;
    /** What ↑ and ↓ look for at the beginning of lines. */
    #searched: string | undefined;
    #before: EditedLine[] = [];
    #after: EditedLine[] = [];
    #killed: string[] = [];
    #killedIndex = 0;
    #yanked = false;
    #lines: AsyncIterator<string> | undefined;

    constructor(first: Partial<Options> | Options["input"], output?: StreamLike, completer?: AnyFunction, terminal?: boolean) {
      super();
      const options = readOptions(tools, first, { output, completer, terminal });
      const { historySize, history, crlfDelay } = options;
      this.input = options.input;
      this.output = options.output;
      this._prompt = String(options.prompt);
      this.terminal = options.terminal === undefined ? options.output?.isTTY === true : options.terminal === true;
      this.crlfDelay = crlfDelay ? Math.max(LEAST_CRLF_MS, crlfDelay) : LEAST_CRLF_MS;
      this.escapeCodeTimeout = options.escapeCodeTimeout;
      this.tabSize = options.tabSize;
      this.historySize = historySize;
      this.removeHistoryDuplicates = options.removeHistoryDuplicates === true;
      this.history = historySize === 0 ? [] : [...history];
      this.completer = completerOf(options.completer);
      if (options.signal) this.#closeWhen(options.signal);
      const { input } = this;
      const fail = (error: unknown): void => void this.emit("error", error);
      input?.on("error", fail);
      this.once("close", () => input?.off("error", fail));
      if (this.terminal) this.#readKeys();
      else this.#readLines();
      this.input?.resume?.();
    }

    #closeWhen(signal: AbortSignal): void {
      const close = (): void => this.close();
      if (signal.aborted) process.nextTick(close);
      else {
        signal.addEventListener("abort", close, { once: true });
        this.once("close", () => signal.removeEventListener("abort", close));
      }
    }

    #readKeys(): void {
      const { input, output } = this;
      const onKey = (text: unknown, key: unknown): void => {
        this._ttyWrite(text as string, key as Key);
      };
      const onEnd = (): void => {
        if (this.line.length > 0) this.emit("line", this.line);
        this.close();
      };
      const onResize = (): void => this._refreshLine();
      emitKeypressEvents(tools, input as StreamLike & Emitter, this);
      input?.on("keypress", onKey);
      input?.on("end", onEnd);
      this._setRawMode(true);
      output?.on("resize", onResize);
      this.once("close", () => {
        input?.off("keypress", onKey);
        input?.off("end", onEnd);
        output?.off("resize", onResize);
      });
    }

    #readLines(): void {
      const { input } = this;
      const onData = (chunk: unknown): void => this._normalWrite(chunk as Uint8Array);
      const onEnd = (): void => {
        // A question is not answered by a line without an end, as in Node.
        if (this.#rest !== "") this.emit("line", this.#rest);
        this.#rest = "";
        this.close();
      };
      input?.on("data", onData);
      input?.on("end", onEnd);
      this.once("close", () => {
        input?.off("data", onData);
        input?.off("end", onEnd);
      });
    }

    get columns(): number {
      return this.output?.columns ?? Number.POSITIVE_INFINITY;
    }

    setPrompt(prompt: string): void {
      this._prompt = prompt;
    }

    getPrompt(): string {
      return this._prompt;
    }

    _setRawMode(on: boolean): unknown {
      const { input } = this;
      if (typeof input?.setRawMode !== "function") return undefined;
      const before = (input as unknown as { isRaw?: boolean }).isRaw;
      input.setRawMode(on);
      return before;
    }

    prompt(preserveCursor?: boolean): void {
      if (this.paused) this.resume();
      if (!this.terminal || process.env["TERM"] === "dumb") return this._writeToOutput(this._prompt);
      if (preserveCursor !== true) this.cursor = 0;
      this._refreshLine();
    }

    question(query: string, options: unknown, callback?: unknown): void {
      const done = (typeof options === "function" ? options : callback) as ((line: string) => void) | undefined;
      const signal = typeof options === "object" && options !== null ? (options as { signal?: AbortSignal }).signal : undefined;
      if (signal?.aborted) return;
      if (this.closed) throw errors.nodeError(Error, "ERR_USE_AFTER_CLOSE", "readline was closed");
      if (typeof done !== "function") return;
      if (!signal) return this._ask(query, done);
      const cancel = (): void => this._forgetQuestion();
      signal.addEventListener("abort", cancel, { once: true });
      this._ask(query, (line) => {
        signal.removeEventListener("abort", cancel);
        done(line);
      });
    }

    _ask(query: string, answer: (line: string) => void): void {
      if (this.closed) throw errors.nodeError(Error, "ERR_USE_AFTER_CLOSE", "readline was closed");
      if (this.#answer) return this.prompt();
      this.#oldPrompt = this._prompt;
      this.setPrompt(query);
      this.#answer = answer;
      this.prompt();
    }

    _forgetQuestion(): void {
      if (!this.#answer) return;
      this.#answer = undefined;
      this.setPrompt(this.#oldPrompt);
      this.clearLine();
    }

    _onLine(line: string): void {
      const answer = this.#answer;
      if (!answer) return void this.emit("line", line);
      this.#answer = undefined;
      this.setPrompt(this.#oldPrompt);
      answer(line);
    }

    _writeToOutput(text: string): void {
      this.output?.write(text);
    }

    _addHistory(): string {
      const { line, history } = this;
      if (line.length === 0) return "";
      if (this.historySize === 0 || line.trim().length === 0) return line;
      if (history[0] !== line) {
        if (this.removeHistoryDuplicates) this.history = history.filter((known) => known !== line);
        this.history.unshift(line);
        this.history.splice(this.historySize);
      }
      this.historyIndex = -1;
      const newest = this.history[0] as string;
      this.emit("history", this.history);
      return newest;
    }

    getCursorPos(): Place {
      return placeAfter(this._prompt + this.line.slice(0, this.cursor), this.columns, this.tabSize);
    }

    _getCursorPos(): Place {
      return this.getCursorPos();
    }

    _getDisplayPos(text: string): Place {
      return placeAfter(text, this.columns, this.tabSize);
    }

    _refreshLine(): void {
      const whole = this._prompt + this.line;
      const end = this._getDisplayPos(whole);
      const at = this.getCursorPos();
      if (this.prevRows > 0) this.#move(0, -this.prevRows);
      this.output?.write(CURSOR.cursorTo(0));
      this.output?.write(CURSOR.clearScreenDown());
      this._writeToOutput(whole);
      // At the right margin a terminal goes on only with the next character.
      if (end.cols === 0) this._writeToOutput(" ");
      this.output?.write(CURSOR.cursorTo(at.cols));
      if (end.rows > at.rows) this.#move(0, at.rows - end.rows);
      this.prevRows = at.rows;
    }

    #move(dx: number, dy: number): void {
      const code = CURSOR.moveCursor(dx, dy);
      if (code !== "") this.output?.write(code);
    }

    close(): void {
      if (this.closed) return;
      this.pause();
      if (this.terminal) this._setRawMode(false);
      this.closed = true;
      this.emit("close");
    }

    pause(): this | undefined {
      if (this.paused) return undefined;
      this.input?.pause?.();
      this.paused = true;
      this.emit("pause");
      return this;
    }

    resume(): this | undefined {
      if (!this.paused) return undefined;
      this.input?.resume?.();
      this.paused = false;
      this.emit("resume");
      return this;
    }

    write(data: string | Uint8Array | null | undefined, key?: Partial<Key>): void {
      if (this.paused) this.resume();
      if (this.terminal) this._ttyWrite(data as string, key as Key | undefined);
      else this._normalWrite(data as string);
    }

    _normalWrite(data: string | Uint8Array | undefined | null): void {
      if (data === undefined || data === null) return;
      let text = typeof data === "string" ? data : this.#decoder.write(data);
      if (this.#sawReturnAt > 0 && Date.now() - this.#sawReturnAt <= this.crlfDelay) {
        if (text.startsWith("\n")) text = text.slice(1);
      }
      this.#sawReturnAt = text.endsWith("\r") ? Date.now() : 0;
      const lines = (this.#rest + text).split(LINE_END);
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this._onLine(line);
    }

    _insertString(text: string): void {
      this._remember();
      const { line, cursor } = this;
      if (cursor < line.length) {
        this.line = line.slice(0, cursor) + text + line.slice(cursor);
        this.cursor += text.length;
        return this._refreshLine();
      }
      const before = this.getCursorPos();
      this.line += text;
      this.cursor += text.length;
      if (before.rows < this.getCursorPos().rows) this._refreshLine();
      else this._writeToOutput(text);
    }

    /** What Ctrl+_ goes back to. */
    _remember(): void {
      this.#before.push({ line: this.line, cursor: this.cursor });
      this.#after = [];
    }

    _undo(): void {
      this.#travel(this.#before, this.#after);
    }

    _redo(): void {
      this.#travel(this.#after, this.#before);
    }

    #travel(from: EditedLine[], to: EditedLine[]): void {
      const there = from.pop();
      if (!there) return;
      to.push({ line: this.line, cursor: this.cursor });
      Object.assign(this, there);
      this._refreshLine();
    }

    /** Takes a part of the line out; `keep`: for Ctrl+Y. */
    _cut(from: number, to: number, keep: boolean): void {
      if (from >= to) return;
      this._remember();
      const cut = this.line.slice(from, to);
      this.line = this.line.slice(0, from) + this.line.slice(to);
      this.cursor = from;
      if (keep) this.#keep(cut);
      this._refreshLine();
    }

    #keep(cut: string): void {
      if (cut === this.#killed[0]) return;
      this.#killed.unshift(cut);
      this.#killedIndex = 0;
      this.#killed.splice(KILLED);
    }

    _yank(): void {
      if (this.#killed.length === 0) return;
      this.#yanked = true;
      this._insertString(this.#killed[this.#killedIndex] ?? "");
    }

    _yankPop(): void {
      if (!this.#yanked || this.#killed.length < 2) return;
      const last = this.#killed[this.#killedIndex] ?? "";
      this.#killedIndex = (this.#killedIndex + 1) % this.#killed.length;
      const start = this.line.slice(0, this.cursor - last.length);
      const next = this.#killed[this.#killedIndex] ?? "";
      this.line = start + next + this.line.slice(this.cursor);
      this.cursor = start.length + next.length;
      this._refreshLine();
    }

    clearLine(): void {
      this._moveCursor(Number.POSITIVE_INFINITY);
      this._writeToOutput("\r\n");
      this.line = "";
      this.cursor = 0;
      this.prevRows = 0;
    }

    _line(): void {
      const line = this._addHistory();
      this.#before = [];
      this.#after = [];
      this.clearLine();
      this._onLine(line);
    }

    /** By code units; the cursor alone is moved where the row stays. */
    _moveCursor(by: number): void {
      if (by === 0) return;
      const before = this.getCursorPos();
      this.cursor = Math.min(Math.max(this.cursor + by, 0), this.line.length);
      const after = this.getCursorPos();
      if (before.rows === after.rows) this.#move(after.cols - before.cols, 0);
      else this._refreshLine();
    }

    /** To older lines (1) or newer ones (-1) that begin with what is searched. */
    _recall(step: 1 | -1): void {
      const { history } = this;
      if (history.length === 0 || (step === -1 && this.historyIndex < 0)) return;
      if (step === 1 && this.historyIndex > history.length - 1) return;
      this._remember();
      const search = this.#searched ?? "";
      let index = this.historyIndex + step;
      while (index >= 0 && index < history.length && (!history[index]!.startsWith(search) || history[index] === this.line)) index += step;
      this.line = index < 0 || index >= history.length ? search : (history[index] as string);
      this.historyIndex = Math.max(index, -1);
      this.cursor = this.line.length;
      this._refreshLine();
    }

    _tabComplete(again: boolean): void {
      this.pause();
      this.completer?.(this.line.slice(0, this.cursor), (error, found) => {
        this.resume();
        if (error) return this._writeToOutput(`Tab completion error: ${tools.inspect(error)}`);
        if (found && found[0].length > 0) this.#completed(found, again);
      });
    }

    #completed([candidates, completeOn]: Completions, again: boolean): void {
      const common = commonStart(candidates.filter((each) => each !== ""));
      if (common.startsWith(completeOn) && common.length > completeOn.length) return this._insertString(common.slice(completeOn.length));
      if (!completeOn.startsWith(common)) {
        const start = this.line.slice(0, this.cursor - completeOn.length) + common;
        this.line = start + this.line.slice(this.cursor);
        this.cursor = start.length;
        return this._refreshLine();
      }
      if (!again) return;
      this._remember();
      this._writeToOutput(`\r\n${inColumns(candidates, this.columns)}`);
      this._refreshLine();
    }

    /** Ctrl+Z: the process stops, and shows the line again when it goes on. */
    _suspend(): void {
      (process as unknown as Emitter).once("SIGCONT", () => {
        if (!this.paused) {
          this.pause();
          this.emit("SIGCONT");
        }
        this._setRawMode(true);
        this._refreshLine();
      });
      this._setRawMode(false);
      (process["kill"] as AnyFunction)(process.pid, "SIGTSTP");
    }

    _ttyWrite(text: string | undefined | null, key: Partial<Key> = {}): void {
      const last = this.#lastKey;
      this.#lastKey = key as Key;
      if (!key.meta || key.name !== "y") this.#yanked = false;
      const plain = !key.ctrl && !key.meta && !key.shift;
      if ((key.name === "up" || key.name === "down") && plain) this.#searched ??= this.line.slice(0, this.cursor);
      else if (this.#searched !== undefined) {
        this.#searched = undefined;
        if (this.historyIndex === this.history.length) this.historyIndex = -1;
      }
      const action = actionFor(key);
      if (action) return action(this as unknown as InterfaceObject, last);
      if (key.ctrl || key.meta) {
        // Alt and Ctrl with anything else is no text.
        if (key.ctrl && key.meta) return;
        if (key.meta || key.name !== undefined) return;
      }
      if (key.name === "return" || key.name === "enter") return this.#enter(key.name);
      if (key.name === "tab" && typeof this.completer === "function" && this.isCompletionEnabled) return this._tabComplete(last?.name === "tab");
      if (typeof text === "string" && text !== "") this.#typed(text);
    }

    #enter(name: "return" | "enter"): void {
      // The \n of a \r\n that came a moment ago is not a second line.
      if (name === "return") this.#sawReturnAt = Date.now();
      if (name === "return" || this.#sawReturnAt === 0 || Date.now() - this.#sawReturnAt > this.crlfDelay) this._line();
      if (name === "enter") this.#sawReturnAt = 0;
    }

    #typed(text: string): void {
      const lines = text.split(LINE_END);
      for (const [i, line] of lines.entries()) {
        if (i > 0) this._line();
        if (line !== "") this._insertString(line);
      }
    }

    [Symbol.asyncIterator](): AsyncIterator<string> {
      this.#lines ??= iterate(this as unknown as InterfaceObject);
      return this.#lines;
    }
  };
}
