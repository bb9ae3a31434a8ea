// Scripts whose `import()` has to go another way than the engine's, into what `word` names, and whose `await` keeps its scope.
import { parse as parseCode } from "../later/parser.ts";
import { factsOf } from "../../known-code.ts";
import { keepScopes, mayAwait } from "./async-scope.ts";
import { type EditData, Edits, type Rewritten } from "./edits.ts";
import { type Ast, eachChild, isNode, type ModuleFacts, readModule } from "./references.ts";

/** How old code finds the global object. In a context, Function is the process's and would tell of the process's. */
const ASKS_FOR_GLOBAL = /\bFunction\(\s*["']return this;?["']\s*\)\s*\(\s*\)/;

/** Undefined when there is nothing to change. Code that awaits finds the names of `SCOPE_PARAMETERS` around it. */
export function rewriteImports(code: string, word: string, inContext = false): Rewritten | undefined {
  const imports = /\bimport\s*\(/.test(code);
  const globals = inContext && ASKS_FOR_GLOBAL.test(code);
  if (!imports && !globals && !mayAwait(code)) return undefined;
  const data = factsOf(globals ? "imports and global" : "imports", code, () => importEdits(code, imports, globals));
  return data.length === 0 ? undefined : Edits.of(code, data.map(([start, end, text, callee]) => [start, end, text.replaceAll(WORD, word), callee])).apply();
}

/** Stands for the word that is not known yet. */
const WORD = "\0";

function importEdits(code: string, imports: boolean, globals: boolean): EditData {
  let program: Ast;
  try {
    program = parseCode(code, { ecmaVersion: "latest", sourceType: "script", allowReturnOutsideFunction: true, allowHashBang: true, preserveParens: true }) as unknown as Ast;
  } catch (error) {
    // The engine will say what is wrong.
    if (error instanceof SyntaxError) return [];
    throw error;
  }
  const edits = new Edits(code);
  const awaits = keepScopes(program, edits);
  if (globals) replaceGlobals(program, code, edits);
  else if (!imports && !awaits) return [];
  if (imports) redirectImports(edits, readModule(program, new Set()), WORD);
  return edits.data;
}

function replaceGlobals(node: Ast, code: string, edits: Edits): void {
  const callee = node.type === "CallExpression" ? node["callee"] : undefined;
  const isAsked = isNode(callee) && isNode(callee["callee"]) && callee["callee"]["name"] === "Function" && new RegExp(`^(?:new\\s+)?${ASKS_FOR_GLOBAL.source}$`).test(code.slice(node.start, node.end));
  if (isAsked) edits.replace(node.start, node.end, "globalThis");
  else eachChild(node, (child) => replaceGlobals(child, code, edits));
}

/** Also those in code that a direct `eval` is given: it sees the names of the code around it. */
export function redirectImports(edits: Edits, { dynamicImports, evals }: ModuleFacts, word: string): void {
  for (const at of dynamicImports) edits.replace(at, at + "import".length, word);
  for (const { start, end } of evals) {
    edits.insert(start, `${word}.evalCode(`);
    edits.insert(end, ")");
  }
}

/** An importer that `redirectImports` can name. */
export function withEvalCode<T extends object>(importer: T, word: string): T {
  return Object.assign(importer, { evalCode: (code: unknown) => (typeof code === "string" ? (rewriteImports(code, word)?.code ?? code) : code) });
}
