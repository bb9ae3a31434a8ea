// What an attempt cost, counted from the agent's events.
import type { AgentEvent } from "../../agent/events.ts";
import { MALFORMED_CALL } from "../../agent/prompts.ts";
import { resolveCall } from "../../agent/tool-specs.ts";

export interface Tally {
  /** Tool calls that the model tried to make: those that ran or were refused, and those that could not be read. */
  readonly calls: number;
  /** Calls of a known tool with its required parameters. */
  readonly validCalls: number;
  /** Prompt tokens that had to be computed: what was kept from the turn before is not among them. */
  readonly promptTokens: number;
}

export class Tallier {
  #calls = 0;
  #valid = 0;
  #prompt = 0;
  /** Of the turn that is being written: its statistics grow with every piece of text. */
  #turn = 0;

  add(event: AgentEvent): void {
    if (event.type === "stats") this.#turn = event.stats.promptTokens - event.stats.reusedTokens;
    if (event.type === "assistant") {
      this.#prompt += this.#turn;
      this.#turn = 0;
    }
    if (event.type === "note" && event.text.startsWith(MALFORMED_CALL)) this.#calls++;
    if (event.type === "tool-finished") {
      this.#calls++;
      if (resolveCall(event.call.name, event.call.arguments).ok) this.#valid++;
    }
  }

  get tally(): Tally {
    return { calls: this.#calls, validCalls: this.#valid, promptTokens: this.#prompt + this.#turn };
  }
}
