// Reads a tool call out of the text a model streams: `<tool_call><function=NAME><parameter=K>value…`.
// Tolerant where models are known to slip (no opening tag, no `</parameter>`, no newlines, JSON instead of XML), strict
// about guessing: a call that was cut off is reported, never completed. At most one call a turn; text after it is ignored.
// The events, joined, are the same however the text is cut into pieces.
// Source: the Qwen3-Coder chat template; QwenLM/Qwen3-Coder#475, llama.cpp#15012, vllm#23099, ollama#16686.
import { coerceValue, functionTagAt, literalAt, type OutputEnd, parameterTagAt, skipSpace, stripOneNewline, valueEndAt } from "./tool-call-values.ts";

/** What the parser needs to know of a tool; a `ToolSpec` is one. */
export interface ToolShape {
  readonly name: string;
  readonly parameters: { readonly properties: Readonly<Record<string, { readonly type: string }>> };
}

export type MalformedReason =
  /** The output ended inside the call. */
  | "truncated"
  /** `<tool_call>` without a function in it. */
  | "no-function"
  /** `<function=>` with an empty or impossible name. */
  | "bad-name";

export type ParserEvent =
  /** Words before the call, as they come. */
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "call-started"; readonly name: string }
  /** More of a parameter's raw value; its surrounding newlines already removed. Not sent for calls written as JSON. */
  | { readonly type: "argument-delta"; readonly name: string; readonly text: string }
  /** `raw`: the text from the opening tag to the closing one. Arguments are coerced by the tool's schema. */
  | { readonly type: "call"; readonly name: string; readonly arguments: Readonly<Record<string, unknown>>; readonly raw: string }
  | { readonly type: "malformed"; readonly reason: MalformedReason; readonly raw: string };

type State = "text" | "call" | "json" | "body" | "value" | "closing" | "done";

const OPEN = "<tool_call>";

export class ToolCallParser {
  readonly #tools: ReadonlyMap<string, ToolShape>;
  #state: State = "text";
  #buffer = "";
  /** Where unread text begins. */
  #at = 0;
  /** Where the call began. */
  #callStart = 0;
  #name = "";
  #parameters = new Map<string, unknown>();
  #key = "";
  #valueStart = 0;
  /** How much of the value has been sent as deltas. */
  #valueSent = 0;
  #events: ParserEvent[] = [];

