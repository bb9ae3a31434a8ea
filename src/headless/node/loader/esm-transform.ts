// An ES module as a function that first publishes getters for its exports and then runs the body. In a cycle the two are
// apart: a generator publishes while the graph is linked (functions are hoisted by then), and `await` at the top level
// becomes `yield`, so that its body starts in step with its siblings; only `for await` there needs an async generator.
// An import that can no longer change when the body starts is a constant with its own name, so that errors, traces and
// `toString` read as written. The others (of a module in the same cycle, or assigned to by their module) become property
// reads: live bindings. Lines stay where they are.
import { factsOf } from "../../known-code.ts";
import { NAMES } from "./code-names.ts";
import { parse as parseCode } from "../later/parser.ts";
import { HELD_DECLARATION, SCOPE_PARAMETERS, keepScopes, mayAwait } from "./async-scope.ts";
import { type EditData, Edits, type Rewritten } from "./edits.ts";
import { redirectImports } from "./rewrite-imports.ts";
import { type Ast, type Reference, boundNames, declaredNames, readModule } from "./references.ts";

export interface ImportRequest {
  readonly specifier: string;
  /** `with { type: "json" }`, in the order written; undefined when there are none. */
  readonly attributes: Readonly<Record<string, string>> | undefined;
  /** Names asked for, with the place of each in the source, for the error when one is missing. */
  readonly names: readonly { readonly name: string; readonly offset: number }[];
  readonly offset: number;
}

export type ExportEntry =
  /** A binding of this module. */
  | { readonly kind: "local"; readonly name: string; readonly local: string }
  /** A binding of another: `export { a as b } from`, or an imported name exported again. `imported` "*" is its namespace. */
  | { readonly kind: "from"; readonly name: string; readonly request: number; readonly imported: string }
  | { readonly kind: "star"; readonly request: number };

export interface ImportBinding {
  readonly request: number;
  /** "*" for the namespace itself. */
  readonly imported: string;
}

/** What a module asks of others and offers them: all that linking needs. */
export interface ModuleShape {
  readonly source: string;
  readonly requests: readonly ImportRequest[];
  readonly exports: readonly ExportEntry[];
  /** By local name. */
  readonly bindings: ReadonlyMap<string, ImportBinding>;
  readonly topLevelAwait: boolean;
  /** Whether the module may assign to one of its bindings after its body has run. */
  readonly reassigns: (local: string) => boolean;
  /** The way to code, once it is known whether it is in a cycle and which imports are live. */
  readonly write: (inCycle: boolean, isLive: (local: string) => boolean) => ModuleCode;
}

export interface ModuleCode {
  /** `function (parameters…) {` body `}`, one line longer than the source at its end; a generator in a cycle. */
  readonly code: string;
  readonly columnBefore: (line: number, column: number) => number;
  /** The part of it that was written, without what stands around it. */
  readonly rewritten: Rewritten;
}

/** What the generator function is called with, in this order; both bags of imports are keyed by local name. */
const PARAMETERS = [NAMES.publish, NAMES.import, NAMES.meta, NAMES.live, NAMES.fixed, ...SCOPE_PARAMETERS];

const nameOf = (node: Ast): string => (node.type === "Literal" ? String(node["value"]) : (node["name"] as string));

/** The last one: a module whose text decides its kind is parsed for that first. */
let last: { source: string; program: Ast } | undefined;

export function parseModule(source: string): Ast {
  if (last?.source !== source) last = { source, program: parse(source) };
  return last.program;
}

function parse(source: string): Ast {
  return parseCode(source, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true, preserveParens: true }) as unknown as Ast;
}

/** What a module's text says, as plain data. */
interface ModuleData extends Pick<ModuleShape, "requests" | "exports" | "topLevelAwait"> {
  readonly bindings: readonly (readonly [local: string, binding: ImportBinding])[];
  readonly assigned: readonly string[];
  readonly awaitsInStatements: boolean;
  /** All but what is done to references of live imports. */
  readonly edits: EditData;
  /** In a cycle, where that makes a difference. */
  readonly cycleEdits: EditData | null;
  readonly references: readonly Reference[];
}

