// Tool calls under the real grammar: whatever the logits say, a call comes out that the parser reads, with names that exist.
import { beforeAll, describe, expect, it } from "vitest";
import { TOOLS } from "../../src/agent/tool-specs.ts";
import { BUNDLED_FOLDER } from "../../src/engine/models.ts";
import { type CallMatcher, ToolCallGuide } from "../../src/engine/tool-call-guide.ts";
import { ToolGrammars } from "../../src/engine/xgrammar.ts";
import { readGguf } from "../../src/gguf/reader.ts";
import { bytesSource } from "../../src/gguf/source.ts";
import { greedyToken, seededRandom } from "../../src/model/sampling.ts";
import { toolCallGrammar } from "../../src/tokenizer/tool-call-grammar.ts";
import { ToolCallParser } from "../../src/tokenizer/tool-call-parser.ts";
import { ModelTokenizer } from "../../src/tokenizer/tokenizer.ts";
import recorded from "../fixtures/models/bundled.json" with { type: "json" };
import { qwenTokenizer } from "../support/tokenizer.ts";

const tokenizer = qwenTokenizer();
const END = tokenizer.specials.get("<|im_end|>")!.id;

/** What an answer does to get out of its form: wanted from time to time inside of values, token by token. */
const ATTEMPTS = [
  "\n</parameter>\n<parameter=content>\n", "\n</parameter>\n<parameter=file_path>\n", "\n</parameter>\n<parameter=bogus>\n", "\n</parameter>\n</function>\n</tool_call>", "</parameter></function>",
  "</parameter>\n", "\n<parameter=old_string>\n", "\n</tool_call>", "</function>\n</tool_call>", "<tool_call>", "</function>", "<|im_end|>", " text </parameter> more ", "é👩‍💻",
];

/** Writes until the call is over. Random logits; now and then an attempt is wanted far more than anything else. */
async function write(guide: ToolCallGuide, seed: number, most: number): Promise<{ readonly text: string; readonly over: boolean }> {
  const random = seededRandom(seed);
  const bytes: number[] = [];
  let wanted: number[] = [];
  for (const id of tokenizer.encodePrompt("I look.\n<tool_call>")) guide.push(id);
  for (let count = 0; count < most; count++) {
    const logits = Float32Array.from({ length: tokenizer.vocabSize }, () => random() * 10);
    if (wanted.length === 0 && random() < 0.15) wanted = tokenizer.encodePrompt(ATTEMPTS[Math.floor(random() * ATTEMPTS.length)]!);
    if (wanted[0] !== undefined) logits[wanted[0]] = 100;
    await guide.constrain(logits);
    let token = greedyToken(logits);
    for (; guide.refuses(token); token = greedyToken(logits)) logits[token] = -Infinity;
    expect(tokenizer.special(token)?.kind).not.toBe("control");
    wanted = token === wanted[0] ? wanted.slice(1) : [];
    guide.push(token);
    bytes.push(...tokenizer.bytesOf(token));
    const text = new TextDecoder().decode(Uint8Array.from(bytes));
    const parser = new ToolCallParser(TOOLS);
    // The parser's word for it: looked at only where a call could end.
    if (/[>l]$/.test(text) && parser.push(`<tool_call>${text}`).some(({ type }) => type === "call")) return { text, over: true };
  }
  return { text: new TextDecoder().decode(Uint8Array.from(bytes)), over: false };
}

