// Scripts as trees: just-bash's parser, and the names of its nodes. What runs the trees is ours (interpreter.ts).
import type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode } from "just-bash";
import { Bash } from "just-bash/browser";

export type { CommandNode, PipelineNode, ScriptNode, SimpleCommandNode, StatementNode, WordNode };
export type WordPart = WordNode["parts"][number];
export type Assignment = SimpleCommandNode["assignments"][number];
export type Redirection = SimpleCommandNode["redirections"][number];
export type ParameterPart = Extract<WordPart, { type: "ParameterExpansion" }>;
export type ParameterOperation = NonNullable<ParameterPart["operation"]>;
export type Condition = Extract<CommandNode, { type: "ConditionalCommand" }>["expression"];
export type Compound = Exclude<CommandNode, SimpleCommandNode>;
export type FunctionBody = Extract<CommandNode, { type: "FunctionDef" }>;

/** The text is no script. `incomplete`: more lines may make it one. */
export class ShellSyntaxError extends Error {
  readonly incomplete: boolean;
  readonly line: number;

  constructor(message: string, incomplete: boolean, line = 1) {
    super(message);
    this.incomplete = incomplete;
    this.line = line;
  }
}

const parsed = new Map<string, ScriptNode>();
/** Scripts kept: a loop's `eval` or `$(( ))` parses once. */
const KEPT = 500;

let tree: ScriptNode | undefined;
// Its transforms see the tree before anything runs; an empty script goes back, so that nothing is made of it.
const parser = new Bash({ defenseInDepth: false });
parser.registerTransformPlugin({
  name: "take-tree",
  transform({ ast }) {
    tree = ast;
    return { ast: { type: "Script", statements: [] } };
  },
});

/** Throws ShellSyntaxError. The tree is shared: nobody changes it. */
export function parseScript(text: string): ScriptNode {
  const known = parsed.get(text);
  if (known) return known;
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) throw new ShellSyntaxError("syntax error: unexpected end of file", true);
  try {
    parser.transform(text);
  } catch (error) {
    throw syntaxError(error, text);
  }
  const script = tree as ScriptNode;
  // The parser leaves some errors to when they are reached: on one line, nothing of it runs.
  const late = script.statements.find(({ deferredError }) => deferredError)?.deferredError;
  if (late && !text.trim().includes("\n")) throw new ShellSyntaxError(late.message, false);
  checkEnd(script, text);
  if (parsed.size >= KEPT) parsed.clear();
  parsed.set(text, script);
  return script;
}

/** The text as one word in which only `$` and backquotes mean something, an expression or a key. */
export function parseText(text: string): WordNode {
  const end = "END-OF-THE-TEXT";
  const [statement] = parseScript(`: <<${end}\n${text}\n${end}\n`).statements;
  const target = statement?.pipelines[0]?.commands[0]?.redirections[0]?.target;
  if (target?.type !== "HereDoc") throw new ShellSyntaxError(`syntax error: ${text}`, false);
  const last = target.content.parts.at(-1);
  if (last?.type !== "Literal") return target.content;
  return { type: "Word", parts: [...target.content.parts.slice(0, -1), { type: "Literal", value: last.value.replace(/\n$/, "") }] };
}

function syntaxError(error: unknown, text: string): ShellSyntaxError {
  const { message: raw, token } = error as { message: string; token?: { type?: unknown } };
  const message = raw.replace(/^Parse error at \d+:\d+: /, "").replace(/^line \d+: /, "");
  const incomplete = token?.type === "EOF" || /\bEOF\b/.test(message);
  const line = Math.max(1, Number(/^(?:Parse error at|line) (\d+)/.exec(raw)?.[1] ?? 1));
  if (incomplete && !/unexpected EOF/.test(message)) return new ShellSyntaxError("syntax error: unexpected end of file", incomplete, text.replace(/\n$/, "").split("\n").length + 1);
  return new ShellSyntaxError(message.replace("matching '}'", "matching `}'").replace(/^Expected .*, got (.*)$/s, "syntax error near unexpected token `$1'"), incomplete, line);
}

/** The parser takes `a &&`, `a |` and a here-document without its end. */
function checkEnd({ statements }: ScriptNode, text: string): void {
  const last = statements.at(-1);
  const pipeline = last?.pipelines.at(-1);
  const command = pipeline?.commands.at(-1);
  const joined = (last?.pipelines.length ?? 0) > 1 || (pipeline?.commands.length ?? 0) > 1;
  if (joined && command?.type === "SimpleCommand" && !command.name && command.assignments.length === 0 && command.redirections.length === 0) {
    throw new ShellSyntaxError("syntax error: unexpected end of file", /(\||&&)\s*(#[^\n]*)?$/.test(text), text.replace(/\n$/, "").split("\n").length + 1);
  }
  const document = command && "redirections" in command ? command.redirections.findLast(({ target }) => target.type === "HereDoc")?.target : undefined;
  if (document?.type === "HereDoc" && document.terminated === false) unterminated.add(text);
}

/** Scripts whose last here-document has no end: bash takes them with a warning, a prompt asks for more lines. */
export const unterminated = new Set<string>();