/** Throws acorn's SyntaxError. */
export function shapeOf(source: string): ModuleShape {
  const data = factsOf("module", source, () => readData(source, parseModule(source)));
  const bindings = new Map(data.bindings);
  const assigned = new Set(data.assigned);
  const reassigns = (local: string): boolean => assigned.has(local) || assigned.has("eval");
  return {
    source, requests: data.requests, exports: data.exports, bindings, topLevelAwait: data.topLevelAwait, reassigns,
    write: (inCycle, isLive) => writeModule(source, data, [...bindings.keys()], inCycle, (local) => isLive(local) || reassigns(local)),
  };
}

function readData(source: string, program: Ast): ModuleData {
  const requests: (ImportRequest & { names: { name: string; offset: number }[] })[] = [];
  const bindings = new Map<string, ImportBinding>();
  const exported: ExportEntry[] = [];
  const body = program["body"] as Ast[];

  const request = (node: Ast): number => {
    const specifier = (node["source"] as Ast)["value"] as string;
    const attributes = attributesOf(node);
    const shown = JSON.stringify(attributes);
    const known = requests.findIndex((r) => r.specifier === specifier && JSON.stringify(r.attributes) === shown);
    if (known >= 0) return known;
    requests.push({ specifier, attributes, names: [], offset: (node["source"] as Ast).start });
    return requests.length - 1;
  };

  // In the order of the text, since modules run in the order in which they are named.
  for (const node of body) {
    if (node.type !== "ImportDeclaration") {
      if (/^Export(All|Named)Declaration$/.test(node.type) && node["source"]) request(node);
      continue;
    }
    const k = request(node);
    for (const specifier of node["specifiers"] as Ast[]) {
      const imported = specifier.type === "ImportDefaultSpecifier" ? "default" : specifier.type === "ImportNamespaceSpecifier" ? "*" : nameOf(specifier["imported"] as Ast);
      bindings.set((specifier["local"] as Ast)["name"] as string, { request: k, imported });
      if (imported !== "*") requests[k]?.names.push({ name: imported, offset: specifier.start });
    }
  }
  const facts = readModule(program, new Set(bindings.keys()));
  const noEdits = new Edits(source);
  for (const node of body) {
    exported.push(...transformExport(node, source, noEdits, request, bindings));
    if (node.type !== "ExportNamedDeclaration" || !node["source"]) continue;
    for (const specifier of node["specifiers"] as Ast[]) requests[request(node)]?.names.push({ name: nameOf(specifier["local"] as Ast), offset: specifier.start });
  }
  const written = (inCycle: boolean): EditData => {
    const edits = new Edits(source);
    for (const node of body) if (node.type === "ImportDeclaration") edits.replace(node.start, node.end, "");
    // Before what exports insert: the end of an awaited default export closes first.
    if (mayAwait(source)) keepScopes(program, edits, facts.topLevelAwait ? (inCycle && !facts.awaitsInStatements ? "yield" : "await") : undefined);
    for (const node of body) transformExport(node, source, edits, request, bindings);
    redirectImports(edits, facts, NAMES.import);
    for (const meta of facts.metas) edits.replace(meta.start, meta.end, NAMES.meta);
    if (source.startsWith("#!")) edits.replace(0, 2, "//");
    return edits.data;
  };
  const { topLevelAwait, awaitsInStatements, references } = facts;
  return {
    requests, exports: exported, bindings: [...bindings], assigned: [...facts.assigned], topLevelAwait, awaitsInStatements, references,
    edits: written(false), cycleEdits: topLevelAwait && !awaitsInStatements ? written(true) : null,
  };
}

function attributesOf(node: Ast): Record<string, string> | undefined {
  const attributes = (node["attributes"] ?? []) as Ast[];
  if (attributes.length === 0) return undefined;
  return Object.fromEntries(attributes.map((a) => [nameOf(a["key"] as Ast), (a["value"] as Ast)["value"] as string]));
}

