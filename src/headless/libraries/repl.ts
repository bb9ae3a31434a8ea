// `node` at a terminal: reads a line, evaluates it, prints its value. Declarations stay from line to line; `await` works.
import type { Node, Program } from "acorn";
import type { inspect as Inspect } from "node-inspect-extracted";
import { offerLibrary } from "../libraries.ts";
import { LineEditor } from "../line-editor.ts";
import { type AnyFunction, type Dict, NODE_VERSION, type Runtime } from "../node/runtime.ts";

/** What Node's bundle has already, and how it evaluates script code: for the value of its last expression. */
export interface ReplTools {
  parse(code: string): Program;
  readonly inspect: typeof Inspect;
  evaluate(code: string): unknown;
}
export type ReplLibrary = (runtime: Runtime, tools: ReplTools) => undefined;

const HELP = ".exit     Exit the REPL\n.help     Print this help message\n\nPress Ctrl+C to drop a line, Ctrl+D to exit\n";

let parse: ReplTools["parse"] = () => {
  throw new Error("The prompt was not started.");
};

/** Runs until `.exit` or Ctrl+D. */
const startRepl: ReplLibrary = (runtime, { inspect, evaluate, ...tools }) => {
  ({ parse } = tools);
  const { process, host } = runtime;
  const global = runtime.realm.global as Dict;
  const write = (text: string): void => void process.stdout.write(text);
  const history: string[] = [];
  const editor = new LineEditor({ write, columns: () => Number((process.stdout as unknown as { columns?: number }).columns ?? 80), history, complete: (before) => complete(global, before) });
  const decoder = new TextDecoder();
  process.stdin.on("data", (chunk) => editor.type(decoder.decode(chunk as Uint8Array, { stream: true })));
  const fail = (error: unknown): void => write(`Uncaught ${inspect(error, { colors: true })}\n`);
  (process as unknown as { on(event: string, listener: AnyFunction): void }).on("uncaughtException", fail as AnyFunction);

  const run = async (code: string): Promise<void> => {
    try {
      const { text, waits } = prepared(code);
      const value = waits ? await (evaluate(text) as Promise<unknown>) : evaluate(text);
      global["_"] = value;
      write(`${inspect(value, { colors: true })}\n`);
    } catch (error) {
      fail(error);
    }
  };

  const loop = async (): Promise<void> => {
    let text = "";
    let leaving = false;
    for (;;) {
      host.rawMode?.(true);
      const typed = await editor.read(text === "" ? "> " : "... ");
      if (typed === null) break;
      if (typed === "interrupt") {
        if (leaving && text === "") break;
        if (text === "") write("(To exit, press Ctrl+C again or Ctrl+D or type .exit)\n");
        leaving = text === "";
        text = "";
        continue;
      }
      leaving = false;
      if (typed.line !== "" && typed.line !== history.at(-1)) history.push(typed.line);
      text += text === "" ? typed.line : `\n${typed.line}`;
      const command = text.trim();
      if (command === ".exit") break;
      if (command === ".help") write(HELP);
      if (command === "" || command === ".help" || !isWhole(text)) {
        if (command === "" || command === ".help") text = "";
        continue;
      }
      const code = text;
      text = "";
      // Ctrl+C ends what does not return.
      host.rawMode?.(false);
      await run(code);
    }
    host.rawMode?.(false);
    (process as unknown as { exit(): void }).exit();
  };
  write(`Welcome to Node.js ${NODE_VERSION}.\nType ".help" for more information.\n`);
  void loop();
  return undefined;
};

/** False while more lines may make it a script. */
function isWhole(code: string): boolean {
  try {
    parse(code);
    return true;
  } catch (error) {
    const { pos, message } = error as { pos?: number; message: string };
    return !(pos !== undefined && (pos >= code.trimEnd().length || /Unterminated (template|comment)/.test(message)));
  }
}

/** `{ a: 1 }` is an object; declarations become global variables; with `await`, a promise of the last value. */
function prepared(code: string): { readonly text: string; readonly waits: boolean } {
  if (/^\s*\{/.test(code) && !/;\s*$/.test(code)) {
    try {
      parse(`(${code}\n)`);
      return { text: `(${code}\n)`, waits: false };
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  let tree: Program;
  try {
    tree = parse(code);
  } catch {
    return { text: code, waits: false }; // the engine says what is wrong
  }
  let text = code;
  const names: string[] = [];
  for (const statement of [...tree.body].reverse()) {
    if (statement.type === "VariableDeclaration") {
      text = `${text.slice(0, statement.start)}var${text.slice(statement.start + statement.kind.length)}`;
      for (const { id } of statement.declarations) if (id.type === "Identifier") names.push(id.name);
    } else if (statement.type === "ClassDeclaration" && statement.id) {
      text = `${text.slice(0, statement.start)}var ${statement.id.name} = ${text.slice(statement.start)}`;
      names.push(statement.id.name);
    }
  }
  if (!hasAwait(tree)) return { text, waits: false };
  const last = tree.body.at(-1);
  const shift = text.length - code.length;
  const value = last?.type === "ExpressionStatement" ? `${text.slice(0, last.start + shift)}return (${code.slice(last.expression.start, last.expression.end)})` : text;
  return { text: `(async () => { ${value}\n${names.length === 0 || last?.type === "ExpressionStatement" ? "" : `Object.assign(globalThis, { ${names.join(", ")} }); return undefined`} })()`, waits: true };
}

/** At its top, not in a function of its own. */
function hasAwait(node: Node): boolean {
  if (node.type === "AwaitExpression" || (node.type === "ForOfStatement" && (node as Node & { await: boolean }).await)) return true;
  if (/Function|ArrowFunction/.test(node.type)) return false;
  return Object.values(node).some((child: unknown) => (Array.isArray(child) ? child.some((item: unknown) => isNode(item) && hasAwait(item)) : isNode(child) && hasAwait(child)));
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string";
}

/** Properties of what stands before the dot, else global names. Nothing is called for it but getters on the way. */
function complete(global: Dict, before: string): { from: number; candidates: string[] } {
  const [, path = "", start = ""] = /((?:[\w$]+\.)*)([\w$]*)$/.exec(before) ?? [];
  let at: unknown = global;
  for (const name of path.split(".").filter(Boolean)) at = at === null || at === undefined ? undefined : (at as Dict)[name];
  const names = new Set<string>();
  for (let proto = at === null || at === undefined ? null : Object(at) as object; proto; proto = Object.getPrototypeOf(proto) as object | null) for (const name of Object.getOwnPropertyNames(proto)) names.add(name);
  return { from: before.length - start.length, candidates: start === "" && path === "" ? [] : [...names].filter((name) => name.startsWith(start) && /^[\w$]+$/.test(name)).sort() };
}

offerLibrary<"repl">(startRepl);
