// The record and its fields: each is made of the other when it is asked for.
import { Input, type Value } from "./awk-values.ts";
import { UsageError } from "./getopt.ts";
import { literal } from "./posix-regexp.ts";

/** What a record asks of the program that it is of. */
export interface RecordHost {
  /** FS, OFS, RS. */
  text(name: string): string;
  shown(value: Value): string;
  regexp(source: string): RegExp;
  /** There are so many fields: NF. */
  counted(fields: number): void;
}

export class AwkRecord {
  readonly #host: RecordHost;
  #record = "";
  #fields: Value[] | undefined = [];
  #isStale = false;

  constructor(host: RecordHost) {
    this.#host = host;
  }

  set(text: string): void {
    this.#record = text;
    this.#fields = undefined;
    this.#isStale = false;
  }

  fields(): Value[] {
    if (!this.#fields) {
      this.#fields = this.pieces(this.#record, this.#host.text("FS")).map((piece) => new Input(piece));
      this.#host.counted(this.#fields.length);
    }
    return this.#fields;
  }

  pieces(text: string, separator: string): string[] {
    if (text === "") return [];
    const lines = this.#host.text("RS") === "";
    if (separator === " ") return text.match(/[^ \t\n]+/g) ?? [];
    if (separator === "") return [...text];
    if (separator.length === 1 && separator !== "\\") return lines && separator !== "\n" ? text.split(new RegExp(`\\n|${literal(separator)}`)) : text.split(separator);
    const regexp = this.#host.regexp(lines ? `(${separator})|\n` : separator);
    const found: string[] = [];
    let at = 0;
    regexp.lastIndex = 0;
    for (let match = regexp.exec(text); match; match = regexp.exec(text)) {
      if (match[0] === "") {
        regexp.lastIndex++;
        continue;
      }
      found.push(text.slice(at, match.index));
      at = match.index + match[0].length;
    }
    return [...found, text.slice(at)];
  }

  field(index: number): Value {
    if (index < 0) throw new UsageError(`trying to access out of range field ${index}`);
    if (index === 0) return new Input(this.whole());
    return this.fields()[index - 1] ?? "";
  }

  whole(): string {
    if (this.#isStale) {
      this.#record = this.fields().map((value) => this.#host.shown(value)).join(this.#host.text("OFS"));
      this.#isStale = false;
    }
    return this.#record;
  }

  setField(index: number, value: Value): void {
    if (index < 0) throw new UsageError(`trying to access out of range field ${index}`);
    if (index === 0) return this.set(this.#host.shown(value));
    const fields = this.fields();
    while (fields.length < index) fields.push("");
    fields[index - 1] = value;
    this.#host.counted(fields.length);
    this.#isStale = true;
  }

  resize(count: number): void {
    const fields = this.fields();
    while (fields.length < count) fields.push("");
    fields.length = Math.max(0, count);
    this.#isStale = true;
  }
}