  constructor(tools: readonly ToolShape[] = []) {
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  push(text: string): ParserEvent[] {
    if (this.#state === "done") return [];
    this.#buffer += text;
    return this.#run("open");
  }

  /** The output is over: `stop` by the model's own choice, `length` cut off at the token limit. */
  end(reason: Exclude<OutputEnd, "open"> = "stop"): ParserEvent[] {
    if (this.#state === "done") return [];
    const events = this.#run(reason);
    this.#finish(reason, events);
    this.#state = "done";
    return events;
  }

  #run(output: OutputEnd): ParserEvent[] {
    this.#events = [];
    while (this.#step(output));
    return this.#events;
  }

  /** One move of the machine; false when more text is needed or nothing is left to do. */
  #step(output: OutputEnd): boolean {
    const ended = output !== "open";
    switch (this.#state) {
      case "text":
        return this.#readText(ended);
      case "call":
        return this.#readFunction(ended);
      case "json":
        return this.#readJson(ended);
      case "body":
        return this.#readBody(ended);
      case "value":
        return this.#readValue(output);
      case "closing":
        return this.#readClosing(ended);
      case "done":
        return false;
      default:
        return this.#state satisfies never;
    }
  }

  /** Words until `<tool_call>`, or `<function=` at the start of a line. */
  #readText(ended: boolean): boolean {
    const buffer = this.#buffer;
    for (let i = this.#at; ; i++) {
      i = buffer.indexOf("<", i);
      if (i < 0) break;
      const open = literalAt(buffer, i, OPEN);
      const lineStart = buffer.slice(buffer.lastIndexOf("\n", i) + 1, i).trim() === "";
      const bare = lineStart ? functionTagAt(buffer, i, ended) : "no";
      if (open === "yes" || typeof bare === "object") {
        this.#sendText(i);
        this.#callStart = i;
        this.#at = open === "yes" ? i + OPEN.length : i;
        this.#state = "call";
        return true;
      }
      if ((open === "maybe" && !ended) || bare === "maybe") {
        this.#sendText(i);
        return false;
      }
    }
    this.#sendText(buffer.length);
    return false;
  }

  #sendText(to: number): void {
    if (to > this.#at) this.#events.push({ type: "text", text: this.#buffer.slice(this.#at, to) });
    this.#at = to;
  }

  #readFunction(ended: boolean): boolean {
    const at = skipSpace(this.#buffer, this.#at);
    if (at === this.#buffer.length) return false;
    if (this.#buffer[at] === "{") {
      this.#state = "json";
      return true;
    }
    const tag = functionTagAt(this.#buffer, at, false);
    if (tag === "maybe") return false; // if nothing more comes, the call was cut off
    if (tag === "no") return this.#fail(literalAt(this.#buffer, at, "<function=") === "yes" ? "bad-name" : "no-function", ended);
    this.#name = tag.name;
    this.#events.push({ type: "call-started", name: this.#name });
    this.#at = at + tag.length;
    this.#state = "body";
    return true;
  }

  /** `{"name": …, "arguments": {…}}`, the form of sibling models. */
  #readJson(ended: boolean): boolean {
    const close = this.#buffer.indexOf("</tool_call>", this.#at);
    if (close < 0 && !ended) return false;
    const text = this.#buffer.slice(this.#at, close < 0 ? undefined : close);
    let call: unknown;
    try {
      call = JSON.parse(text);
    } catch {
      return close < 0 ? false : this.#fail("no-function", ended); // cut off, or not JSON after all
    }
    const { name, arguments: given } = call as { name?: unknown; arguments?: unknown };
    if (typeof name !== "string" || typeof given !== "object" || given === null || Array.isArray(given)) return this.#fail("no-function", ended);
    this.#name = name;
    this.#events.push({ type: "call-started", name });
    for (const [key, value] of Object.entries(given)) this.#parameters.set(key, value);
    this.#at = close < 0 ? this.#buffer.length : close;
    this.#state = "closing";
    return true;
  }

  /** Between parameters. Anything that is no tag is skipped. */
  #readBody(ended: boolean): boolean {
    const at = this.#buffer.indexOf("<", this.#at);
    if (at < 0) {
      this.#at = this.#buffer.length;
      return false;
    }
    this.#at = at;
    const parameter = parameterTagAt(this.#buffer, at, ended);
    const endOfFunction = literalAt(this.#buffer, at, "</function>");
    const endOfCall = literalAt(this.#buffer, at, "</tool_call>");
    if (typeof parameter === "object") {
      this.#key = parameter.name;
      this.#valueStart = this.#at = at + parameter.length;
      this.#valueSent = 0;
      this.#state = "value";
    } else if (endOfFunction === "yes" || endOfCall === "yes") {
      this.#at = endOfFunction === "yes" ? at + "</function>".length : at;
      this.#state = "closing";
    } else if (parameter === "maybe" || endOfFunction === "maybe" || endOfCall === "maybe") {
      return false;
    } else {
      this.#at = at + 1;
    }
    return true;
  }

  #readValue(output: OutputEnd): boolean {
    const buffer = this.#buffer;
    const properties = this.#tools.get(this.#name)?.parameters.properties;
    const isMissing = (key: string) => key !== this.#key && !this.#parameters.has(key) && (!properties || Object.hasOwn(properties, key));
    for (let i = buffer.indexOf("<", this.#at); i >= 0; i = buffer.indexOf("<", i + 1)) {
      const found = valueEndAt(buffer, this.#valueStart, i, output, isMissing);
      if (found === "no") continue;
      if (found === "maybe") {
        this.#at = i;
        this.#sendValue(i);
        return false;
      }
      const value = stripOneNewline(buffer.slice(this.#valueStart, found.end));
      this.#sendDelta(value);
      const type = properties && Object.hasOwn(properties, this.#key) ? properties[this.#key]!.type : undefined;
      this.#parameters.set(this.#key, coerceValue(value, type));
      this.#at = found.next;
      this.#state = "body";
      return true;
    }
    this.#at = buffer.length;
    this.#sendValue(buffer.length);
    return false;
  }

  /** Sends what surely belongs to the value: all but a newline that may be the closing one. */
  #sendValue(to: number): void {
    const value = this.#buffer.slice(this.#valueStart, to);
    const body = value.replace(/^\r?\n/, "");
    if (value === "\r") return;
    this.#sendDelta(body.replace(/(\r\n|\n|\r)$/, ""));
  }

  #sendDelta(value: string): void {
    if (value.length <= this.#valueSent) return;
    this.#events.push({ type: "argument-delta", name: this.#key, text: value.slice(this.#valueSent) });
    this.#valueSent = value.length;
  }

  /** After `</function>`: its `</tool_call>` still belongs to the raw text. */
  #readClosing(ended: boolean): boolean {
    const at = skipSpace(this.#buffer, this.#at);
    const close = literalAt(this.#buffer, at, "</tool_call>");
    if (close === "maybe" && !ended) return false;
    this.#sendCall(close === "yes" ? at + "</tool_call>".length : this.#at);
    return false;
  }

  #sendCall(end: number): void {
    this.#events.push({
      type: "call",
      name: this.#name,
      arguments: Object.fromEntries(this.#parameters),
      raw: this.#buffer.slice(this.#callStart, end),
    });
    this.#state = "done";
  }

  /** A call that cannot be read; reported when its end is known, so that `raw` is whole. */
  #fail(reason: MalformedReason, ended: boolean): boolean {
    const close = this.#buffer.indexOf("</tool_call>", this.#callStart + OPEN.length);
    if (close < 0 && !ended) return false;
    const end = close < 0 ? this.#buffer.length : close + "</tool_call>".length;
    this.#events.push({ type: "malformed", reason, raw: this.#buffer.slice(this.#callStart, end) });
    this.#state = "done";
    return false;
  }

  /** What is left when the output is over. */
  #finish(reason: OutputEnd, events: ParserEvent[]): void {
    if (this.#state === "text" || this.#state === "done") return;
    // Between parameters nothing of a value is lost: a model that stopped by itself only forgot the closing tags.
    if (this.#state === "body" && reason === "stop" && this.#parameters.size > 0) {
      this.#events = events;
      this.#sendCall(this.#buffer.trimEnd().length);
      return;
    }
    events.push({ type: "malformed", reason: "truncated", raw: this.#buffer.slice(this.#callStart) });
  }
}
