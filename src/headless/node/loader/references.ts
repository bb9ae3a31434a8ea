// Finds what a module's code says about names from outside a function: which identifiers refer to imports (scopes and
// shadowing respected), where `import()` and `import.meta` stand, whether `await` stands at the top level, and which
// names are assigned to. Reads trees with parentheses in them (acorn's `preserveParens`).

/** A node of acorn's tree (ESTree), read loosely: the walk cares for a dozen of its seventy types. */
export interface Ast {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Reference {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  /** `{ name }`: the key has to stay. */
  readonly shorthand: boolean;
  /** The thing called or the tag of a template: must not receive `this`. */
  readonly called: boolean;
  /** First token of a statement in a list of statements, where an opening parenthesis would join the line before. */
  readonly startsStatement: boolean;
}

export interface ModuleFacts {
  readonly references: readonly Reference[];
  /** Start offsets of the `import` of `import(…)`. */
  readonly dynamicImports: readonly number[];
  readonly metas: readonly { start: number; end: number }[];
  readonly topLevelAwait: boolean;
  /** `for await` or `await using` there: awaits that are no expression. */
  readonly awaitsInStatements: boolean;
  /** Where the code given to a direct `eval` starts. */
  readonly evals: readonly { readonly start: number; readonly end: number }[];
  /** Names that something assigns to, whatever they are declared as; "eval" when code unknown here may do so too. */
  readonly assigned: ReadonlySet<string>;
}

export function isNode(value: unknown): value is Ast {
  return typeof value === "object" && value !== null && typeof (value as Ast).type === "string";
}

/** Calls `visit` for every node right below. No list is made: this is most of what reading a module costs. */
export function eachChild(node: Ast, visit: (child: Ast) => void): void {
  for (const key in node) {
    const value = node[key];
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) {
      if (isNode(value)) visit(value);
      continue;
    }
    for (const item of value as unknown[]) if (isNode(item)) visit(item);
  }
}

export function children(node: Ast): Ast[] {
  const found: Ast[] = [];
  eachChild(node, (child) => void found.push(child));
  return found;
}

/** Names bound by a pattern: `{ a, b: [c = 1, ...d] }` binds a, c, d. */
export function boundNames(pattern: Ast | null | undefined): string[] {
  if (!pattern) return [];
  switch (pattern.type) {
    case "Identifier":
      return [pattern["name"] as string];
    case "ObjectPattern":
      return (pattern["properties"] as Ast[]).flatMap((p) => boundNames((p.type === "RestElement" ? p["argument"] : p["value"]) as Ast));
    case "ArrayPattern":
      return (pattern["elements"] as (Ast | null)[]).flatMap(boundNames);
    case "AssignmentPattern":
      return boundNames(pattern["left"] as Ast);
    case "RestElement":
      return boundNames(pattern["argument"] as Ast);
    case "ParenthesizedExpression":
      return boundNames(pattern["expression"] as Ast);
    default:
      return [];
  }
}

export function declaredNames(declaration: Ast): string[] {
  if (declaration.type === "VariableDeclaration") return (declaration["declarations"] as Ast[]).flatMap((d) => boundNames(d["id"] as Ast));
  return boundNames(declaration["id"] as Ast | null);
}

export const isFunction = ({ type }: Ast): boolean => type === "FunctionDeclaration" || type === "FunctionExpression" || type === "ArrowFunctionExpression";
const isLexical = (node: Ast): boolean =>
  node.type === "ClassDeclaration" || node.type === "FunctionDeclaration" || (node.type === "VariableDeclaration" && node["kind"] !== "var");

function varNames(node: Ast): string[] {
  if (node.type === "VariableDeclaration" && node["kind"] === "var") return [...declaredNames(node), ...children(node).flatMap(varNames)];
  if (isFunction(node) || node.type === "StaticBlock" || node.type === "PropertyDefinition") return [];
  return children(node).flatMap(varNames);
}

function lexicalNames(statements: readonly Ast[]): string[] {
  return statements.filter(isLexical).flatMap(declaredNames);
}

/** Names that a node declares for everything inside it. */
function namesInside(node: Ast): string[] {
  switch (node.type) {
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression": {
      const body = node["body"] as Ast;
      const own = node.type === "FunctionExpression" ? boundNames(node["id"] as Ast | null) : [];
      return [...own, ...(node["params"] as Ast[]).flatMap(boundNames), ...varNames(body)];
    }
    case "ClassExpression":
    case "ClassDeclaration":
      return boundNames(node["id"] as Ast | null);
    case "BlockStatement":
      return lexicalNames(node["body"] as Ast[]);
    case "StaticBlock":
      return [...lexicalNames(node["body"] as Ast[]), ...(node["body"] as Ast[]).flatMap(varNames)];
    case "SwitchStatement":
      return (node["cases"] as Ast[]).flatMap((c) => lexicalNames(c["consequent"] as Ast[]));
    case "ForStatement":
      return isNode(node["init"]) && isLexical(node["init"]) ? declaredNames(node["init"]) : [];
    case "ForInStatement":
    case "ForOfStatement":
      return isLexical(node["left"] as Ast) ? declaredNames(node["left"] as Ast) : [];
    case "CatchClause":
      return boundNames(node["param"] as Ast | null);
    default:
      return [];
  }
}

