// Operators on expressions: what is computed, compared and written down as a constant.
import type { Breaker, Splice } from "./mutant.ts";
import type { Place } from "./scope.ts";
import { child, children, isAtom, isFunction, isLoop, type Node, operatorPlace, textOf } from "./syntax.ts";

/** Other meanings of an operator. Neighbours of a comparison (`<` and `<=`) are off-by-one and not here. */
const FLIPS: Readonly<Record<string, readonly string[]>> = {
  "<": [">", ">="], ">": ["<", "<="], "<=": [">", ">="], ">=": ["<", "<="],
  "===": ["!=="], "!==": ["==="], "==": ["!="], "!=": ["=="],
  "+": ["-"], "-": ["+"], "*": ["/", "+"], "/": ["*", "%"], "%": ["/", "*"], "**": ["*"],
  "&&": ["||"], "||": ["&&"], "??": ["&&"],
  "&": ["|"], "|": ["&"], "^": ["&"], "<<": [">>"], ">>": ["<<"], ">>>": ["<<"],
  "+=": ["-=", "="], "-=": ["+=", "="], "*=": ["/=", "="], "/=": ["*=", "="], "%=": ["/="], "|=": ["&="], "&=": ["|="], "??=": ["="], "||=": ["&&="], "&&=": ["||="],
};
const NEIGHBOURS: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
const NOT_COMMUTATIVE = new Set(["-", "/", "%", "**", "<<", ">>", ">>>"]);

const isBinary = (node: Node): boolean => /^(Binary|Logical|Assignment)Expression$/.test(node.type);

/** The splice that puts `other` in the place of a binary node's operator. */
function replaced(node: Node, source: string, other: string): Splice[] {
  const [left, right, operator] = [child(node, "left"), child(node, "right"), textOf(node, "operator")];
  if (!left || !right) return [];
  const start = operatorPlace(source, operator, left.end, right.start);
  return start < 0 ? [] : [{ start, end: start + operator.length, text: other }];
}

/** Text that is joined: `-` in the place of `+` would only give NaN, which is no bug that people write. */
function joinsText(node: Node): boolean {
  const [left, right] = [child(node, "left"), child(node, "right")];
  return [left, right].some((side) => side !== undefined && (side.type === "TemplateLiteral" || typeof side["value"] === "string" || (textOf(side, "operator") === "+" && joinsText(side))));
}

/** True inside the test of a loop, where a bound is broken by an operator of its own. */
export function isLoopTest({ node, parents }: Place): boolean {
  const parent = parents.at(-1);
  return isLoop(parent) && child(parent!, "test") === node;
}

export const flipOperator: Breaker = (place, source) => {
  const { node } = place;
  const operator = textOf(node, "operator");
  if (node.type === "UpdateExpression" && !isLoop(place.parents.at(-1))) {
    const start = node["prefix"] === true ? node.start : node.end - 2;
    return [{ start, end: start + 2, text: operator === "++" ? "--" : "++" }];
  }
  if (!isBinary(node) || isLoopTest(place) || ((operator === "+" || operator === "+=") && joinsText(node))) return [];
  const right = child(node, "right");
  const others = (FLIPS[operator] ?? []).filter((other) => other !== "=" || (right !== undefined && !isFunction(right)));
  return others.flatMap((other) => replaced(node, source, other));
};

/** `a - b` → `b - a`; two neighbouring arguments of a call. */
export const swapOperands: Breaker = ({ node }, source) => {
  if (node.type === "BinaryExpression") {
    const [left, right] = [child(node, "left"), child(node, "right")];
    if (!left || !right || source[left.start - 1] === "(" || source[right.start - 1] === "(") return [];
    const operator = textOf(node, "operator");
    return NOT_COMMUTATIVE.has(operator) || (operator === "+" && joinsText(node)) ? swapped(left, right, source) : [];
  }
  if (node.type !== "CallExpression" && node.type !== "NewExpression") return [];
  const given = children(node, "arguments");
  return given.slice(1).flatMap((second, i) => {
    const first = given[i]!;
    return [first, second].some((one) => isFunction(one) || one.type === "SpreadElement" || one.type === "ObjectExpression") ? [] : swapped(first, second, source, true);
  });
};

