// For every error code: what it means to the user, in a few words, and what to do next. Exhaustive by type; the words are
// in the table (src/ui/strings/en/advice.ts).
import { type AppError, type ErrorCode } from "../base/errors.ts";
import { t } from "./strings/index.ts";

/** What an error code means, and what to do about it. */
export interface Advice {
  readonly title: string;
  readonly next: string;
}

/** Title, sentence and next step of an error, ready to show. */
export function explain(error: AppError): Advice & { readonly message: string } {
  const advice: Readonly<Record<ErrorCode, Advice>> = t().advice;
  return { ...advice[error.code], message: error.message };
}
