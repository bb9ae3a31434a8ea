// Stack traces that show the program and not us: frames of this runtime are left out, columns are those of the file as
// written. Works through V8's `Error.prepareStackTrace`; other engines keep their own, longer traces.

/** The part of V8's CallSite that is used. */
interface CallSite {
  getFileName(): string | null | undefined;
  getScriptNameOrSourceURL?(): string | null | undefined;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  toString(): string;
}

interface Source {
  /** As stack traces show it: a path for CommonJS, a file: URL for ES modules. */
  readonly label: string;
  readonly text: string;
  readonly columnBefore: (line: number, column: number) => number;
}

export interface Position {
  readonly label: string;
  readonly line: number;
  readonly column: number;
  readonly sourceLine: string | undefined;
}

type PrepareStackTrace = (error: Error, sites: CallSite[]) => unknown;
interface ErrorHooks {
  prepareStackTrace?: PrepareStackTrace | undefined;
  stackTraceLimit?: number;
}

const FRAMES_SHOWN = 10;
const FRAMES_COLLECTED = 60;
/** The engine calls nameless functions of evaluated code "eval". */
const NAMELESS = /^(async )?(new )?((?:[\w$<>]+\.)*)eval(?: \[as ([\w$.]+)\])? \((.*)\)$/;
const RESUMED = /^(async )?(Generator|AsyncGenerator|AsyncFunction)\.(next|throw|return)\b/;

export class SourceTable {
  readonly #sources = new Map<string, Source>();
  readonly #positions = new WeakMap<object, Position>();

  /** The `//# sourceURL` to end evaluated code with, so that its frames are known. */
  add(label: string, text: string, columnBefore: Source["columnBefore"]): string {
    const key = label.replace(/\s/g, "%20");
    this.#sources.set(key, { label, text, columnBefore });
    return `\n//# sourceURL=${key}`;
  }

  /** Where the error was made: its first frame in the program. */
  position(error: unknown): Position | undefined {
    if (typeof error !== "object" || error === null) return undefined;
    void (error as Error).stack;
    return this.#positions.get(error);
  }

  /** Says where an error without a frame of its own belongs (a syntax error). */
  setPosition(error: object, position: Position): void {
    this.#positions.set(error, position);
  }

  /** The source of what traces call `label`, as written. */
  text(label: string): string | undefined {
    return this.#sources.get(label.replace(/\s/g, "%20"))?.text;
  }

  /** The caller's place in the program, for what wants a location (`node:test`). */
  here(): Position | undefined {
    const hooks = Error as unknown as ErrorHooks;
    const theirs = hooks.prepareStackTrace;
    hooks.prepareStackTrace = (error, sites) => this.#format(error, sites);
    try {
      return this.position(new Error("here"));
    } finally {
      hooks.prepareStackTrace = theirs;
    }
  }

  /** Makes this table format every stack trace of the realm; returns what undoes it. */
  install(): () => void {
    const hooks = Error as unknown as ErrorHooks;
    const before = { prepare: hooks.prepareStackTrace, limit: hooks.stackTraceLimit };
    hooks.prepareStackTrace = (error, sites) => this.#format(error, sites);
    hooks.stackTraceLimit = FRAMES_COLLECTED;
    return () => {
      hooks.prepareStackTrace = before.prepare;
      if (before.limit !== undefined) hooks.stackTraceLimit = before.limit;
    };
  }

  #format(error: Error, sites: readonly CallSite[]): string {
    const lines: string[] = [];
    let natives: string[] = [];
    let seen = false;
    for (const site of sites) {
      const name = site.getScriptNameOrSourceURL?.() ?? site.getFileName();
      const source = name ? this.#sources.get(name) : undefined;
      if (source) {
        const line = site.getLineNumber() ?? 1;
        const column = source.columnBefore(line, site.getColumnNumber() ?? 1);
        if (!seen && !this.#positions.has(error)) {
          this.#positions.set(error, { label: source.label, line, column, sourceLine: source.text.split("\n")[line - 1] });
        }
        seen = true;
        const shown = site.toString().replace(/(:\d+):\d+(\)?)$/, `$1:${column}$2`).replace(name as string, source.label).replace(/__tw_default\b/, "default");
        lines.push(...natives, shown.replace(NAMELESS, nameFrame));
        natives = [];
      } else if (!name || name.startsWith("native") || name.startsWith("node:")) {
        const shown = site.toString();
        if (!RESUMED.test(shown) && !shown.includes("node:")) natives.push(shown);
      } else natives = [];
    }
    return [header(error), ...lines.slice(0, FRAMES_SHOWN).map((line) => `    at ${line}`)].join("\n");
  }
}

function nameFrame(_all: string, async = "", made = "", owner = "", as: string | undefined, place: string): string {
  if (made) return `${async}new <anonymous> (${place})`;
  if (as !== undefined) return `${async}${owner}${as} (${place})`;
  return owner ? `${async}${owner}<anonymous> (${place})` : `${async}${place}`;
}

/** As `Error.prototype.toString`, which a program's error may have overridden with one that throws. */
function header(error: Error): string {
  try {
    return Error.prototype.toString.call(error);
  } catch (failure) {
    return `<error: ${failure instanceof Error ? failure.name : typeof failure}>`;
  }
}
