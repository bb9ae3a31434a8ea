// A model that knows the answers: it drives the real agent loop the way the bundled model shall learn to.
// Policy: run the tests, read the source of the first failing one, edit, run again, go on until green, say so.
import type { ChatMessage, GenerateEvent, GenerateRequest, GenerationStats, TextModel } from "../engine/api.ts";
import { occurrences } from "./fix.ts";

/** What the oracle knows of one source file. */
export interface Answer {
  readonly functionName: string;
  /** The whole right text. */
  readonly right: string;
  readonly fix: { readonly oldText: string; readonly newText: string };
}

/** A mistake made on purpose, so that recovering from it is in the data; the turn itself is marked as not to be learnt. */
export type Slip =
  | { readonly kind: "not-found"; readonly oldText: string }
  | { readonly kind: "wrong-fix"; readonly newText: string }
  | { readonly kind: "early-finish" };

export interface OraclePlan {
  /** By source path. */
  readonly answers: ReadonlyMap<string, Answer>;
  /** Words before the first call; "" for none. */
  readonly opening: string;
  readonly slip?: Slip;
}

/** One call in the format the model's template teaches. */
export function writeCall(name: string, parameters: Readonly<Record<string, string>>): string {
  const body = Object.entries(parameters).map(([key, value]) => `<parameter=${key}>\n${value}\n</parameter>\n`);
  return `<tool_call>\n<function=${name}>\n${body.join("")}</function>\n</tool_call>`;
}

const RUN_TESTS = writeCall("run_shell_command", { command: "npm test" });

export class Oracle implements TextModel {
  readonly contextLimit = 1_000_000;
  readonly #plan: OraclePlan;
  #slip: Slip | undefined;
  #reading: string | undefined;
  readonly #fixed: string[] = [];
  #turns = 0;
  /** Indices, among its own turns, of deliberate mistakes. */
  readonly slips = new Set<number>();

  constructor(plan: OraclePlan) {
    this.#plan = plan;
    this.#slip = plan.slip;
  }

  async countTokens(): Promise<number> {
    return 0;
  }

  async *complete(request: GenerateRequest): AsyncGenerator<GenerateEvent> {
    const text = this.#answer(request.messages);
    this.#turns++;
    yield { type: "text", text, stats: STATS };
    yield { type: "done", reason: "stop", text, stats: STATS };
  }

  #answer(messages: readonly ChatMessage[]): string {
    const last = messages[messages.length - 1]!;
    if (last.role === "user") return this.#turns === 0 && this.#plan.opening !== "" ? `${this.#plan.opening}\n${RUN_TESTS}` : RUN_TESTS;
    const failing = /^FAIL (\S+?):\d+ /m.exec(last.content);
    if (failing) return this.#read(sourceOf(failing[1]!));
    if (/^exit code 0: \d+ passed, 0 failed/.test(last.content)) return `Fixed ${listed(this.#fixed)}. All tests pass.`;
    if (/^(Edited|Wrote) /.test(last.content)) return this.#afterEdit();
    return this.#edit(last.content);
  }

  #read(path: string): string {
    this.#reading = path;
    return writeCall("read_file", { file_path: path });
  }

  #afterEdit(): string {
    if (this.#slip?.kind !== "early-finish") return RUN_TESTS;
    this.#markSlip();
    return `Fixed ${listed(this.#fixed)}.`;
  }

  #edit(shown: string): string {
    const path = this.#reading!;
    const { fix, functionName, right } = this.#plan.answers.get(path)!;
    const call = (oldText: string, newText: string): string => writeCall("edit", { file_path: path, old_string: oldText, new_string: newText });
    const slip = this.#slip;
    if (slip?.kind === "not-found") {
      this.#markSlip();
      return call(slip.oldText, fix.newText);
    }
    if (slip?.kind === "wrong-fix") {
      this.#markSlip();
      return call(fix.oldText, slip.newText);
    }
    this.#fixed.push(functionName);
    // After a wrong fix the file as just read differs from the start: the line to replace is the one that is not right.
    if (this.#plan.slip?.kind === "wrong-fix" && occurrences(shown, fix.oldText) === 0) return call(this.#plan.slip.newText, fix.newText);
    return right === shown ? RUN_TESTS : call(fix.oldText, fix.newText);
  }

  #markSlip(): void {
    this.slips.add(this.#turns);
    this.#slip = undefined;
  }
}

/** `packages/a/test/x.test.js` → `packages/a/src/x.js`. */
function sourceOf(testPath: string): string {
  return testPath.replace(/(^|\/)test\//, "$1src/").replace(/\.test\.js$/, ".js");
}

function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

const STATS: GenerationStats = {
  promptTokens: 0,
  reusedTokens: 0,
  completionTokens: 1,
  prefillMs: 0,
  decodeMs: 0,
  firstTokenMs: 0,
  expertHits: 0,
  expertUses: 0,
  streamedBytes: 0,
  contextTokens: 0,
  contextLimit: 1_000_000,
};
