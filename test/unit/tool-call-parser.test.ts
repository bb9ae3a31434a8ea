import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ParserEvent, ToolCallParser, type ToolShape } from "../../src/tokenizer/tool-call-parser.ts";

const TOOLS: readonly ToolShape[] = [
  { name: "edit", parameters: { properties: { file_path: { type: "string" }, old_string: { type: "string" }, new_string: { type: "string" }, replace_all: { type: "boolean" } } } },
  { name: "run_shell_command", parameters: { properties: { command: { type: "string" }, timeout: { type: "integer" } } } },
  { name: "any", parameters: { properties: { list: { type: "array" }, ratio: { type: "number" }, plain: { type: "string" } } } },
];

/** All events, neighbouring text and deltas joined. */
function parse(chunks: readonly string[], reason: "stop" | "length" = "stop"): ParserEvent[] {
  const parser = new ToolCallParser(TOOLS);
  const joined: ParserEvent[] = [];
  for (const event of [...chunks.flatMap((chunk) => parser.push(chunk)), ...parser.end(reason)]) {
    const last = joined.at(-1);
    if (event.type === "text" && last?.type === "text") joined[joined.length - 1] = { ...last, text: last.text + event.text };
    else if (event.type === "argument-delta" && last?.type === "argument-delta" && last.name === event.name)
      joined[joined.length - 1] = { ...last, text: last.text + event.text };
    else joined.push(event);
  }
  return joined;
}

function callOf(text: string, reason: "stop" | "length" = "stop"): Extract<ParserEvent, { type: "call" }> | undefined {
  return parse([text], reason).find((event) => event.type === "call");
}

const NPM_TEST = "<tool_call>\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</parameter>\n</function>\n</tool_call>";
const EDIT = "<tool_call>\n<function=edit>\n<parameter=file_path>\nsrc/a.js\n</parameter>\n<parameter=old_string>\nif (a < b) {\n  return '</function>';\n</parameter>\n<parameter=new_string>\n\n  indented\n\n</parameter>\n</function>\n</tool_call>";

describe("the call as the template teaches it", () => {
  it("gives the words before, the name at once, the argument as it comes, then the call with its raw text", () => {
    expect(parse([`I run the tests first.\n${NPM_TEST}`])).toEqual([
      { type: "text", text: "I run the tests first.\n" },
      { type: "call-started", name: "run_shell_command" },
      { type: "argument-delta", name: "command", text: "npm test" },
      { type: "call", name: "run_shell_command", arguments: { command: "npm test" }, raw: NPM_TEST },
    ]);
  });

  it("strips exactly one newline at each end of a value", () => {
    expect(callOf(EDIT)?.arguments).toEqual({ file_path: "src/a.js", old_string: "if (a < b) {\n  return '</function>';", new_string: "\n  indented\n" });
    expect(callOf("<tool_call><function=any><parameter=plain>\r\nx\r\n</parameter></function></tool_call>")?.arguments).toEqual({ plain: "x" });
  });

  it("coerces values by the schema and leaves what does not fit as text", () => {
    const call = (parameters: Record<string, string>, name: string) =>
      callOf(`<tool_call><function=${name}>${Object.entries(parameters).map(([k, v]) => `<parameter=${k}>\n${v}\n</parameter>`).join("\n")}</function></tool_call>`)?.arguments;
    expect(call({ command: "5", timeout: "30" }, "run_shell_command")).toEqual({ command: "5", timeout: 30 });
    expect(call({ timeout: "soon" }, "run_shell_command")).toEqual({ timeout: "soon" });
    expect(call({ replace_all: "True", new_string: "false" }, "edit")).toEqual({ replace_all: true, new_string: "false" });
    expect(call({ list: "[1, \"a\"]", ratio: "0.5" }, "any")).toEqual({ list: [1, "a"], ratio: 0.5 });
    expect(call({ list: "[1, " }, "any")).toEqual({ list: "[1, " });
    expect(call({ x: "1" }, "unknown_tool")).toEqual({ x: "1" });
  });

  it("takes a parameter called __proto__ as data", () => {
    const call = callOf("<tool_call><function=any><parameter=__proto__>\nx\n</parameter></function></tool_call>");
    expect(Object.keys(call?.arguments ?? {})).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(call?.arguments)).toBe(Object.prototype);
  });

  it("plain words, also with tags in them, are only text", () => {
    const text = "Compare a < b, see `<function=x>` and <b>bold</b>, and </tool_call>.";
    expect(parse([text])).toEqual([{ type: "text", text }]);
  });

  it("allows one call a turn: what follows it is ignored", () => {
    const events = parse([`${NPM_TEST}\nNow I edit.\n${EDIT}`]);
    expect(events.filter((event) => event.type === "call")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "call", raw: NPM_TEST });
  });
});

