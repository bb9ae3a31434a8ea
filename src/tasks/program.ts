// Runs small generated modules in this process: named exports, relative imports, and a guard that ends runaway loops.
// For synthesis only. It trusts its input: what a user opens runs in the container, never here.
import { parse } from "acorn";

export type Node = { readonly type: string; readonly start: number; readonly end: number } & Readonly<Record<string, unknown>>;
export type Exports = Readonly<Record<string, unknown>>;

/** Thrown inside generated code whose loops ran too long. */
export class RunawayLoop extends Error {
  override readonly name = "RunawayLoop";
}

const LOOP_LIMIT = 4000;

/** Throws a SyntaxError for text that is not an ES module. */
export function parseModule(source: string): Node {
  return parse(source, { ecmaVersion: 2023, sourceType: "module" }) as unknown as Node;
}

/** False for text with a syntax error. */
export function parses(source: string): boolean {
  try {
    parseModule(source);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

/** Calls `visit` for a node and all below it, parents first. */
export function walk(node: Node, visit: (node: Node, parent: Node | undefined) => void, parent?: Node): void {
  visit(node, parent);
  for (const key in node) {
    const child = node[key];
    if (Array.isArray(child)) {
      for (const item of child) if (isNode(item)) walk(item, visit, node);
    } else if (isNode(child)) {
      walk(child, visit, node);
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

/** Lines that stand before the first source line in a compiled function. V8 writes a two-line head for `new Function`. */
const HEAD_LINES = 2;

export interface CompiledModule {
  /** Imports by specifier are asked for with `load`. */
  instantiate(load: (specifier: string) => Exports): Exports;
}

const LOOPS = new Set(["ForStatement", "ForOfStatement", "ForInStatement", "WhileStatement", "DoWhileStatement"]);

/** Compiles one module. `url` is what stack traces show; lines are kept, so they can be trusted (see `HEAD_LINES`). */
export function compileModule(source: string, url: string): CompiledModule {
  const edits: { at: number; end: number; text: string }[] = [];
  const exported: string[] = [];
  walk(parseModule(source), (node) => {
    if (LOOPS.has(node.type)) {
      const body = node["body"] as Node;
      const open = body.type === "BlockStatement" ? body.start + 1 : body.start;
      if (body.type === "BlockStatement") edits.push({ at: open, end: open, text: " $guard();" });
    } else if (node.type === "ImportDeclaration") {
      edits.push({ at: node.start, end: node.end, text: importText(node) });
    } else if (node.type === "ExportNamedDeclaration") {
      const declaration = node["declaration"] as Node | null;
      if (declaration) {
        edits.push({ at: node.start, end: declaration.start, text: "" });
        exported.push(...declaredNames(declaration));
      } else {
        for (const specifier of node["specifiers"] as Node[]) exported.push((specifier["local"] as Node)["name"] as string);
        edits.push({ at: node.start, end: node.end, text: "" });
      }
    }
  });
  let text = source;
  for (const { at, end, text: replacement } of edits.sort((a, b) => b.at - a.at)) text = text.slice(0, at) + replacement + text.slice(end);
  const make = new Function("$load", "$guard", `${text}\nreturn { ${exported.join(", ")} };\n//# sourceURL=${url}`) as (
    load: (specifier: string) => Exports,
    guard: () => void,
  ) => Exports;
  return {
    instantiate: (load) => make(load, guard),
  };
}

let loops = 0;
function guard(): void {
  if (++loops > LOOP_LIMIT) throw new RunawayLoop("A loop ran too long.");
}

/** Call before each test or call: the guard counts from here. */
export function resetGuard(): void {
  loops = 0;
}

/** The line of the source for a line that a stack trace of compiled code shows. */
export function sourceLine(compiledLine: number): number {
  return compiledLine - HEAD_LINES;
}

function importText(node: Node): string {
  const from = JSON.stringify((node["source"] as Node)["value"]);
  const parts: string[] = [];
  for (const specifier of node["specifiers"] as Node[]) {
    const local = (specifier["local"] as Node)["name"] as string;
    if (specifier.type === "ImportSpecifier") parts.push(`const ${local} = $load(${from}).${(specifier["imported"] as Node)["name"] as string};`);
    else if (specifier.type === "ImportDefaultSpecifier") parts.push(`const ${local} = $load(${from}).default;`);
    else parts.push(`const ${local} = $load(${from});`);
  }
  return parts.join(" ");
}

function declaredNames(declaration: Node): string[] {
  if (declaration.type !== "VariableDeclaration") return [(declaration["id"] as Node)["name"] as string];
  return (declaration["declarations"] as Node[]).map((one) => (one["id"] as Node)["name"] as string);
}

/** A deep copy of plain data; several times faster than `structuredClone`, which was a tenth of the work. */
function copyPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copyPlain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copyPlain(item)]));
}

export type Outcome = { readonly kind: "value"; readonly value: unknown } | { readonly kind: "error"; readonly name: string };

/** The exported function of a module that imports nothing. */
export function loadFunction(source: string, name: string): (...args: unknown[]) => unknown {
  const exports = compileModule(source, "function.js").instantiate(() => ({}));
  return exports[name] as (...args: unknown[]) => unknown;
}

/** Calls with copies of the arguments, so that one call cannot spoil the next. */
export function callSafely(fn: (...args: unknown[]) => unknown, args: readonly unknown[]): Outcome {
  resetGuard();
  try {
    return { kind: "value", value: fn(...args.map(copyPlain)) };
  } catch (error) {
    return { kind: "error", name: error instanceof Error ? error.name : "thrown" };
  }
}
