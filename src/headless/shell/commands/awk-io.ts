// What awk reads and writes: records of files, of the input and of commands; output to files and into commands.
import { ExpansionError, type ShellState } from "../state.ts";
import { open } from "../redirect.ts";
import { subshell } from "../interpreter.ts";
import { runWords } from "../simple-command.ts";
import { NullStream, type OpenFile, type Stream, TextStream } from "../streams.ts";
import { Task } from "../task.ts";
import { joined } from "../../../base/bytes.ts";
import { posixRegExp } from "./posix-regexp.ts";

/** Records of one stream, by a separator that may change from one to the next. */
export class Records {
  readonly #stream: Stream;
  readonly #signal: AbortSignal;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #text = "";
  #at = 0;
  #ended = false;

  constructor(stream: Stream, signal: AbortSignal) {
    this.#stream = stream;
    this.#signal = signal;
  }

  /** The next record; undefined at the end. */
  async next(separator: string): Promise<string | undefined> {
    for (;;) {
      const found = this.#cut(separator);
      if (found !== undefined) return found;
      if (this.#ended) return undefined;
      const piece = await this.#stream.read(this.#signal);
      this.#text = this.#text.slice(this.#at) + (piece ? this.#decoder.decode(piece, { stream: true }) : this.#decoder.decode());
      this.#at = 0;
      this.#ended = piece === undefined;
    }
  }

  #cut(separator: string): string | undefined {
    if (separator === "" && this.#at < this.#text.length) while (this.#text[this.#at] === "\n") this.#at++;
    if (this.#at >= this.#text.length) return undefined;
    const [start, end] = this.#separatorAt(separator);
    if (start < 0) {
      if (!this.#ended) return undefined;
      const rest = this.#text.slice(this.#at);
      this.#at = this.#text.length;
      return separator === "" ? rest.replace(/\n+$/, "") : rest;
    }
    const record = this.#text.slice(this.#at, start);
    this.#at = end;
    return record;
  }

  #separatorAt(separator: string): readonly [start: number, end: number] {
    if (separator.length === 1) {
      const at = this.#text.indexOf(separator, this.#at);
      return [at, at + 1];
    }
    const regexp = separator === "" ? /\n\n+/g : posixRegExp(separator, { extended: true, escapes: true }, "g");
    regexp.lastIndex = this.#at;
    const match = regexp.exec(this.#text);
    // What ends where the text so far ends may go on.
    if (!match || match[0] === "" || (match.index + match[0].length === this.#text.length && !this.#ended)) return [-1, -1];
    return [match.index, match.index + match[0].length];
  }
}

class Collected extends NullStream {
  readonly parts: Uint8Array[] = [];

  override write(bytes: Uint8Array): void {
    this.parts.push(bytes.slice());
  }
}

interface Reader {
  readonly records: Records;
  readonly file: OpenFile | undefined;
  readonly code: number;
}

interface Writer {
  text: string;
  /** A command's input waits until it is closed. */
  readonly command: string | undefined;
  readonly file: OpenFile | undefined;
}

const MOST_WAITING = 65_536;

export class AwkIo {
  readonly #state: ShellState;
  readonly #readers = new Map<string, Reader | undefined>();
  readonly #writers = new Map<string, Writer>();
  #out = "";

  constructor(state: ShellState) {
    this.#state = state;
  }

  print(text: string): void {
    this.#out += text;
  }

  /** Whether it is time to flush. */
  get isFull(): boolean {
    return this.#out.length > MOST_WAITING;
  }

  async flush(): Promise<void> {
    const text = this.#out;
    this.#out = "";
    if (text !== "") await this.#state.write(1, text);
    for (const writer of this.#writers.values()) await this.#send(writer);
  }

  async #send(writer: Writer): Promise<void> {
    if (!writer.file || writer.text === "") return;
    const { text } = writer;
    writer.text = "";
    await writer.file.stream.write(new TextEncoder().encode(text), this.#state.signal);
  }

  /** Throws ExpansionError where the file cannot be written. */
  printTo(name: string, operator: string, text: string): void {
    if (operator !== "|" && (name === "/dev/stdout" || name === "-")) return this.print(text);
    let writer = this.#writers.get(name);
    if (!writer) {
      writer = operator === "|" ? { text: "", command: name, file: undefined } : { text: "", command: undefined, file: open(this.#state, name, operator) };
      this.#writers.set(name, writer);
    }
    writer.text += text;
  }

  /** The next record of a file or a command's output; undefined at the end, null where there is no such file. */
  async read(name: string, piped: boolean, separator: string): Promise<string | undefined | null> {
    await this.flush();
    if (!this.#readers.has(name)) this.#readers.set(name, await this.#reader(name, piped));
    const reader = this.#readers.get(name);
    return reader ? reader.records.next(separator) : null;
  }

  async #reader(name: string, piped: boolean): Promise<Reader | undefined> {
    const { signal } = this.#state;
    if (piped) {
      const { out, code } = await this.#run(name, undefined, true);
      const stream = new TextStream("");
      stream.unread(joined(out));
      return { records: new Records(stream, signal), file: undefined, code };
    }
    try {
      const file = name === "-" ? this.#state.fds.get(0)?.hold() : open(this.#state, name, "<");
      return file && { records: new Records(file.stream, signal), file, code: 0 };
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      return undefined;
    }
  }

  /** Closes what was read or written by this name; its exit code or 0; -1 where there is none. */
  async close(name: string): Promise<number> {
    await this.flush();
    let code = -1;
    const reader = this.#readers.get(name);
    if (this.#readers.delete(name)) {
      reader?.file?.release();
      code = reader?.code ?? -1;
    }
    const writer = this.#writers.get(name);
    if (writer) {
      this.#writers.delete(name);
      code = 0;
      writer.file?.release();
      if (writer.command !== undefined) code = (await this.#run(writer.command, writer.text, false)).code;
    }
    return code;
  }

  async closeAll(): Promise<void> {
    for (const name of new Set([...this.#readers.keys(), ...this.#writers.keys()])) await this.close(name);
    await this.flush();
  }

  async system(command: string): Promise<number> {
    await this.flush();
    return (await this.#run(command, undefined, false)).code;
  }

  async #run(command: string, input: string | undefined, collects: boolean): Promise<{ readonly out: readonly Uint8Array[]; readonly code: number }> {
    const part = this.#state.fork(new Task(this.#state.task), this.#state.jobs);
    const out = new Collected();
    if (input !== undefined) part.open(0, new TextStream(input));
    if (collects) part.open(1, out);
    const code = await subshell(part, () => runWords(part, ["eval", command]));
    this.#state.signal.throwIfAborted();
    return { out: out.parts, code };
  }
}

