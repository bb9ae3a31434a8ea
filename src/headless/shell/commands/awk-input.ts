// The records of awk's files, one after the other as ARGV names them, or of its input.
import type { ShellState } from "../state.ts";
import { Records } from "./awk-io.ts";
import { toText, type Value } from "./awk-values.ts";
import { input } from "./streams.ts";

/** The program's variables, as the input reads and sets them. */
export interface InputHost {
  text(name: string): string;
  number(name: string): number;
  set(name: string, value: Value): void;
  table(name: string): ReadonlyMap<string, Value>;
  /** `name=value` among the files. */
  assign(text: string): void;
  /** A file could not be read, which has been told. */
  failed(): void;
}

export class AwkInput {
  readonly #state: ShellState;
  readonly #host: InputHost;
  #reader: Records | undefined;
  #release: (() => void) | undefined;
  #argument = 1;
  #readAny = false;

  constructor(state: ShellState, host: InputHost) {
    this.#state = state;
    this.#host = host;
  }

  close(): void {
    this.#release?.();
    this.#release = undefined;
    this.#reader = undefined;
  }

  /** The next of all files; counted. */
  async next(): Promise<string | undefined> {
    for (;;) {
      const record = this.#reader && (await this.#reader.next(this.#host.text("RS")));
      if (record !== undefined) {
        this.#host.set("NR", this.#host.number("NR") + 1);
        this.#host.set("FNR", this.#host.number("FNR") + 1);
        return record;
      }
      this.close();
      if (!(await this.#openNext())) return undefined;
    }
  }

  async #openNext(): Promise<boolean> {
    const argv = this.#host.table("ARGV");
    for (; this.#argument < this.#host.number("ARGC"); this.#argument++) {
      const word = toText(argv.get(String(this.#argument)));
      if (word === "") continue;
      if (/^[A-Za-z_]\w*=/.test(word)) {
        this.#host.assign(word);
        continue;
      }
      this.#argument++;
      this.#readAny = true;
      return this.#openFile(word);
    }
    if (this.#readAny) return false;
    this.#readAny = true;
    return this.#openFile("-");
  }

  async #openFile(path: string): Promise<boolean> {
    const file = await input(this.#state, "awk", path, (why) => `awk: cannot open ${path} (${why})`);
    if (!file) {
      this.#host.failed();
      return this.#openNext();
    }
    this.#reader = new Records(file.stream, this.#state.signal);
    this.#release = () => file.release();
    this.#host.set("FILENAME", path === "-" ? "" : path);
    this.#host.set("FNR", 0);
    return true;
  }
}