/** `imported`: the local names of the module's imports. Statements of kind import and export-from are not entered. */
export function readModule(program: Ast, imported: ReadonlySet<string>): ModuleFacts {
  const references: Reference[] = [];
  const dynamicImports: number[] = [];
  const metas: { start: number; end: number }[] = [];
  const evals: Ast[] = [];
  const statementStarts = new Set<number>();
  const assigned = new Set<string>();
  let topLevelAwait = false;
  let awaitsInStatements = false;
  const assign = (target: unknown): void => {
    if (isNode(target)) for (const name of boundNames(target)) assigned.add(name);
  };

  const refer = (node: Ast, hidden: ReadonlySet<string>, shorthand: boolean, called: boolean): void => {
    const name = node["name"] as string;
    if (!imported.has(name) || hidden.has(name)) return;
    references.push({ name, start: node.start, end: node.end, shorthand, called, startsStatement: statementStarts.has(node.start) });
  };

  const into = (child: unknown, hidden: ReadonlySet<string>, insideFunction: boolean): void => {
    if (isNode(child)) visit(child, hidden, insideFunction);
  };

  const visit = (node: Ast, hidden: ReadonlySet<string>, insideFunction: boolean): void => {
    const names = imported.size === 0 ? [] : namesInside(node).filter((name) => imported.has(name));
    const inner = names.length > 0 ? new Set([...hidden, ...names]) : hidden;
    const deeper = insideFunction || isFunction(node) || node.type === "PropertyDefinition" || node.type === "StaticBlock";
    switch (node.type) {
      case "ImportDeclaration":
      case "ExportAllDeclaration":
      case "BreakStatement":
      case "ContinueStatement":
        return;
      case "ExportNamedDeclaration":
        into(node["declaration"], inner, deeper);
        return;
      case "Identifier":
        refer(node, inner, false, false);
        return;
      case "MetaProperty":
        if ((node["meta"] as Ast)["name"] === "import") metas.push({ start: node.start, end: node.end });
        return;
      case "ImportExpression":
        dynamicImports.push(node.start);
        break;
      case "AwaitExpression":
        if (!insideFunction) topLevelAwait = true;
        break;
      case "ForInStatement":
      case "ForOfStatement":
        if (node["await"] === true && !insideFunction) awaitsInStatements = true;
        assign(node["left"]);
        break;
      case "AssignmentExpression":
        assign(node["left"]);
        break;
      case "UpdateExpression":
        assign(node["argument"]);
        break;
      case "VariableDeclaration":
        if (node["kind"] === "await using" && !insideFunction) awaitsInStatements = true;
        break;
      case "LabeledStatement":
        into(node["body"], inner, deeper);
        return;
      case "MemberExpression":
        into(node["object"], inner, deeper);
        if (node["computed"] === true) into(node["property"], inner, deeper);
        return;
      case "Property": {
        const value = node["value"] as Ast;
        if (node["shorthand"] === true && value.type === "Identifier") refer(value, inner, true, false);
        else {
          if (node["computed"] === true) into(node["key"], inner, deeper);
          into(value, inner, deeper);
        }
        return;
      }
      case "MethodDefinition":
      case "PropertyDefinition":
        // A computed key is evaluated outside the member; the walk's `deeper` matters for await only, which is rare there.
        if (node["computed"] === true) into(node["key"], inner, deeper);
        into(node["value"], inner, deeper);
        return;
      case "CallExpression":
      case "TaggedTemplateExpression": {
        const key = node.type === "CallExpression" ? "callee" : "tag";
        const target = node[key] as Ast;
        const bare = withoutParentheses(target);
        if (bare.type === "Identifier") {
          refer(bare, inner, false, true);
          if (bare["name"] === "eval") {
            assigned.add("eval");
            const [code] = (node["arguments"] ?? []) as Ast[];
            if (code && code.type !== "SpreadElement" && code.type !== "AwaitExpression") evals.push(code);
          }
        } else into(target, inner, deeper);
        for (const child of children(node)) if (child !== target) visit(child, inner, deeper);
        return;
      }
      case "Program":
      case "BlockStatement":
      case "StaticBlock":
        for (const statement of node["body"] as Ast[]) statementStarts.add(statement.start);
        break;
      case "SwitchCase":
        for (const statement of node["consequent"] as Ast[]) statementStarts.add(statement.start);
        break;
      default:
    }
    for (const child of children(node)) visit(child, inner, deeper);
  };
  visit(program, new Set(), false);
  return { references, dynamicImports, metas, topLevelAwait: topLevelAwait || awaitsInStatements, awaitsInStatements, evals, assigned };
}

function withoutParentheses(node: Ast): Ast {
  let inner = node;
  while (inner.type === "ParenthesizedExpression") inner = inner["expression"] as Ast;
  return inner;
}
