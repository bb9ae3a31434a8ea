// Why an npm command failed: npm's own codes, and the lines that npm would print below them.

export class NpmError extends Error {
  /** `E404`, `ETARGET`, `EINTEGRITY`, `ERESOLVE`, `ENEEDCONSENT`, …; empty for a usage error, which npm prints without one. */
  readonly code: string;
  /** Printed each on a line of its own after the message. */
  readonly notes: readonly string[];
  readonly exitCode: number;

  constructor(code: string, message: string, options: { notes?: readonly string[]; exitCode?: number; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.notes = options.notes ?? [];
    this.exitCode = options.exitCode ?? 1;
  }

  /** The same, for whoever asked for that version of a package of which only the name was looked up. */
  wanting(name: string, wanted: string): NpmError {
    const notes = this.notes.map((note) => note.replace(`'${name}@*'`, `'${name}@${wanted}'`));
    return new NpmError(this.code, this.message, { notes, exitCode: this.exitCode, cause: this });
  }
}
