// One-line bugs: AST operators that change one place of a function so that it still parses.
// Preferred are bugs whose right form follows from the rest of the code, the name and a failing test.
import { type Node, parseModule, walk } from "./program.ts";
import type { Random } from "./random.ts";

export type MutationKind =
  | "comparison"
  | "equality"
  | "arithmetic"
  | "logical"
  | "assignment"
  | "update"
  | "constant"
  | "boundary"
  | "method"
  | "negation"
  | "boolean"
  | "text"
  | "order"
  | "jump"
  | "variable";

/** Replace `[start, end)` of the source with `text`. */
export interface Mutation {
  readonly kind: MutationKind;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const WEIGHTS: Readonly<Record<MutationKind, number>> = {
  comparison: 3,
  equality: 3,
  arithmetic: 3,
  logical: 3,
  assignment: 3,
  update: 2,
  constant: 2,
  boundary: 2.5,
  method: 3,
  negation: 3,
  boolean: 3,
  text: 2,
  order: 1.5,
  jump: 2,
  variable: 0.14,
};

const OPERATORS: Readonly<Record<string, readonly [MutationKind, ...string[]]>> = {
  "<": ["comparison", "<=", ">"],
  ">": ["comparison", ">=", "<"],
  "<=": ["comparison", "<", ">="],
  ">=": ["comparison", ">", "<="],
  "===": ["equality", "!=="],
  "!==": ["equality", "==="],
  "+": ["arithmetic", "-", "*"],
  "-": ["arithmetic", "+"],
  "*": ["arithmetic", "+", "/"],
  "/": ["arithmetic", "*", "%"],
  "%": ["arithmetic", "/", "*"],
  "**": ["arithmetic", "*"],
  "&&": ["logical", "||"],
  "||": ["logical", "&&"],
  "??": ["logical", "&&"],
  "+=": ["assignment", "-=", "="],
  "-=": ["assignment", "+="],
  "*=": ["assignment", "+=", "="],
};

const METHODS: Readonly<Record<string, readonly string[]>> = {
  push: ["unshift"],
  unshift: ["push"],
  max: ["min"],
  min: ["max"],
  floor: ["ceil", "round"],
  ceil: ["floor", "round"],
  abs: ["floor"],
  slice: ["splice"],
  some: ["every"],
  every: ["some"],
  filter: ["map", "find"],
  map: ["filter"],
  find: ["filter"],
  startsWith: ["endsWith", "includes"],
  endsWith: ["startsWith", "includes"],
  includes: ["startsWith", "indexOf"],
  indexOf: ["lastIndexOf"],
  lastIndexOf: ["indexOf"],
  toUpperCase: ["toLowerCase"],
  toLowerCase: ["toUpperCase"],
  padStart: ["padEnd"],
  padEnd: ["padStart"],
  replaceAll: ["replace"],
  reverse: ["sort"],
};

/** Texts whose right form is plain from the name or the code around. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  "": [" "],
  " ": [""],
  ",": ["-", ""],
  "-": ["_", ""],
  "_": ["-"],
  ", ": [","],
  "yes": ["no"],
  "no": ["yes"],
  "on": ["off"],
  "off": ["on"],
  "pass": ["fail"],
  "fail": ["pass"],
  "Fizz": ["Buzz"],
  "Buzz": ["Fizz"],
  "s": [""],
};

/** Numbers that code of this kind uses with an evident meaning. */
const EVIDENT = new Set([0, 1, 2, 3, 5, 9, 10, 15, 32, 60, 100]);

/** All places and ways to break `source`, inside the function named `name` only. */
export function mutations(source: string, name: string): Mutation[] {
  const found: Mutation[] = [];
  const push = (kind: MutationKind, start: number, end: number, text: string): void => {
    found.push({ kind, start, end, text });
  };
  const program = parseModule(source);
  const variables = new Set<string>();
  const declared = new Set<number>();
  walk(program, (node, parent) => {
    if (node.type !== "Identifier" || !parent) return;
    const declares =
      (parent.type === "VariableDeclarator" && parent["id"] === node) ||
      parent.type === "ArrayPattern" ||
      (/Function/.test(parent.type) && (parent["params"] as Node[]).includes(node));
    if (!declares) return;
    declared.add(node.start);
    if (node["name"] !== name) variables.add(node["name"] as string);
  });
  walk(program, (node, parent) => {
    operatorMutations(node, source, push);
    literalMutations(node, parent, name, push);
    shapeMutations(node, parent, source, push);
    if (isUse(node, parent, declared, variables)) {
      for (const other of variables) if (other !== node["name"]) push("variable", node.start, node.end, other);
    }
  });
  return found;
}

type Push = (kind: MutationKind, start: number, end: number, text: string) => void;

function operatorMutations(node: Node, source: string, push: Push): void {
  const operator = node["operator"] as string | undefined;
  if (node.type === "BinaryExpression" || node.type === "LogicalExpression" || node.type === "AssignmentExpression") {
    const left = node["left"] as Node;
    const right = node["right"] as Node;
    const [kind, ...others] = OPERATORS[operator!] ?? [];
    if (!kind) return;
    // The operator stands between the operands, brackets aside.
    const at = source.indexOf(operator!, left.end);
    if (at < 0 || at >= right.start) return;
    const isText = operator === "+" && /["`]/.test(source.slice(node.start, node.end));
    if (isText) return;
    for (const other of others) push(kind, at, at + operator!.length, other);
  } else if (node.type === "UpdateExpression") {
    const at = node["prefix"] ? node.start : node.end - 2;
    push("update", at, at + 2, operator === "++" ? "--" : "++");
  } else if (node.type === "UnaryExpression" && operator === "!") {
    push("negation", node.start, (node["argument"] as Node).start, "");
  } else if (node.type === "UnaryExpression" && operator === "-" && (node["argument"] as Node).type !== "Literal") {
    push("negation", node.start, (node["argument"] as Node).start, "");
  }
}

function literalMutations(node: Node, parent: Node | undefined, name: string, push: Push): void {
  if (node.type !== "Literal" || parent?.type === "ImportDeclaration") return;
  const value = node["value"];
  if (typeof value === "number") {
    const named = value > 1 && name.includes(String(value));
    if (!EVIDENT.has(value) && !named) return;
    push("constant", node.start, node.end, String(value + 1));
    if (value > 0) push("constant", node.start, node.end, String(value - 1));
  } else if (typeof value === "boolean") {
    push("boolean", node.start, node.end, String(!value));
  } else if (typeof value === "string") {
    for (const other of TEXTS[value] ?? []) push("text", node.start, node.end, JSON.stringify(other));
  }
}

function shapeMutations(node: Node, parent: Node | undefined, source: string, push: Push): void {
  if (node.type === "MemberExpression" && !node["computed"]) {
    const property = node["property"] as Node;
    const name = property["name"] as string;
    const isCall = parent?.type === "CallExpression" && parent["callee"] === node;
    if (isCall) for (const other of METHODS[name] ?? []) push("method", property.start, property.end, other);
    if (name === "length" && parent?.type === "BinaryExpression") boundaryMutations(node, parent, push);
    if (name === "Infinity") return;
  } else if (node.type === "CallExpression") {
    const [first, second, third] = node["arguments"] as Node[];
    if (first && second && !third && ![first, second].some((one) => /Function|Spread/.test(one.type))) {
      const text = (one: Node): string => source.slice(one.start, one.end);
      push("order", first.start, second.end, `${text(second)}, ${text(first)}`);
    }
  } else if (node.type === "ContinueStatement") {
    push("jump", node.start, node.end, "break;");
  } else if (node.type === "BreakStatement") {
    push("jump", node.start, node.end, "continue;");
  }
  if (node.type === "IfStatement" || node.type === "ConditionalExpression") addNegation(node["test"] as Node, push);
  if (node.type === "ArrowFunctionExpression") addNegation(node["body"] as Node, push);
}

/** `list.length - 1` loses its `- 1`; `i < list.length` gains one. */
function boundaryMutations(length: Node, parent: Node, push: Push): void {
  const right = parent["right"] as Node;
  if (parent["operator"] === "-" && parent["left"] === length && right["value"] === 1) push("boundary", length.end, right.end, "");
  else if (right === length && (parent["operator"] === "<" || parent["operator"] === "<=")) push("boundary", length.end, length.end, " - 1");
}

/** A condition that is a bare call or field gets a `!`. */
function addNegation(test: Node, push: Push): void {
  if (test.type === "MemberExpression" || (test.type === "CallExpression" && /includes|startsWith|endsWith/.test(calleeName(test)))) {
    push("negation", test.start, test.start, "!");
  }
}

function calleeName(call: Node): string {
  const callee = call["callee"] as Node;
  const property = callee["property"] as Node | undefined;
  return (property?.["name"] as string | undefined) ?? "";
}

function isUse(node: Node, parent: Node | undefined, declared: ReadonlySet<number>, variables: ReadonlySet<string>): boolean {
  if (node.type !== "Identifier" || declared.has(node.start) || !variables.has(node["name"] as string)) return false;
  const isProperty = parent?.type === "MemberExpression" && parent["property"] === node && !parent["computed"];
  return !isProperty && parent?.type !== "Property" && parent?.type !== "ExportSpecifier";
}

/** One mutation, kinds weighted, each kind as likely however many places it has. Undefined if there is none. */
export function pickMutation(all: readonly Mutation[], random: Random): Mutation | undefined {
  const kinds = [...new Set(all.map((mutation) => mutation.kind))];
  if (kinds.length === 0) return undefined;
  const kind = random.weighted(kinds, (one) => WEIGHTS[one]);
  return random.pick(all.filter((mutation) => mutation.kind === kind));
}

/** The broken text. */
export function applyMutation(source: string, mutation: Mutation): string {
  return source.slice(0, mutation.start) + mutation.text + source.slice(mutation.end);
}
