// Every failure the user can see has one code here, one sentence, and one next step (src/ui/advice.ts).

export const ERROR_CODES = [
  "gpu/unavailable",
  "gpu/lost",
  "gpu/memory",
  "gpu/wrong-results",
  "engine/stopped",
  "model/format",
  "model/unsupported",
  "model/context",
  "model/token",
  "storage/quota",
  "storage/corrupt",
  "storage/missing",
  "storage/unavailable",
  "storage/evicted",
  "storage/locked",
  "download/address",
  "storage/file",
  "download/failed",
  "download/integrity",
  "container/unavailable",
  "container/stopped",
  "project/path",
  "project/not-found",
  "project/archive",
  "project/patch",
  "project/write-back",
  "project/no-test-command",
  "task/format",
  "agent/limit",
  "agent/model-output",
  "command/usage",
  "aborted",
  "bug",
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export type ErrorData = Readonly<Record<string, number | string | boolean>>;

/** A failure with a closed set of causes. `message` is one sentence a user understands: the thing, the reason, the next step. */
export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  /** Structured-cloneable facts for the page (`{ neededBytes: 4_500_000_000 }`); never prose. */
  readonly data: ErrorData;

  constructor(code: ErrorCode, message: string, init: { data?: ErrorData; cause?: unknown } = {}) {
    super(message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = code;
    this.data = init.data ?? {};
  }
}

/** The error of an `AbortSignal` that fired, as ours. */
export function abortedError(what: string): AppError {
  return new AppError("aborted", `${what} was stopped.`);
}

/** Throws `aborted` if the signal has fired. `what` names the work: "Loading the model". */
export function throwIfAborted(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw abortedError(what);
}

/** Call first in every broad catch: stops, lost devices and our own mistakes are never swallowed. */
export function rethrowIfFatal(error: unknown): void {
  if (error instanceof AppError && (error.code === "aborted" || error.code === "gpu/lost" || error.code === "bug")) throw error;
}

/** Any thrown value as an AppError; what is not ours already is a `bug`, or `aborted` for a DOM AbortError. */
export function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof Error && error.name === "AbortError") return new AppError("aborted", error.message, { cause: error });
  return new AppError("bug", error instanceof Error ? error.message : String(error), { cause: error });
}
