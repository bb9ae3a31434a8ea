// Keeps a tool call in its form while it is written, and leaves everything else alone. Outside of calls nothing is asked or
// masked. In the shell a grammar says which tokens may come. In a value every token may, but for those that would end the
// turn, or end the value in a way that leaves a name unknown or a required parameter out; what ends a value is the parser's own rule.
import { VALUE_END } from "../tokenizer/tool-call-grammar.ts";
import type { ToolShape } from "../tokenizer/tool-call-parser.ts";
import { valueEndAt } from "../tokenizer/tool-call-values.ts";
import type { ModelTokenizer } from "../tokenizer/tokenizer.ts";

/** The grammar of one call, and how far it has come. */
export interface CallMatcher {
  /** False, and no step, where the grammar does not allow it. */
  acceptToken(id: number): boolean;
  acceptText(text: string): boolean;
  /** One bit a token, the lowest first: what may come. */
  allowed(): Promise<Int32Array>;
  reset(): void;
}

const OPEN = "<tool_call>";
const CLOSE = "</tool_call>";
const PARAMETER = /<parameter=([^<>\n]*)>/g;

/** What the text would come to with one token more. */
type Judged = { readonly token: number; readonly ok: boolean; readonly call: string; readonly end: number | undefined; readonly scanAt: number };

/** One for each answer. Ask `constrain` and `refuses` before, tell `push` after each token. */
export class ToolCallGuide {
  readonly #tokenizer: ModelTokenizer;
  readonly #tools: ReadonlyMap<string, ToolShape>;
  readonly #matcher: CallMatcher;
  readonly #decoder = new TextDecoder();
  #state: "text" | "shell" | "value" = "text";
  /** In text, its end; in a call, all of it behind `<tool_call>`. */
  #text = "";
  /** Where the shell is read from, and where a value is searched for its end. */
  #at = 0;
  #key = "";
  #valueStart = 0;
  readonly #used = new Set<string>();
  #judged: Judged | undefined;

  constructor(tokenizer: ModelTokenizer, tools: readonly ToolShape[], matcher: CallMatcher) {
    this.#tokenizer = tokenizer;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
    this.#matcher = matcher;
  }

  /** Takes what the grammar does not allow out of the logits, in place. */
  async constrain(logits: Float32Array): Promise<void> {
    if (this.#state !== "shell") return;
    const allowed = await this.#matcher.allowed();
    for (let token = 0; token < logits.length; token++) if (((allowed[token >> 5] ?? 0) & (1 << (token & 31))) === 0) logits[token] = -Infinity;
  }

  /** Whether this token must not come next; another one has to be chosen then. */
  refuses(token: number): boolean {
    return this.#state === "value" && !this.#judge(token).ok;
  }

  /** This token has come. */
  push(token: number): void {
    if (this.#state === "value") {
      const judged = this.#judge(token);
      this.#judged = undefined;
      if (!judged.ok) return this.#leave();
      this.#text = judged.call;
      this.#at = judged.scanAt;
      if (judged.end === undefined) return;
      this.#used.add(this.#key);
      this.#at = judged.end + "</parameter>".length;
      this.#state = "shell";
      return this.#readShell();
    }
    const text = this.#textOf(token);
    if (this.#state === "text") return this.#readText(text);
    if (!this.#matcher.acceptToken(token)) return this.#leave();
    this.#text += text;
    this.#readShell();
  }

  #readText(more: string): void {
    const text = this.#text + more;
    const open = text.lastIndexOf(OPEN);
    if (open >= 0) {
      const rest = text.slice(open + OPEN.length);
      this.#matcher.reset();
      this.#used.clear();
      // A call that begins in another form is left as it is.
      if (this.#matcher.acceptText(OPEN + rest)) {
        this.#text = rest;
        this.#at = 0;
        this.#state = "shell";
        return this.#readShell();
      }
    }
    this.#text = open >= 0 ? text.slice(open + OPEN.length) : text.slice(-OPEN.length);
  }

  /** Has a value begun, or is the call over? */
  #readShell(): void {
    PARAMETER.lastIndex = this.#at;
    const tag = PARAMETER.exec(this.#text);
    if (tag) {
      this.#key = tag[1]!;
      this.#valueStart = this.#at = tag.index + tag[0].length;
      this.#state = "value";
    } else if (this.#text.endsWith(CLOSE)) this.#leave();
  }

  #judge(token: number): Judged {
    if (this.#judged?.token === token) return this.#judged;
    this.#judged = this.#judgeAnew(token);
    return this.#judged;
  }

  #judgeAnew(token: number): Judged {
    const call = this.#text + this.#textOf(token);
    const refused = { token, ok: false, call, end: undefined, scanAt: this.#at };
    // The end of the turn, and other tokens that steer, are no text.
    if (this.#tokenizer.endTokens.has(token) || this.#tokenizer.special(token)?.kind === "control") return refused;
    const isMissing = (key: string): boolean => key !== this.#key && !this.#used.has(key) && this.#has(key);
    for (let at = call.indexOf("<", this.#at); at >= 0; at = call.indexOf("<", at + 1)) {
      const found = valueEndAt(call, this.#valueStart, at, "open", isMissing);
      if (found === "no") continue;
      if (found === "maybe") return { token, ok: true, call, end: undefined, scanAt: at };
      // Ended by another tag than its own: the parser would read it so, but something is left out.
      if (found.next === found.end) return refused;
      return this.#matcher.acceptText(VALUE_END + call.slice(found.end)) ? { token, ok: true, call, end: found.end, scanAt: at } : refused;
    }
    return { token, ok: true, call, end: undefined, scanAt: call.length };
  }

  #has(key: string): boolean {
    const properties = this.#tools.get(/<function=([^<>\n]*)>/.exec(this.#text)?.[1] ?? "")?.parameters.properties;
    return properties !== undefined && Object.hasOwn(properties, key);
  }

  #leave(): void {
    this.#state = "text";
    this.#text = "";
    this.#at = 0;
  }

  /** Parts of characters become U+FFFD: no tag has any. */
  #textOf(token: number): string {
    return this.#decoder.decode(this.#tokenizer.bytesOf(token));
  }
}
