// A real database whose n-th call fails, as the browser's own would: for sweeps over every call that an operation makes.
// A transaction that fails is undone whole; a crash between two calls is the failure of the later one.
import type { Database } from "../../src/storage/database.ts";

export interface FailingDatabase {
  readonly database: Database;
  /** The n-th call came. */
  readonly failed: boolean;
  /** That counted. */
  readonly calls: number;
  /** From now on nothing fails. */
  heal(): void;
}

const WRITES: readonly (string | symbol)[] = ["put", "delete", "transaction"];
const CALLS: readonly (string | symbol)[] = ["get", "getAll", "getAllKeys", ...WRITES];

/** `counted`: which calls count and fail. */
export function failingDatabase(real: Database, nth: number, error = "QuotaExceededError", counted: "all" | "writes" = "all"): FailingDatabase {
  let calls = 0;
  let failed = false;
  let healed = false;
  const call = (): void => {
    calls++;
    if (healed || calls < nth) return; // and every one after it: the tab is gone
    failed = true;
    throw new DOMException("on order", error);
  };
  const database = new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== "function" || !(counted === "all" ? CALLS : WRITES).includes(key)) return typeof value === "function" ? (value as (...args: unknown[]) => unknown).bind(target) : value;
      if (key === "transaction") {
        return (...args: unknown[]): unknown => {
          call();
          return (value as (...args: unknown[]) => unknown).apply(target, args);
        };
      }
      return async (...args: unknown[]): Promise<unknown> => {
        call();
        return (value as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
  return {
    database,
    get failed() {
      return failed;
    },
    get calls() {
      return calls;
    },
    heal() {
      healed = true;
    },
  };
}
