// A script's text as it can run in the frame: what it says about `location` is said about ours, and a module's imports
// are left open for the addresses that their modules will have there.
import { parse } from "acorn";
import { Edits } from "../../node/loader/edits.ts";
import { type Ast, boundNames, declaredNames, readModule } from "../../node/loader/references.ts";
import { REALM } from "./location.ts";

/** One `from "…"` of a module. */
export interface ImportPlace {
  readonly specifier: string;
  /** Of the string, quotes included. */
  readonly start: number;
  readonly end: number;
  /** `type` of the import's attributes: "json", "css". */
  readonly type: string | undefined;
  /** `export * from`. */
  readonly all: boolean;
}

export interface ModuleText {
  readonly imports: readonly ImportPlace[];
  /** Names it exports by itself, `default` included. */
  readonly exports: readonly string[];
  /** Exported names of functions that are there before it runs. */
  readonly hoisted: readonly (readonly [exported: string, local: string])[];
  /** The text with these addresses in place of its specifiers. */
  with(addresses: readonly string[]): string;
}

const GLOBALS = ["window", "self", "globalThis", "document"];

/** A classic script; what cannot be parsed goes to the browser, which says why. */
export function classicScript(source: string): string {
  if (!/\blocation\b|\bimport\b/.test(source)) return source;
  try {
    const program = parse(source, { ecmaVersion: "latest", sourceType: "script", allowHashBang: true, preserveParens: true }) as unknown as Ast;
    const edits = new Edits(source);
    placeFacts(program, source, edits, document.baseURI);
    return edits.apply().code;
  } catch (error) {
    if (error instanceof SyntaxError) return source;
    throw error;
  }
}

/** A module at `url`. Throws SyntaxError. */
export function moduleText(source: string, url: string): ModuleText {
  const program = parse(source, { ecmaVersion: "latest", sourceType: "module", preserveParens: true }) as unknown as Ast;
  const imports: ImportPlace[] = [];
  const exports: string[] = [];
  const hoisted: [string, string][] = [];
  const functions = new Set<string>();
  const nameOf = (node: Ast): string => String(node["name"] ?? node["value"]);
  for (const node of program["body"] as Ast[]) {
    if (node.type === "FunctionDeclaration") for (const name of declaredNames(node)) functions.add(name);
    const from = node["source"] as Ast | null | undefined;
    if (from) {
      const attribute = ((node["attributes"] as Ast[] | undefined) ?? []).find(({ key }) => nameOf(key as Ast) === "type");
      imports.push({ specifier: String(from["value"]), start: from.start, end: from.end, type: attribute && String((attribute["value"] as Ast)["value"]), all: node.type === "ExportAllDeclaration" && !node["exported"] });
    }
    if (node.type === "ExportAllDeclaration" && node["exported"]) exports.push(nameOf(node["exported"] as Ast));
    if (node.type === "ExportDefaultDeclaration") exports.push("default");
    if (node.type !== "ExportNamedDeclaration") continue;
    const declaration = node["declaration"] as Ast | null;
    const declared = declaration ? declaredNames(declaration) : [];
    exports.push(...declared);
    if (declaration?.type === "FunctionDeclaration") hoisted.push(...declared.map((name) => [name, name] as [string, string]));
    for (const specifier of node["specifiers"] as Ast[]) exports.push(nameOf(specifier["exported"] as Ast));
  }
  for (const node of program["body"] as Ast[]) {
    if (node.type !== "ExportNamedDeclaration" || node["source"]) continue;
    for (const specifier of node["specifiers"] as Ast[]) {
      const local = nameOf(specifier["local"] as Ast);
      if (functions.has(local)) hoisted.push([nameOf(specifier["exported"] as Ast), local]);
    }
  }
  return {
    imports, exports, hoisted,
    with(addresses) {
      const edits = new Edits(source);
      placeFacts(program, source, edits, url);
      imports.forEach(({ start, end }, i) => edits.replace(start, end, JSON.stringify(addresses[i])));
      return edits.apply().code;
    },
  };
}

/** `location`, `window.location` and the like, `import()`, `import.meta`. */
function placeFacts(program: Ast, source: string, edits: Edits, url: string): void {
  const own = new Set((program["body"] as Ast[]).flatMap(topLevelNames));
  const { references, dynamicImports, metas } = readModule(program, new Set(["location", ...GLOBALS].filter((name) => !own.has(name))));
  for (const { name, start, end, shorthand } of references) {
    if (name === "location") edits.replace(start, end, shorthand ? `location: ${REALM}.location` : `${REALM}.location`);
    else {
      const member = /^\s*\??\.\s*location\b/.exec(source.slice(end, end + 200));
      if (member) edits.replace(start, end + member[0].length, `${REALM}.location`);
    }
  }
  for (const start of dynamicImports) edits.replace(start, start + "import".length, `${REALM}.importFrom(${JSON.stringify(url)})`);
  for (const { start, end } of metas) edits.replace(start, end, `${REALM}.meta(${JSON.stringify(url)})`);
}

function topLevelNames(node: Ast): string[] {
  switch (node.type) {
    case "ImportDeclaration":
      return (node["specifiers"] as Ast[]).flatMap((specifier) => boundNames(specifier["local"] as Ast));
    case "ExportNamedDeclaration":
    case "ExportDefaultDeclaration":
      return node["declaration"] ? topLevelNames(node["declaration"] as Ast) : [];
    case "FunctionDeclaration":
    case "ClassDeclaration":
    case "VariableDeclaration":
      return declaredNames(node);
    default:
      return [];
  }
}
