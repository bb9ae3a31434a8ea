// A stack frame as V8 hands it to `Error.prepareStackTrace`, told in terms of the program's own files.

/** The part of V8's CallSite that is used. */
export interface CallSite {
  getFileName(): string | null | undefined;
  getScriptNameOrSourceURL?(): string | null | undefined;
  getFunctionName?(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  toString(): string;
}

type Anything = Record<string, ((...args: unknown[]) => unknown) | undefined>;

/** The engine calls nameless functions of evaluated code "eval". */
const NAMELESS = /^(async )?(new )?((?:[\w$<>]+\.)*)eval(?: \[as ([\w$.]+)\])? \((.*)\)$/;

/** What programs that read call sites (depd, callsites, source-map-support) are given. */
export class MappedCallSite implements CallSite {
  // Tap knows a call site by it.
  static {
    Object.defineProperty(this, "name", { value: "CallSite" });
  }

  readonly #site: CallSite;
  readonly #label: string;
  readonly #line: number;
  readonly #column: number;

  constructor(site: CallSite, label: string, line: number, column: number) {
    this.#site = site;
    this.#label = label;
    this.#line = line;
    this.#column = column;
  }

  getFileName(): string {
    return this.#label;
  }

  getScriptNameOrSourceURL(): string {
    return this.#label;
  }

  getScriptHash(): string {
    return "";
  }

  getLineNumber(): number {
    return this.#line;
  }

  getColumnNumber(): number {
    return this.#column;
  }

  getEnclosingLineNumber(): number {
    return this.#line;
  }

  getEnclosingColumnNumber(): number {
    return this.#column;
  }

  getFunctionName(): string | null {
    const name = this.#site.getFunctionName?.() ?? null;
    return name === "eval" ? null : (name?.replace(/\b__tw_default\b/, "default") ?? null);
  }

  /** The same frame at another place. */
  at({ label, line, column }: { readonly label: string; readonly line: number; readonly column: number }): MappedCallSite {
    return new MappedCallSite(this.#site, label, line, column);
  }

  getEvalOrigin(): undefined {
    return undefined;
  }

  isEval(): boolean {
    return false;
  }

  getTypeName(): unknown {
    return this.#ask("getTypeName");
  }

  getMethodName(): unknown {
    return this.#ask("getMethodName");
  }

  getThis(): unknown {
    return this.#ask("getThis");
  }

  getFunction(): unknown {
    return this.#ask("getFunction");
  }

  getPosition(): unknown {
    return this.#ask("getPosition");
  }

  getPromiseIndex(): unknown {
    return this.#ask("getPromiseIndex") ?? null;
  }

  isNative(): boolean {
    return this.#ask("isNative") === true;
  }

  isToplevel(): boolean {
    return this.#ask("isToplevel") === true;
  }

  isConstructor(): boolean {
    return this.#ask("isConstructor") === true;
  }

  isAsync(): boolean {
    return this.#ask("isAsync") === true;
  }

  isPromiseAll(): boolean {
    return this.#ask("isPromiseAll") === true;
  }

  toString(): string {
    const raw = this.#site.getScriptNameOrSourceURL?.() ?? this.#site.getFileName() ?? "";
    return this.#site.toString()
      .replace(/:\d+:\d+(\)?)$/, `:${this.#line}:${this.#column}$1`)
      .replace(raw, () => this.#label)
      .replace(/\b__tw_default\b/, "default")
      .replace(NAMELESS, nameFrame);
  }

  #ask(method: string): unknown {
    return (this.#site as unknown as Anything)[method]?.();
  }
}

function nameFrame(_all: string, async = "", made = "", owner = "", as: string | undefined, place: string): string {
  if (made) return `${async}new <anonymous> (${place})`;
  if (as !== undefined) return `${async}${owner}${as} (${place})`;
  return owner ? `${async}${owner}<anonymous> (${place})` : `${async}${place}`;
}