function swapped(left: Node, right: Node, source: string, isList = false): Splice[] {
  const text = (node: Node): string => (isList || isAtom(node) ? source.slice(node.start, node.end) : `(${source.slice(node.start, node.end)})`);
  const [a, b] = [text(left), text(right)];
  return a === b ? [] : [{ start: left.start, end: right.end, text: b + source.slice(left.end, right.start) + a }];
}

/** Calls whose numbers are positions or lengths. */
const POSITIONS = new Set(["slice", "substring", "substr", "splice", "at", "charAt", "charCodeAt", "codePointAt", "subarray", "padStart", "padEnd", "repeat", "toFixed", "fill", "copyWithin", "indexOf", "lastIndexOf"]);

/** A neighbour in a comparison, `± 1` forgotten, a position one too far. */
export const offByOne: Breaker = (place, source) => {
  const { node, parents } = place;
  const operator = textOf(node, "operator");
  const found: Splice[] = [];
  if (node.type === "BinaryExpression" && !isLoopTest(place)) {
    const neighbour = NEIGHBOURS[operator];
    if (neighbour !== undefined) found.push(...replaced(node, source, neighbour));
    const [left, right] = [child(node, "left")!, child(node, "right")!];
    if ((operator === "-" || operator === "+") && right["value"] === 1 && source[left.end] !== ")") found.push({ start: left.end, end: right.end, text: "" });
  }
  const parent = parents.at(-1);
  if (parent?.type === "MemberExpression" && parent["computed"] === true && parent["property"] === node) found.push(...shifted(node, source));
  const isPosition = parent?.type === "CallExpression" && children(parent, "arguments").includes(node) && POSITIONS.has(textOf(child(child(parent, "callee")!, "property"), "name"));
  if (isPosition) found.push(...shifted(node, source));
  return found;
};

/** A number one more and one less; `expression + 1` for what may be a number and is no text. */
function shifted(node: Node, source: string): Splice[] {
  const value = node["value"];
  if (typeof value === "number") return Number.isInteger(value) ? [value + 1, ...(value > 0 ? [value - 1] : [])].map((other) => ({ start: node.start, end: node.end, text: String(other) })) : [];
  const isNumber = node.type === "BinaryExpression" && /^[-+*]$/.test(textOf(node, "operator"));
  const isIndex = node.type === "Identifier" && /^([ijkn]|at|.*(index|position|offset|start|end|count|length|size|from|to))$/i.test(textOf(node, "name"));
  if (!(isNumber && !joinsText(node)) && !isIndex) return [];
  return [{ start: node.end, end: node.end, text: " + 1" }, { start: node.end, end: node.end, text: " - 1" }].filter(({ text }) => !source.slice(node.start, node.end).endsWith(text));
}

/** Numbers, booleans, short texts and the flags of regular expressions. */
export const wrongConstant: Breaker = ({ node, parents }) => {
  const parent = parents.at(-1);
  if (node.type !== "Literal" || !parent || /^(Import|Export|JSX|TSExternal|TSImport)/.test(parent.type) || typeof parent["directive"] === "string") return [];
  if ((parent.type === "Property" || parent.type === "PropertyDefinition" || parent.type === "MethodDefinition") && parent["key"] === node) return [];
  if (textOf(child(parent, "callee"), "name") === "require") return [];
  const value = node["value"];
  const at = (text: string): Splice => ({ start: node.start, end: node.end, text });
  if (typeof value === "boolean") return [at(String(!value))];
  if (typeof value === "number") return numbers(value, textOf(node, "raw")).map(at);
  const regex = node["regex"] as { readonly pattern: string; readonly flags: string } | undefined;
  if (regex) return ["g", "i"].filter((flag) => regex.flags.includes(flag)).map((flag) => at(`/${regex.pattern}/${regex.flags.replace(flag, "")}`));
  if (typeof value !== "string") return [];
  return [value === "" ? '" "' : '""', ...(/^[\s\S]$/.test(value) && value !== " " ? ['" "'] : [])].map(at);
};

function numbers(value: number, raw: string): string[] {
  if (!/^[\d._]+$/.test(raw)) return [String(value + 1)];
  if (!Number.isInteger(value)) return [String(value * 10)];
  return value === 0 ? ["1"] : [String(value + 1), String(value - 1), ...(value >= 10 ? [String(value * 10), String(Math.floor(value / 10))] : [])];
}
