// Stack traces that show the program and not us: frames of this runtime are left out, places are those of the file as
// written. Works through V8's `Error.prepareStackTrace`, which programs may set as ever: theirs gets our call sites.
import type { RawPlace } from "./attempt.ts";
import { type CallSite, MappedCallSite } from "./call-site.ts";
import type { Rewritten } from "./loader/edits.ts";
import type { SourceMapFiles } from "./loader/source-map-files.ts";

interface Source {
  /** As stack traces show it: a path for CommonJS, a file: URL for ES modules. */
  readonly label: string;
  readonly text: string;
  readonly before: PlaceBefore;
  /** What runs, when it is not the text itself. */
  readonly rewritten: Rewritten | undefined;
  readonly start: Start | undefined;
}

/** Where a text begins in what traces call its file: lines before it, and columns before its first line. */
export interface Start {
  readonly lines: number;
  readonly columns: number;
}

/** The text that a file's JavaScript was made of, and the way from a 1-based place in that to the one in the text. */
export interface Origin {
  readonly text: string;
  readonly place: (line: number, column: number) => { readonly line: number; readonly column: number };
}

/** From a 1-based line and column of the code that ran to the column in the text as written; below 1 in code of ours. */
export type PlaceBefore = (line: number, column: number) => number;

export interface Position {
  readonly label: string;
  readonly line: number;
  readonly column: number;
  readonly sourceLine: string | undefined;
  /** Columns that the file is said to have before the source line. */
  readonly columnsBefore?: number;
}

type PrepareStackTrace = (error: Error, sites: CallSite[]) => unknown;
interface ErrorHooks {
  prepareStackTrace?: PrepareStackTrace | undefined;
  stackTraceLimit?: number;
}

/** As in Node. */
const FRAMES = 10;
/** `Error.stackTraceLimit` until a program sets it: frames of ours must not push the program's out. */
const COLLECTED = 60;
const RESUMED = /^(async )?(Generator|AsyncGenerator|AsyncFunction)\.(next|throw|return)\b/;

const errors = Error as unknown as ErrorHooks;

/** The engine's JSON.parse stands under the one of json-parse.ts, which programs take for it; its push under that of memory-limits.ts. */
const isOwnOver = (site: CallSite, above: readonly CallSite[]): boolean => `${site.getFunctionName?.() ?? ""} ${above.at(-1)?.toString() ?? ""}` in { "parse JSON.parse (<anonymous>)": 0, "push Array.push (<anonymous>)": 0 };

export class SourceTable {
  /** Of files that were compiled before they came here; set as the process starts. */
  maps: SourceMapFiles | undefined;
  readonly #sources = new Map<string, Source>();
  readonly #positions = new WeakMap<object, Position>();
  /** By path. */
  readonly #origins = new Map<string, Origin>();
  /** What programs put in the place of ours, by what they see of it. */
  readonly #theirs = new WeakMap<PrepareStackTrace, PrepareStackTrace>();
  readonly #ours: PrepareStackTrace = (error, sites) => this.#format(error, this.#visible(error, sites));
  #current: PrepareStackTrace = this.#ours;
  readonly #decorated = new WeakSet<object>();
  #thrown: { readonly error: unknown; readonly position: Position } | undefined;

  /** The `//# sourceURL` to end evaluated code with, so that its frames are known. */
  add(label: string, text: string, before: PlaceBefore, rewritten?: Rewritten, start?: Start): string {
    const key = label.replace(/\s/g, "%20");
    this.#sources.set(key, { label, text, before, rewritten, start });
    return `\n//# sourceURL=${key}`;
  }

  /** Says what the JavaScript of a file was made of: places are told in that from then on. */
  setOrigin(path: string, origin: Origin): void {
    this.#origins.set(path, origin);
  }