function writeModule(source: string, facts: ModuleData, imports: readonly string[], inCycle: boolean, isLive: (local: string) => boolean): ModuleCode {
  const edits = Edits.of(source, (inCycle ? facts.cycleEdits : null) ?? facts.edits);
  const live = new Set(imports.filter(isLive));
  for (const reference of facts.references) {
    if (!live.has(reference.name)) continue;
    const path = `${NAMES.live}.${reference.name}`;
    const called = reference.called ? `${reference.startsStatement ? ";" : ""}(0,${path})` : path;
    edits.replace(reference.start, reference.end, reference.shorthand ? `${reference.name}: ${path}` : called, reference.called);
  }

  const getters = facts.exports.filter((e) => e.kind === "local").map((e) => `${JSON.stringify(e.name)}: () => ${e.local}`);
  const fixed = imports.filter((name) => !live.has(name));
  const constants = fixed.length > 0 ? `const { ${fixed.join(", ")} } = ${NAMES.fixed}; ` : "";
  const held = facts.topLevelAwait ? `${HELD_DECLARATION} ` : "";
  const kind = inCycle ? `${facts.awaitsInStatements ? "async " : ""}function*` : `${facts.topLevelAwait ? "async " : ""}function`;
  const prelude = `(${kind} (${PARAMETERS.join(", ")}) { "use strict"; ${held}${NAMES.publish}({ ${getters.join(", ")} }); ${inCycle ? "yield; " : ""}${constants}`;
  const rewritten = edits.apply();
  const { code, columnBefore } = rewritten;
  return { rewritten, code: `${prelude}${code}\n})`, columnBefore: (line, column) => columnBefore(line, line === 1 ? column - prelude.length : column) };
}

function transformExport(
  node: Ast, source: string, edits: Edits, request: (node: Ast) => number, bindings: ReadonlyMap<string, ImportBinding>,
): ExportEntry[] {
  if (node.type === "ExportAllDeclaration") {
    const k = request(node);
    edits.replace(node.start, node.end, "");
    const as = node["exported"] as Ast | null;
    return [as ? { kind: "from", name: nameOf(as), request: k, imported: "*" } : { kind: "star", request: k }];
  }
  if (node.type === "ExportDefaultDeclaration") return [transformDefault(node, source, edits)];
  if (node.type !== "ExportNamedDeclaration") return [];
  const declaration = node["declaration"] as Ast | null;
  if (declaration) {
    edits.replace(node.start, declaration.start, "");
    return declaredNames(declaration).map((name) => ({ kind: "local", name, local: name }));
  }
  const k = node["source"] ? request(node) : -1;
  edits.replace(node.start, node.end, "");
  return (node["specifiers"] as Ast[]).map((specifier): ExportEntry => {
    const name = nameOf(specifier["exported"] as Ast);
    const local = nameOf(specifier["local"] as Ast);
    if (k >= 0) return { kind: "from", name, request: k, imported: local };
    const binding = bindings.get(local);
    return binding ? { kind: "from", name, request: binding.request, imported: binding.imported } : { kind: "local", name, local };
  });
}

function transformDefault(node: Ast, source: string, edits: Edits): ExportEntry {
  const declaration = node["declaration"] as Ast;
  const local = boundNames((declaration["id"] as Ast | null | undefined) ?? null)[0];
  const isDeclaration = declaration.type === "FunctionDeclaration" || declaration.type === "ClassDeclaration";
  if (isDeclaration && local) {
    edits.replace(node.start, declaration.start, "");
    return { kind: "local", name: "default", local };
  }
  if (declaration.type === "FunctionDeclaration") {
    // Hoisted, so it needs a name; the name that programs see is put right when the body starts.
    edits.replace(node.start, declaration.start, `Object.defineProperty(${NAMES.default}, "name", { value: "default", configurable: true });`);
    edits.insert(source.indexOf("(", declaration.start), ` ${NAMES.default}`);
    return { kind: "local", name: "default", local: NAMES.default };
  }
  const keyword = /^export\s+default/.exec(source.slice(node.start)) as RegExpExecArray;
  edits.replace(node.start, node.start + keyword[0].length, `const ${NAMES.default} = ({ default:`);
  const semicolon = source[node.end - 1] === ";" && node.end > declaration.end;
  edits.insert(semicolon ? node.end - 1 : node.end, `}).default${semicolon ? "" : ";"}`);
  return { kind: "local", name: "default", local: NAMES.default };
}