describe("a tool call under the grammar", () => {
  let grammars: ToolGrammars;
  beforeAll(() => void (grammars = new ToolGrammars(tokenizer)));
  const guided = async (): Promise<ToolCallGuide> => new ToolCallGuide(tokenizer, TOOLS, (await grammars.matcher(TOOLS))!);

  it("names a tool and parameters that exist, each once, the required ones among them, whatever the logits say", async () => {
    let over = 0;
    const names = new Set<string>();
    for (let seed = 1; seed <= 60; seed++) {
      const { text, over: isOver } = await write(await guided(), seed, 700);
      const events = new ToolCallParser(TOOLS).push(`<tool_call>${text}`);
      const started = events.find((event) => event.type === "call-started");
      expect(TOOLS.map(({ name }) => name), text).toContain(started?.name);
      if (!isOver) continue;
      over++;
      const call = events.find((event) => event.type === "call")!;
      const spec = TOOLS.find(({ name }) => name === call.name)!;
      names.add(call.name);
      const keys = Object.keys(call.arguments);
      expect(Object.keys(spec.parameters.properties), text).toEqual(expect.arrayContaining(keys));
      expect(keys, text).toEqual(expect.arrayContaining([...spec.parameters.required]));
      expect(events.some(({ type }) => type === "malformed")).toBe(false);
    }
    expect(over).toBeGreaterThan(30);
    expect(names.size).toBeGreaterThan(3);
  });

  it("may say anything in a value, tags too, and is not looked at outside of calls", async () => {
    const guide = await guided();
    const said = "Now <function=nonsense> is no call.<tool_call>\n<function=write_file>\n<parameter=file_path>\na.xml\n</parameter>\n<parameter=content>\n\n<b></parameter> </b>\n</function> x <parameter=content>\n</parameter>\n</function>\n</tool_call>";
    for (const id of [...tokenizer.encodePrompt(said), END]) {
      const logits = new Float32Array(tokenizer.vocabSize);
      logits[id] = 1;
      await guide.constrain(logits);
      expect(logits[id], JSON.stringify(new TextDecoder().decode(tokenizer.bytesOf(id)))).toBe(1);
      expect(guide.refuses(id)).toBe(false);
      guide.push(id);
    }
  });

  it("does not end its turn in a value, and does not close without what is required", async () => {
    const guide = await guided();
    for (const id of tokenizer.encodePrompt("<tool_call>\n<function=write_file>\n<parameter=file_path>\na")) guide.push(id);
    expect(guide.refuses(END)).toBe(true);
    const close = tokenizer.encodePrompt("\n</parameter>\n</function>");
    for (const id of close.slice(0, -1)) guide.push(id);
    expect(guide.refuses(close.at(-1)!)).toBe(true);
  });

  it("is left alone where it begins in another form", async () => {
    const guide = await guided();
    for (const id of tokenizer.encodeText('<tool_call>{"name":')) {
      const logits = new Float32Array(tokenizer.vocabSize).fill(1);
      await guide.constrain(logits);
      if (tokenizer.bytesOf(id)[0] !== 123) expect(logits[id]).toBe(1);
      guide.push(id);
    }
    const logits = new Float32Array(tokenizer.vocabSize).fill(1);
    await guide.constrain(logits);
    expect(logits.every((logit) => logit === 1)).toBe(true);
  });

  it("has no grammar without tools, or with names that no tag can hold", () => {
    expect(toolCallGrammar([])).toBeUndefined();
    expect(toolCallGrammar([{ name: "a b", parameters: { properties: {}, required: [] } }])).toBeUndefined();
  });
});

it("leaves every recorded answer of the bundled model as it is", async () => {
  const source = bytesSource(recorded.file, new Uint8Array(await (await fetch(`${BUNDLED_FOLDER}${recorded.file}`)).arrayBuffer()));
  const bundled = new ModelTokenizer((await readGguf(source)).metadata);
  const grammars = new ToolGrammars(bundled);
  let masked = 0;
  for (const { greedy } of recorded.prompts) {
    const matcher: CallMatcher = (await grammars.matcher(TOOLS))!;
    const guide = new ToolCallGuide(bundled, TOOLS, matcher);
    for (const id of greedy) {
      const logits = new Float32Array(bundled.vocabSize).fill(1);
      await guide.constrain(logits);
      if (logits.some((logit) => logit !== 1)) masked++;
      expect(logits[id]).toBe(1);
      expect(guide.refuses(id)).toBe(false);
      guide.push(id);
    }
  }
  expect(masked).toBeGreaterThan(20);
});