  /** A place in a source's JavaScript as the program knows it. */
  #positionIn(source: Source, line: number, column: number): Position {
    const origin = this.#origins.get(source.label.startsWith("file:") ? decodeURI(source.label.slice("file://".length).replace(/[?#].*$/, "")) : source.label);
    const place = origin?.place(line, column) ?? { line, column };
    const { text } = origin ?? source;
    const { lines = 0, columns = 0 } = source.start ?? {};
    const columnsBefore = place.line === 1 ? columns : 0;
    return {
      label: source.label, line: place.line + lines, column: place.column + columnsBefore, columnsBefore,
      // Asked for once in a thousand frames, and a text may be of megabytes.
      get sourceLine() {
        return text.split("\n")[place.line - 1];
      },
    };
  }

  /** Where the error was made: its first frame in the program. */
  position(error: unknown): Position | undefined {
    if (typeof error !== "object" || error === null) return undefined;
    void (error as Error).stack;
    return this.#positions.get(error);
  }

  /** Has its stack begin with what it is about, once. `excerpt` makes that of its place. */
  decorate(error: unknown, excerpt: (position: Position) => string): void {
    const position = error instanceof Error ? this.position(error) : undefined;
    if (!position || this.#decorated.has(error as object)) return;
    this.#decorated.add(error as object);
    const { stack } = error as Error;
    Object.defineProperty(error, "stack", { value: excerpt(position) + stack, writable: true, configurable: true, enumerable: false });
  }

  isDecorated(error: unknown): boolean {
    return typeof error === "object" && error !== null && this.#decorated.has(error);
  }

  /** Says where an error without a frame of its own belongs (a syntax error). */
  setPosition(error: object, position: Position): void {
    this.#positions.set(error, position);
  }

  /** Where the engine says that a value was thrown. Of an error it only knows where that was made, as its trace does. */
  setThrown(error: unknown, place: RawPlace | undefined): void {
    const source = place && this.#sources.get(place.file);
    if (!source || error instanceof Error) return;
    const column = source.before(place.line, place.column);
    if (column >= 1) this.#thrown = { error, position: this.#positionIn(source, place.line, column) };
  }

  /** The error comes out of a promise: Node shows where it was made. */
  setRejected(error: unknown): void {
    const position = this.position(error);
    this.#thrown = position && { error, position };
  }

  /** Where the error was thrown, if that is known. */
  thrown(error: unknown): Position | undefined {
    return this.#thrown?.error === error ? this.#thrown?.position : undefined;
  }

  /** The source of what traces call `label`, as written. */
  text(label: string): string | undefined {
    return this.#sources.get(label.replace(/\s/g, "%20"))?.text;
  }

  /** The caller's place in the program, for what wants a location (`node:test`). */
  here(): Position | undefined {
    const theirs = this.#current;
    const limit = errors.stackTraceLimit;
    this.#current = this.#ours;
    errors.stackTraceLimit = COLLECTED;
    try {
      return this.position(new Error("here"));
    } finally {
      this.#current = theirs;
      if (limit !== undefined) errors.stackTraceLimit = limit;
    }
  }

  /** Makes this table format every stack trace of the realm; returns what undoes it. */
  install(): () => void {
    const before = { prepare: Object.getOwnPropertyDescriptor(Error, "prepareStackTrace"), limit: errors.stackTraceLimit };
    Object.defineProperty(Error, "prepareStackTrace", {
      get: () => this.#current,
      set: (value: unknown) => (this.#current = this.#accept(value)),
      configurable: true, enumerable: false,
    });
    errors.stackTraceLimit = COLLECTED;
    const restoreText = this.#replaceToString();
    const restoreDefine = this.#watchDefine();
    return () => {
      restoreText();
      restoreDefine();
      if (before.prepare) Object.defineProperty(Error, "prepareStackTrace", before.prepare);
      else delete errors.prepareStackTrace;
      if (before.limit !== undefined) errors.stackTraceLimit = before.limit;
    };
  }

  /** The package `esm` puts its own there by `Reflect`, which would pass by our accessor. */
  #watchDefine(): () => void {
    const { defineProperty } = Reflect;
    const watched = {
      defineProperty: (target: object, key: PropertyKey, given: PropertyDescriptor): boolean => {
        if (target !== Error || key !== "prepareStackTrace" || given === null || typeof given !== "object" || !("value" in given)) return defineProperty(target, key, given);
        this.#current = this.#accept(given.value);
        return true;
      },
    }.defineProperty;
    Reflect.defineProperty = watched;
    return () => {
      if (Reflect.defineProperty === watched) Reflect.defineProperty = defineProperty;
    };
  }

  /** Functions show their text as written, not as rewritten to run here. */
  #replaceToString(): () => void {
    const native = Function.prototype.toString;
    const written = (text: string): string => this.#written(text);
    const replaced = {
      toString(this: unknown): string {
        const text = Reflect.apply(native, this === replaced ? native : this, []) as string;
        return text.includes("__tw_") ? written(text) : text;
      },
    }.toString;
    // oxlint-disable-next-line no-extend-native -- for as long as the process runs
    const define = (value: () => string): void => void Object.defineProperty(Function.prototype, "toString", { value, writable: true, configurable: true, enumerable: false });
    define(replaced);
    return () => {
      if (Function.prototype.toString === replaced) define(native);
    };
  }

  #written(text: string): string {
    for (const { rewritten } of this.#sources.values()) {
      const at = rewritten?.code.indexOf(text) ?? -1;
      if (rewritten && at >= 0) return rewritten.textBefore(at, at + text.length);
    }
    return text;
  }

  #accept(value: unknown): PrepareStackTrace {
    if (typeof value !== "function") return this.#ours;
    const given = value as PrepareStackTrace;
    if (given === this.#ours || this.#theirs.has(given)) return given;
    const wrapped: PrepareStackTrace = (error, sites) => Reflect.apply(given, Error, [error, this.#visible(error, sites)]) as unknown;
    this.#theirs.set(wrapped, given);
    return wrapped;
  }

  /** The frames a program may see, no more than it asked for. Notes where the error was made. */
  #visible(error: Error, sites: readonly CallSite[]): CallSite[] {
    // More frames than the limit allows: the error was made under another limit, which is the one that counts.
    const limit = errors.stackTraceLimit;
    const most = typeof limit === "number" && limit !== COLLECTED && sites.length <= limit ? limit : FRAMES;
    const shown: CallSite[] = [];
    let natives: CallSite[] = [];
    for (const site of sites) {
      if (shown.length >= most) break;
      // Seen before: what a program's own `prepareStackTrace` hands on to the one before it. Without a script: one of its own making.
      if (site instanceof MappedCallSite || !site.getScriptNameOrSourceURL) {
        shown.push(...natives, site);
        natives = [];
        continue;
      }
      const name = site.getScriptNameOrSourceURL?.() ?? site.getFileName();
      const source = name ? this.#sources.get(name) : undefined;
      if (source) {
        const line = site.getLineNumber() ?? 1;
        const column = source.before(line, site.getColumnNumber() ?? 1);
        if (column < 1) continue; // code that the loader put before the program's
        const position = this.#positionIn(source, line, column);
        if (!this.#positions.has(error)) this.#positions.set(error, position);
        shown.push(...natives, new MappedCallSite(site, source.label, position.line, position.column));
        natives = [];
      } else if (!name || name.startsWith("native") || name.startsWith("node:")) {
        const text = site.toString();
        if (!RESUMED.test(text) && !text.includes("node:")) natives.push(site);
      } else if (natives.length > 0 && !isOwnOver(site, natives)) natives = [];
    }
    return shown.slice(0, most);
  }

  /** By the maps of compiled files: for us, a program's own `prepareStackTrace` gets the places in the code. */
  #asWritten(site: CallSite): string {
    const to = site instanceof MappedCallSite ? this.maps?.through({ label: site.getFileName(), line: site.getLineNumber(), column: site.getColumnNumber(), sourceLine: undefined }) : undefined;
    if (!to) return site.toString();
    const text = (site as MappedCallSite).at(to).toString();
    return text.endsWith(")") ? text : text.replace(/^(async )?(.*)$/, "$1<anonymous> ($2)");
  }

  #format(error: Error, sites: readonly CallSite[]): string {
    return [header(error), ...sites.map((site) => `    at ${this.#asWritten(site)}`)].join("\n");
  }
}

/** As `Error.prototype.toString`, which a program's error may have overridden with one that throws. */
function header(error: Error): string {
  try {
    const text = Error.prototype.toString.call(error);
    if (!text.includes("__tw_")) return text;
    const written = asWritten(error.message);
    if (written !== error.message) Object.defineProperty(error, "message", { value: written, writable: true, configurable: true, enumerable: false });
    return asWritten(text);
  } catch (failure) {
    return `<error: ${failure instanceof Error ? failure.name : typeof failure}>`;
  }
}

/** The engine quotes code in its messages; an import that is read through a getter is named as the program names it. */
function asWritten(message: string): string {
  return message.replace(/\(0 ?, ?__tw_live\.([\w$]+)\)/g, "$1").replace(/\b__tw_live\.([\w$]+)/g, "$1").replace(/\b__tw_import\b/g, "import");
}
