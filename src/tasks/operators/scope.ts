// Which variables a place can see: names by the function, block or loop that declares them. Small and conservative:
// what it does not understand it does not offer.
import { child, children, isFunction, type Node, textOf } from "./syntax.ts";

export interface Variable {
  readonly name: string;
  /** Where its name stands in its declaration. */
  readonly at: number;
  readonly kind: "parameter" | "let" | "const" | "var" | "other";
}

export interface Scope {
  readonly node: Node;
  readonly parent: Scope | undefined;
  readonly variables: Map<string, Variable>;
  /** The innermost function around, itself included; undefined at the top. */
  readonly fn: Node | undefined;
}

/** A node on the way down: its parents, nearest last, and the scope it stands in. */
export interface Place {
  readonly node: Node;
  readonly parents: readonly Node[];
  readonly scope: Scope;
}

const OPENS = /^(BlockStatement|StaticBlock|ForStatement|ForOfStatement|ForInStatement|CatchClause|SwitchStatement|Program)$/;
/** Types, and declarations of types alone: nothing there runs. */
const TYPE_ONLY = /^TS(?!AsExpression|NonNullExpression|SatisfiesExpression|TypeAssertion|ParameterProperty|ModuleDeclaration|ModuleBlock|ExportAssignment|Instantiation|Enum)/;

/** Every node that runs, parents first, each with the scope it stands in. */
export function places(program: Node): Place[] {
  const found: Place[] = [];
  const visit = (node: Node, parents: readonly Node[], outer: Scope | undefined): void => {
    if (TYPE_ONLY.test(node.type) || node["declare"] === true || node["importKind"] === "type" || node["exportKind"] === "type") return;
    const opens = OPENS.test(node.type) || isFunction(node);
    const scope: Scope = opens || !outer ? { node, parent: outer, variables: declaredIn(node, parents.at(-1)), fn: isFunction(node) ? node : outer?.fn } : outer;
    found.push({ node, parents, scope });
    const inner = [...parents, node];
    for (const key in node) {
      if (key === "loc" || key === "typeAnnotation" || key === "returnType" || key === "typeParameters" || key === "typeArguments") continue;
      const value = node[key];
      for (const item of Array.isArray(value) ? value : [value]) if (isNode(item)) visit(item, inner, scope);
    }
  };
  visit(program, [], undefined);
  return found;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string" && typeof (value as Node).start === "number";
}

function declaredIn(scope: Node, parent: Node | undefined): Map<string, Variable> {
  const variables = new Map<string, Variable>();
  const add = (pattern: Node | undefined, kind: Variable["kind"]): void => {
    for (const { name, at } of boundNames(pattern)) if (!variables.has(name)) variables.set(name, { name, at, kind });
  };
  if (isFunction(scope)) for (const parameter of children(scope, "params")) add(parameter, "parameter");
  if (scope.type === "CatchClause") add(child(scope, "param"), "parameter");
  const heads = [child(scope, "init"), child(scope, "left")];
  const statements = scope.type === "SwitchStatement" ? children(scope, "cases").flatMap((one) => children(one, "consequent")) : children(scope, "body");
  for (const statement of [...heads, ...statements]) {
    const declaration = statement?.type === "ExportNamedDeclaration" ? child(statement, "declaration") : statement;
    if (declaration?.type !== "VariableDeclaration") continue;
    for (const one of children(declaration, "declarations")) add(child(one, "id"), isFunction(child(one, "init")) ? "other" : (textOf(declaration, "kind") as Variable["kind"]));
  }
  if (parent && isFunction(parent) && scope.type === "BlockStatement") for (const parameter of children(parent, "params")) for (const { name } of boundNames(parameter)) variables.delete(name);
  return variables;
}

/** The names that a pattern binds, with their places. */
function boundNames(pattern: Node | undefined): { readonly name: string; readonly at: number }[] {
  switch (pattern?.type) {
    case "Identifier":
      return [{ name: textOf(pattern, "name"), at: pattern.start }];
    case "AssignmentPattern":
      return boundNames(child(pattern, "left"));
    case "RestElement":
      return boundNames(child(pattern, "argument"));
    case "TSParameterProperty":
      return boundNames(child(pattern, "parameter"));
    case "ArrayPattern":
      return children(pattern, "elements").flatMap(boundNames);
    case "ObjectPattern":
      return children(pattern, "properties").flatMap((one) => boundNames(one.type === "Property" ? child(one, "value") : one));
    default:
      return [];
  }
}

/** Variables and parameters that a place may read, the nearest first: of its own function and those around it, declared before it. */
export function visibleVariables({ node, scope }: Place): Variable[] {
  const found = new Map<string, Variable>();
  for (let at: Scope | undefined = scope; at && at.fn; at = at.parent) {
    for (const variable of at.variables.values()) if (variable.at < node.start && variable.kind !== "other" && !found.has(variable.name)) found.set(variable.name, variable);
  }
  return [...found.values()];
}

/** The scope that declares a name as seen from a place. */
export function declaringScope(name: string, scope: Scope): Scope | undefined {
  for (let at: Scope | undefined = scope; at; at = at.parent) if (at.variables.has(name)) return at;
  return undefined;
}

/** True for an identifier that reads or writes a variable: no property name, no key, no declaration, no label. */
export function isReference({ node, parents }: Place): boolean {
  const parent = parents.at(-1);
  if (node.type !== "Identifier" || !parent) return false;
  if (parent.type === "MemberExpression") return parent["object"] === node || parent["computed"] === true;
  if (parent.type === "Property") return parent["value"] === node && parent["shorthand"] !== true && parents.at(-2)?.type !== "ObjectPattern";
  if (/^(VariableDeclarator|AssignmentPattern)$/.test(parent.type)) return parent["init"] === node || parent["right"] === node;
  if (isFunction(parent)) return parent["body"] === node;
  return !/^(RestElement|ArrayPattern|CatchClause|MethodDefinition|PropertyDefinition|LabeledStatement|BreakStatement|ContinueStatement|Class.*|Import.*|Export.*|MetaProperty|JSX.*|TS(?!As|NonNull|Satisfies).*)$/.test(parent.type);
}

/** The name of the function around a place: its own, its variable's or its method's. Undefined at the top. */
export function functionName(parents: readonly Node[]): string | undefined {
  for (let i = parents.length - 1; i >= 0; i--) {
    const node = parents[i]!;
    if (!isFunction(node)) continue;
    const holder = parents[i - 1];
    const named = child(node, "id") ?? (holder?.type === "VariableDeclarator" ? child(holder, "id") : child(holder ?? node, "key"));
    if (named?.type === "Identifier" && named["name"] !== undefined) return textOf(named, "name");
  }
  return undefined;
}