describe("what models get wrong", () => {
  it.each([
    ["no opening tag after prose", "I will test.\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</parameter>\n</function>\n</tool_call>"],
    ["no </parameter> before </function>", "<tool_call>\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</function>\n</tool_call>"],
    ["no newlines at all", "<tool_call><function=run_shell_command><parameter=command>npm test</parameter></function></tool_call>"],
    ["no </function>", "<tool_call>\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</parameter>\n</tool_call>"],
    ["no </parameter> and no </function>", "<tool_call>\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</tool_call>"],
    ["no closing tags but the parameter's", "<tool_call>\n<function=run_shell_command>\n<parameter=command>\nnpm test\n</parameter>"],
    ["a quoted name", "<tool_call>\n<function=\"run_shell_command\">\n<parameter=\"command\">\nnpm test\n</parameter>\n</function>\n</tool_call>"],
    ["a name without >", "<tool_call>\n<function=run_shell_command\n<parameter=command>\nnpm test\n</parameter>\n</function>\n</tool_call>"],
    ["JSON instead of XML", "<tool_call>\n{\"name\": \"run_shell_command\", \"arguments\": {\"command\": \"npm test\"}}\n</tool_call>"],
  ])("%s", (_name, text) => {
    expect(callOf(text)).toMatchObject({ name: "run_shell_command", arguments: { command: "npm test" } });
  });

  it("a forgotten </parameter> ends the value at the next parameter that is still missing", () => {
    const call = callOf("<tool_call>\n<function=edit>\n<parameter=file_path>\na.js\n<parameter=old_string>\nx\n<parameter=file_path>\n</parameter>\n</function>\n</tool_call>");
    expect(call?.arguments).toEqual({ file_path: "a.js", old_string: "x\n<parameter=file_path>" });
  });

  it("keeps tags inside a value when the call goes on after them", () => {
    const inner = "const a = '</parameter>'; // </function> and </tool_call>\nconst b = `<tool_call>\n<function=x>`;";
    const call = callOf(`<tool_call>\n<function=edit>\n<parameter=new_string>\n${inner}\n</parameter>\n</function>\n</tool_call>`);
    expect(call?.arguments).toEqual({ new_string: inner });
  });

  it("reports a call that was cut off, wherever the cut is, and never guesses the rest", () => {
    for (let cut = "<tool_call>".length; cut < EDIT.indexOf("</function>\n</tool_call>"); cut++) {
      const last = parse([EDIT.slice(0, cut)], "length").at(-1);
      expect(last, JSON.stringify(EDIT.slice(0, cut))).toEqual({ type: "malformed", reason: "truncated", raw: EDIT.slice(0, cut) });
    }
  });

  it("names the reason for a call without function and for an impossible name", () => {
    expect(parse(["<tool_call>\nlet me think\n</tool_call> more"]).at(-1)).toEqual({ type: "malformed", reason: "no-function", raw: "<tool_call>\nlet me think\n</tool_call>" });
    expect(parse(["<tool_call>\n<function=>\n</function>\n</tool_call>"]).at(-1)).toMatchObject({ type: "malformed", reason: "bad-name" });
    expect(parse(["<tool_call>\n{\"name\": 5}\n</tool_call>"]).at(-1)).toMatchObject({ type: "malformed", reason: "no-function" });
  });
});

describe("streaming", () => {
  const pieces = ["<tool_call>", "</tool_call>", "<function=edit>", "<function=", "</function>", "<parameter=file_path>", "<parameter=old_string>", "<parameter=", "</parameter>", "\n", "\r\n", " ", "<", ">", "a", "src/a.js", "{", "}", '"name"', "𝒳é"];
  const text = fc.array(fc.constantFrom(...pieces), { maxLength: 40 }).map((parts) => parts.join(""));
  const cut = (whole: string, cuts: readonly number[]): string[] => {
    const at = [...new Set(cuts.map((c) => c % (whole.length + 1)))].sort((a, b) => a - b);
    return [0, ...at].map((start, i) => whole.slice(start, [...at, whole.length][i]));
  };

  it("gives the same result for any cutting of any text", () => {
    fc.assert(
      fc.property(text, fc.array(fc.nat(400), { maxLength: 20 }), fc.constantFrom("stop" as const, "length" as const), (whole, cuts, reason) => {
        const expected = parse([whole], reason);
        expect(parse(cut(whole, cuts), reason)).toEqual(expected);
        expect(parse([...whole], reason)).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it("streams a long value instead of holding it back", () => {
    const parser = new ToolCallParser(TOOLS);
    parser.push("<tool_call>\n<function=edit>\n<parameter=new_string>\n");
    expect(parser.push("line one\n")).toEqual([{ type: "argument-delta", name: "new_string", text: "line one" }]);
    expect(parser.push("two")).toEqual([{ type: "argument-delta", name: "new_string", text: "\ntwo" }]);
  });

  it("reads a value of a million characters in pieces within a second", () => {
    const started = performance.now();
    const body = "if (a < b) { c(); }\n".repeat(50_000);
    const call = parse([`<tool_call>\n<function=edit>\n<parameter=new_string>\n`, ...body.match(/[\s\S]{1,4096}/g)!, "\n</parameter>\n</function>\n</tool_call>"]).at(-1);
    expect(call).toMatchObject({ type: "call", arguments: { new_string: body } });
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
