// The shell of a tool call as an EBNF grammar for xgrammar: names of tools, names of their parameters, each at most once, those
// required before the closing. Values are free: the grammar stands still at a placeholder while they are written
// (src/engine/tool-call-guide.ts), so that a value is what the parser says it is (tool-call-values.ts).
// Source: the Qwen3-Coder chat template.
import type { ToolShape } from "./tool-call-parser.ts";

export interface GuidedTool extends ToolShape {
  readonly parameters: ToolShape["parameters"] & { readonly required: readonly string[] };
}

/** Ends a value in the grammar. No text has it. */
export const VALUE_END = "\u0001";

/** Parameters of a tool whose use is counted: each doubles the grammar's rules. Of more, some could be written twice; the parser takes the last. */
const COUNTED = 8;

/** Undefined where there is nothing to call, or a name cannot stand in a tag. */
export function toolCallGrammar(tools: readonly GuidedTool[]): string | undefined {
  const names = tools.flatMap(({ name, parameters }) => [name, ...Object.keys(parameters.properties)]);
  if (tools.length === 0 || names.some((name) => !/^[^<>\s"\\]+$/.test(name))) return undefined;
  const rules = [
    `root ::= "<tool_call>" nl "<function=" (${tools.map((_, tool) => `tool${tool}`).join(" | ")})`,
    `nl ::= "\\n" | ""`,
    `value ::= [^\\x01]* "\\x01" "</parameter>" nl`,
    `end ::= "</function>" nl "</tool_call>"`,
    ...tools.flatMap(toolRules),
  ];
  return `${rules.join("\n")}\n`;
}

function toolRules({ name, parameters }: GuidedTool, tool: number): readonly string[] {
  const { properties, required } = parameters;
  const all = Object.keys(properties).toSorted((a, b) => Number(required.includes(b)) - Number(required.includes(a)));
  const counted = all.slice(0, COUNTED);
  const bits = 2 ** counted.length;
  const needed = counted.reduce((mask, key, i) => (required.includes(key) ? mask | (1 << i) : mask), 0);
  const body = (used: number): string => {
    const next = all.flatMap((_, i) => (i >= counted.length ? [`t${tool}p${i} t${tool}u${used}`] : (used & (1 << i)) === 0 ? [`t${tool}p${i} t${tool}u${used | (1 << i)}`] : []));
    return [...next, ...((used & needed) === needed ? ["end"] : [])].join(" | ");
  };
  return [
    `tool${tool} ::= "${name}>" nl t${tool}u0`,
    ...all.map((key, i) => `t${tool}p${i} ::= "<parameter=${key}>" value`),
    ...Array.from({ length: bits }, (_, used) => `t${tool}u${used} ::= ${body(used)}`),
  ];
}
