// util.MIMEType and util.MIMEParams: media types as the WHATWG standard reads and writes them.
import { nodeError } from "../errors.ts";

const NOT_TOKEN = /[^!#$%&'*+\-.^_`|~A-Za-z0-9]/;
const NOT_QUOTED = /[^\t\u0020-~\u0080-\u00ff]/;

function invalid(what: string, text: string, at = -1): Error {
  return nodeError(TypeError, "ERR_INVALID_MIME_SYNTAX", `The MIME syntax for a ${what} in ${JSON.stringify(text)} is invalid${at === -1 ? "" : ` at ${at}`}`);
}

const at = (text: string): number => NOT_TOKEN.exec(text)?.index ?? -1;

export class MIMEParams {
  readonly #data = new Map<string, string>();

  delete(name: string): void {
    this.#data.delete(name);
  }

  get(name: string): string | null {
    return this.#data.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.#data.has(name);
  }

  set(name: string, value: string): void {
    const key = String(name);
    const text = String(value);
    if (key.length === 0 || NOT_TOKEN.test(key)) throw invalid("parameter name", key, at(key));
    const wrong = NOT_QUOTED.exec(text);
    if (wrong) throw invalid("parameter value", text, wrong.index);
    this.#data.set(key, text);
  }

  *entries(): IterableIterator<[string, string]> {
    yield* this.#data.entries();
  }

  *keys(): IterableIterator<string> {
    yield* this.#data.keys();
  }

  *values(): IterableIterator<string> {
    yield* this.#data.values();
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }

  toString(): string {
    const shown = (value: string): string => (value === "" || NOT_TOKEN.test(value) ? `"${value.replace(/["\\]/g, "\\$&")}"` : value);
    return [...this.#data].map(([name, value]) => `${name}=${shown(value)}`).join(";");
  }

  toJSON(): string {
    return this.toString();
  }

  /** Adds what follows the type; wrong parts are left out, as the standard has it. */
  static read(text: string): MIMEParams {
    const params = new MIMEParams();
    const part = /;[ \t\r\n]*([^;=]*)(?:=(?:"((?:[^"\\]|\\.|\\$)*)(?:"|$)[^;]*|([^;]*)))?/gs;
    for (const [, name = "", quoted, plain] of text.matchAll(part)) {
      const key = name.toLowerCase();
      const value = quoted === undefined ? plain?.replace(/[ \t\r\n]+$/, "") : quoted.replace(/\\(.)/gs, "$1");
      if (key === "" || NOT_TOKEN.test(key) || value === undefined || (quoted === undefined && value === "") || NOT_QUOTED.test(value) || params.has(key)) continue;
      params.#data.set(key, value);
    }
    return params;
  }
}

export class MIMEType {
  #type: string;
  #subtype: string;
  readonly #params: MIMEParams;

  constructor(given: string) {
    const text = String(given).replace(/^[ \t\r\n]+/, "");
    const slash = text.indexOf("/");
    const type = slash < 0 ? "" : text.slice(0, slash);
    if (type === "" || NOT_TOKEN.test(type)) throw invalid("type", text, slash < 0 ? -1 : at(type));
    const semicolon = text.indexOf(";", slash);
    const subtype = text.slice(slash + 1, semicolon < 0 ? undefined : semicolon).replace(/[ \t\r\n]+$/, "");
    if (subtype === "" || NOT_TOKEN.test(subtype)) throw invalid("subtype", text, at(subtype));
    this.#type = type.toLowerCase();
    this.#subtype = subtype.toLowerCase();
    this.#params = semicolon < 0 ? new MIMEParams() : MIMEParams.read(text.slice(semicolon));
  }

  get type(): string {
    return this.#type;
  }

  set type(value: string) {
    const text = String(value);
    if (text === "" || NOT_TOKEN.test(text)) throw invalid("type", text, at(text));
    this.#type = text.toLowerCase();
  }

  get subtype(): string {
    return this.#subtype;
  }

  set subtype(value: string) {
    const text = String(value);
    if (text === "" || NOT_TOKEN.test(text)) throw invalid("subtype", text, at(text));
    this.#subtype = text.toLowerCase();
  }

  get essence(): string {
    return `${this.#type}/${this.#subtype}`;
  }

  get params(): MIMEParams {
    return this.#params;
  }

  toString(): string {
    const params = this.#params.toString();
    return params === "" ? this.essence : `${this.essence};${params}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
