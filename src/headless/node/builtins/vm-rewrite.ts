// What a script for a context is before it runs: its declarations at the top level become the context's own variables,
// the names it assigns to are known, and loops can be given a time limit.
import { parse as parseCode } from "../later/parser.ts";
import { factsOf } from "../../known-code.ts";
import { type EditData, Edits } from "../loader/edits.ts";
import { type Ast, boundNames, isNode } from "../loader/references.ts";

export interface ContextScript {
  readonly code: string;
  readonly columnBefore: (line: number, column: number) => number;
  /** Names of `var` at the top level, and of functions. */
  readonly variables: readonly string[];
  readonly functions: readonly string[];
  /** Names of `let`, `const` and `class` at the top level: true for constants. */
  readonly lexical: ReadonlyMap<string, boolean>;
  /** Every name that some code in it assigns to. */
  readonly assigned: readonly string[];
}

/** Called by every loop of a script that has a time limit. */
export const CHECK_NAME = "__tabwright_check";

const same = (_line: number, column: number): number => column;
const LOOPS = new Set(["WhileStatement", "DoWhileStatement", "ForStatement", "ForInStatement", "ForOfStatement"]);
const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

function children(node: Ast): Ast[] {
  const found: Ast[] = [];
  for (const key in node) {
    const value = node[key];
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  }
  return found;
}

class Reader {
  readonly variables = new Set<string>();
  readonly assigned = new Set<string>();
  readonly declarations: { node: Ast; inLoopHead: boolean }[] = [];
  readonly bodies: Ast[] = [];

  /** `outside`: not inside any function, where `var` belongs to the script. */
  walk(node: Ast, outside: boolean, inLoopHead = false): void {
    if (node.type === "AssignmentExpression" || node.type === "ForInStatement" || node.type === "ForOfStatement") for (const name of boundNames(node["left"] as Ast)) this.assigned.add(name);
    if (node.type === "UpdateExpression") for (const name of boundNames(node["argument"] as Ast)) this.assigned.add(name);
    if (outside && node.type === "VariableDeclaration" && node["kind"] === "var") {
      for (const each of node["declarations"] as Ast[]) for (const name of boundNames(each["id"] as Ast)) this.variables.add(name);
      this.declarations.push({ node, inLoopHead });
    }
    if (LOOPS.has(node.type)) this.bodies.push(node["body"] as Ast);
    const inside = outside && !FUNCTIONS.has(node.type) && node.type !== "ClassBody";
    for (const child of children(node)) this.walk(child, inside, LOOPS.has(node.type) && (child === node["init"] || child === node["left"]));
  }
}

/** A declaration as an assignment of the same names, in a block that has no value of its own, as declarations have none. */
function rewriteDeclaration(edits: Edits, node: Ast, inLoopHead: boolean): void {
  const declarators = node["declarations"] as Ast[];
  const first = declarators[0] as Ast;
  edits.replace(node.start, first.start, inLoopHead ? "" : "{let _=(");
  for (const each of declarators) {
    const id = each["id"] as Ast;
    if (id.type !== "ObjectPattern" || inLoopHead) {
      if (!isNode(each["init"]) && !inLoopHead && node["kind"] !== "var") edits.insert(each.end, " = undefined");
      continue;
    }
    edits.insert(each.start, "(");
    edits.insert(each.end, ")");
  }
  if (inLoopHead) return;
  const last = declarators.at(-1) as Ast;
  edits.insert(last.end, ")}");
}

function parse(source: string): Ast {
  try {
    return parseCode(source, { ecmaVersion: "latest", sourceType: "script", allowHashBang: true }) as unknown as Ast;
  } catch (error) {
    // The one mistake that the engine words differently and that cannot be found by compiling a function.
    if (error instanceof SyntaxError && error.message.startsWith("'return' outside of function")) throw new SyntaxError("Illegal return statement");
    throw error;
  }
}

function checkLoops(bodies: readonly Ast[], edits: Edits): void {
  for (const each of bodies) {
    if (each.type === "BlockStatement") edits.insert(each.start + 1, `${CHECK_NAME}();`);
    else if (each.type.endsWith("Statement")) {
      edits.insert(each.start, `{${CHECK_NAME}();`);
      edits.insert(each.end, "}");
    }
  }
}

/** A script with a time limit that stays as it is but for that. */
export function limitLoops(source: string): Pick<ContextScript, "code" | "columnBefore"> {
  const reader = new Reader();
  reader.walk(parse(source), true);
  const edits = new Edits(source);
  checkLoops(reader.bodies, edits);
  return edits.apply();
}

/** Throws acorn's SyntaxError for what is no script. */
export function readScript(source: string, limited: boolean): ContextScript {
  const { edits, lexical, ...names } = factsOf(limited ? "limited context" : "context", source, () => scriptData(source, limited));
  const { code, columnBefore } = edits ? Edits.of(source, edits).apply() : { code: source, columnBefore: same };
  return { code, columnBefore, ...names, lexical: new Map(lexical) };
}

type ScriptData = Pick<ContextScript, "variables" | "functions" | "assigned"> & { readonly lexical: readonly (readonly [string, boolean])[]; readonly edits: EditData | null };

function scriptData(source: string, limited: boolean): ScriptData {
  const program = parse(source);
  const body = program["body"] as Ast[];
  const reader = new Reader();
  reader.walk(program, true);
  const functions = body.filter((node) => node.type === "FunctionDeclaration").map((node) => (node["id"] as Ast)["name"] as string);
  const lexical = new Map<string, boolean>();
  const edits = new Edits(source);
  let changed = false;
  for (const node of body) {
    if (node.type === "VariableDeclaration" && node["kind"] !== "var") {
      for (const each of node["declarations"] as Ast[]) for (const name of boundNames(each["id"] as Ast)) lexical.set(name, node["kind"] === "const");
      rewriteDeclaration(edits, node, false);
      changed = true;
    } else if (node.type === "ClassDeclaration") {
      const name = (node["id"] as Ast)["name"] as string;
      lexical.set(name, false);
      edits.insert(node.start, `{let _=(${name} = `);
      edits.insert(node.end, ")}");
      changed = true;
    }
  }
  const isStrict = body[0]?.["directive"] === "use strict";
  if (isStrict) {
    // In strict code `eval` would keep these to itself.
    for (const { node, inLoopHead } of reader.declarations) rewriteDeclaration(edits, node, inLoopHead);
    changed ||= reader.declarations.length > 0;
  }
  if (limited) checkLoops(reader.bodies, edits);
  changed ||= limited;
  return { edits: changed ? edits.data : null, variables: [...reader.variables], functions, lexical: [...lexical], assigned: isStrict ? [] : [...reader.assigned] };
}
