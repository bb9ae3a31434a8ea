// Between /headless and its registry worker.
import type { RegistryAnswer, RegistryQuestion } from "./question.ts";

export type RegistryCall = { readonly type: "stored" | "fetch"; readonly question: RegistryQuestion } | { readonly type: "abort" };
export interface RegistryRequest {
  readonly id: number;
  readonly call: RegistryCall;
}
export interface RegistryResult {
  readonly id: number;
  /** Undefined: nothing is stored. */
  readonly answer: RegistryAnswer | undefined;
}
