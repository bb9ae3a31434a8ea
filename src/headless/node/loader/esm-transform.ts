// An ES module as a generator function: the first `next()` publishes getters for its exports (functions are hoisted by
// then, so cycles work), the second runs the body. `await` at the top level becomes `yield`, so that a body starts in
// step with its siblings as the standard wants; only `for await` and `await using` there need an async generator.
// References to imports become property reads on the imported module's namespace: live bindings, as the standard wants.
// Lines stay where they are.
import { Parser } from "acorn";
import { Edits } from "./edits.ts";
import { type Ast, boundNames, declaredNames, readModule } from "./references.ts";

export interface ImportRequest {
  readonly specifier: string;
  /** `with { type: "json" }`; undefined when there are no attributes. */
  readonly type: string | undefined;
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

export interface TransformedModule {
  readonly requests: readonly ImportRequest[];
  readonly exports: readonly ExportEntry[];
  readonly topLevelAwait: boolean;
  /** `function* (imports…) {` body `}`, one line longer than the source at its end. */
  readonly code: string;
  readonly columnBefore: (line: number, column: number) => number;
}

/** Names the code uses for what the loader passes in; unlikely enough to collide with a program's own. */
export const NAMES = { import: "__tw_import", meta: "__tw_meta", publish: "__tw_export", default: "__tw_default", request: (k: number) => `__tw_${k}`, whole: (k: number) => `__tw_all_${k}` } as const;

const nameOf = (node: Ast): string => (node.type === "Literal" ? String(node["value"]) : (node["name"] as string));

interface Binding {
  readonly request: number;
  /** "*" for the namespace itself. */
  readonly imported: string;
}

export function parseModule(source: string): Ast {
  return Parser.parse(source, { ecmaVersion: "latest", sourceType: "module", allowHashBang: true }) as unknown as Ast;
}

/** `program` is `parseModule(source)`. */
export function transformModule(source: string, program: Ast): TransformedModule {
  const edits = new Edits(source);
  const requests: (ImportRequest & { names: { name: string; offset: number }[] })[] = [];
  const bindings = new Map<string, Binding>();
  const exported: ExportEntry[] = [];
  const body = program["body"] as Ast[];

  const request = (node: Ast): number => {
    const specifier = (node["source"] as Ast)["value"] as string;
    const attributes = (node["attributes"] ?? []) as Ast[];
    const type = attributes.find((a) => nameOf(a["key"] as Ast) === "type");
    const typeName = type ? ((type["value"] as Ast)["value"] as string) : undefined;
    const known = requests.findIndex((r) => r.specifier === specifier && r.type === typeName);
    if (known >= 0) return known;
    requests.push({ specifier, type: typeName, names: [], offset: (node["source"] as Ast).start });
    return requests.length - 1;
  };

  for (const node of body) {
    if (node.type !== "ImportDeclaration") continue;
    const k = request(node);
    for (const specifier of node["specifiers"] as Ast[]) {
      const imported = specifier.type === "ImportDefaultSpecifier" ? "default" : specifier.type === "ImportNamespaceSpecifier" ? "*" : nameOf(specifier["imported"] as Ast);
      bindings.set((specifier["local"] as Ast)["name"] as string, { request: k, imported });
      if (imported !== "*") requests[k]?.names.push({ name: imported, offset: specifier.start });
    }
    edits.replace(node.start, node.end, "");
  }
  const facts = readModule(program, new Set(bindings.keys()));
  // Before what exports insert: the end of an awaited default export closes first.
  if (!facts.awaitsInStatements) {
    for (const { start, end, startsStatement } of facts.awaits) {
      edits.replace(start, start + "await".length, startsStatement ? ";(yield" : "(yield");
      edits.insert(end, ")");
    }
  }
  for (const node of body) exported.push(...transformExport(node, source, edits, request, bindings, requests));

  for (const reference of facts.references) {
    const { request: k, imported } = bindings.get(reference.name) as Binding;
    const path = imported === "*" ? NAMES.whole(k) : `${NAMES.request(k)}${/^[\w$]+$/.test(imported) ? `.${imported}` : `[${JSON.stringify(imported)}]`}`;
    const called = reference.called && imported !== "*" ? `${reference.startsStatement ? ";" : ""}(0,${path})` : path;
    edits.replace(reference.start, reference.end, reference.shorthand ? `${reference.name}: ${path}` : called, reference.called);
  }
  for (const at of facts.dynamicImports) edits.replace(at, at + "import".length, NAMES.import);
  for (const meta of facts.metas) edits.replace(meta.start, meta.end, NAMES.meta);
  if (source.startsWith("#!")) edits.replace(0, 2, "//");

  const getters = exported.filter((e) => e.kind === "local").map((e) => `${JSON.stringify(e.name)}: () => ${e.local}`);
  const parameters = [NAMES.publish, NAMES.import, NAMES.meta, ...requests.flatMap((_, k) => [NAMES.request(k), NAMES.whole(k)])];
  const prelude = `(${facts.awaitsInStatements ? "async " : ""}function* (${parameters.join(", ")}) { "use strict"; ${NAMES.publish}({ ${getters.join(", ")} }); yield; `;
  const { code, columnBefore } = edits.apply();
  return {
    requests, exports: exported, topLevelAwait: facts.topLevelAwait,
    code: `${prelude}${code}\n})`,
    columnBefore: (line, column) => columnBefore(line, line === 1 ? column - prelude.length : column),
  };
}

function transformExport(
  node: Ast, source: string, edits: Edits, request: (node: Ast) => number, bindings: ReadonlyMap<string, Binding>,
  requests: readonly { readonly names: { name: string; offset: number }[] }[],
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
    if (k >= 0) {
      requests[k]?.names.push({ name: local, offset: specifier.start });
      return { kind: "from", name, request: k, imported: local };
    }
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
