// Operators on control flow: branches, conditions, order, returns, loops, waiting.
import { isLoopTest } from "./expressions.ts";
import type { Breaker, Splice } from "./mutant.ts";
import { visibleVariables } from "./scope.ts";
import { child, children, isAtom, isFunction, isLoop, type Node, operatorPlace, textOf } from "./syntax.ts";

/** Removes the node, and its line where nothing else stands on it. */
function removal(node: Node, source: string): Splice {
  let [start, end] = [node.start, node.end];
  while (start > 0 && /[ \t]/.test(source[start - 1]!)) start--;
  const rest = /^[ \t]*(?:\/\/[^\n]*)?\r?\n/.exec(source.slice(end));
  if ((start === 0 || source[start - 1] === "\n") && rest) end += rest[0].length;
  else start = node.start;
  return { start, end, text: "" };
}

const inList = (parent: Node | undefined): boolean => parent?.type === "BlockStatement" || parent?.type === "SwitchCase" || parent?.type === "Program";

/** A guard, an else, an arm of a conditional, a default, a case: gone. */
export const droppedBranch: Breaker = (place, source) => {
  const { node, parents } = place;
  const text = (one: Node): string => source.slice(one.start, one.end);
  if (node.type === "IfStatement") {
    const [then, otherwise] = [child(node, "consequent")!, child(node, "alternate")];
    if (otherwise) return [{ start: then.end, end: otherwise.end, text: "" }];
    return inList(parents.at(-1)) ? [removal(node, source)] : [];
  }
  if (node.type === "ConditionalExpression") return [child(node, "consequent")!, child(node, "alternate")!].map((arm) => ({ start: node.start, end: node.end, text: isAtom(arm) ? text(arm) : `(${text(arm)})` }));
  if (node.type === "LogicalExpression" && !isLoopTest(place)) {
    const [left, right] = [child(node, "left")!, child(node, "right")!];
    if (source[left.end] === ")" || source[right.start - 1] === "(") return [];
    return [{ start: left.end, end: right.end, text: "" }, ...(node["operator"] === "??" ? [] : [{ start: left.start, end: right.start, text: "" }])];
  }
  if (node.type === "SwitchCase" && child(node, "test") && children(node, "consequent").length > 0) return [removal(node, source)];
  return [];
};

/** A condition that holds when it should not. */
export const invertedCondition: Breaker = ({ node, parents }, source) => {
  const parent = parents.at(-1);
  if (node.type === "UnaryExpression" && node["operator"] === "!") return parent?.type === "UnaryExpression" ? [] : [{ start: node.start, end: node.start + 1, text: "" }];
  const isTest = (parent?.type === "IfStatement" || parent?.type === "ConditionalExpression") && child(parent, "test") === node;
  if (!isTest) return [];
  return [isAtom(node) ? { start: node.start, end: node.start, text: "!" } : { start: node.start, end: node.end, text: `!(${source.slice(node.start, node.end)})` }];
};

const MOVABLE = /^(ExpressionStatement|VariableDeclaration|IfStatement)$/;
const names = (text: string): Set<string> => new Set(text.match(/[A-Za-z_$][\w$]*/g));

/** Two statements that speak of the same things, in the other order. */
export const shuffledStatements: Breaker = ({ node }, source) => {
  if (node.type !== "BlockStatement" && node.type !== "SwitchCase") return [];
  const list = children(node, node.type === "BlockStatement" ? "body" : "consequent");
  return list.slice(1).flatMap((second, i): Splice[] => {
    const first = list[i]!;
    if (!MOVABLE.test(first.type) || !MOVABLE.test(second.type) || typeof first["directive"] === "string") return [];
    const [a, b] = [source.slice(first.start, first.end), source.slice(second.start, second.end)];
    // Nothing that is declared by the first may be used by the second: that would only be a crash.
    if (first.type === "VariableDeclaration" && second.type !== "VariableDeclaration") return [];
    const shared = names(a);
    const speaks = [...names(b)].some((name) => shared.has(name) && !/^(this|const|let|if|return|new|typeof)$/.test(name));
    return speaks && a !== b ? [{ start: first.start, end: second.end, text: b + source.slice(first.end, second.start) + a }] : [];
  });
};

export const removedStatement: Breaker = ({ node, parents }, source) => {
  const parent = parents.at(-1);
  if (node.type === "ExpressionStatement") {
    const expression = child(node, "expression")!;
    const inner = expression.type === "AwaitExpression" ? child(expression, "argument")! : expression;
    const isWork = /^(Assignment|Update|Call)Expression$/.test(inner.type) || (inner.type === "UnaryExpression" && inner["operator"] === "delete");
    return isWork && inList(parent) && parent?.type !== "Program" && child(inner, "callee")?.type !== "Super" ? [removal(node, source)] : [];
  }
  return (node.type === "BreakStatement" || node.type === "ContinueStatement") && inList(parent) && !child(node, "label") ? [removal(node, source)] : [];
};

/** What a function gives back: nothing, the opposite, something empty, another variable. */
export const wrongReturn: Breaker = (place, source) => {
  const { node, parents } = place;
  const parent = parents.at(-1);
  const isResult = (parent?.type === "ReturnStatement" && child(parent, "argument") === node) || (parent?.type === "ArrowFunctionExpression" && child(parent, "body") === node && node.type !== "BlockStatement");
  if (!isResult || /^(Literal|JSX.*)$/.test(node.type)) return [];
  // An arrow's object stands in brackets.
  const at = (text: string): Splice => ({ start: node.start, end: node.end, text });
  const operator = textOf(node, "operator");
  if (/^([<>]=?|[!=]==?|in|instanceof|!)$/.test(operator)) return [at(`!(${source.slice(node.start, node.end)})`)];
  if (node.type === "ArrayExpression") return children(node, "elements").length > 0 ? [at("[]")] : [];
  if (node.type === "ObjectExpression") return children(node, "properties").length > 0 ? [at("{}")] : [];
  const others = node.type === "Identifier" ? [] : visibleVariables(place).slice(0, 3).map((one) => at(one.name));
  return [at("undefined"), ...others];
};

/** Too many rounds, or too few. */
export const loopBound: Breaker = ({ node, scope }, source) => {
  if (!isLoop(node)) return [];
  const found: Splice[] = [];
  const test = child(node, "test");
  const neighbour: Readonly<Record<string, string>> = { "<": "<=", "<=": "<", ">": ">=", ">=": ">" };
  if (test?.type === "BinaryExpression") {
    const [left, right, operator] = [child(test, "left")!, child(test, "right")!, textOf(test, "operator")];
    const start = operatorPlace(source, operator, left.end, right.start);
    if (start >= 0 && neighbour[operator] !== undefined) found.push({ start, end: start + operator.length, text: neighbour[operator]! });
    if (isAtom(right) && /^[<>]=?$/.test(operator)) found.push({ start: right.end, end: right.end, text: operator.startsWith("<") ? " - 1" : " + 1" });
  }
  const init = child(node, "init");
  for (const one of init?.type === "VariableDeclaration" ? children(init, "declarations") : []) {
    const value = child(one, "init");
    if (typeof value?.["value"] === "number") found.push({ start: value.start, end: value.end, text: String((value["value"] as number) + 1) });
  }
  const update = child(node, "update");
  const counter = update?.type === "UpdateExpression" ? child(update, "argument") : undefined;
  if (update && counter) found.push({ start: update.start, end: update.end, text: `${source.slice(counter.start, counter.end)} ${update["operator"] === "++" ? "+=" : "-="} 2` });
  const list = child(node, "right");
  if (node.type === "ForOfStatement" && list?.type === "Identifier" && scope.fn) found.push({ start: list.end, end: list.end, text: ".slice(1)" });
  return found;
};

export const missingAwait: Breaker = ({ node }, source) => {
  const argument = child(node, "argument");
  return node.type === "AwaitExpression" && argument && !isFunction(argument) ? [{ start: node.start, end: node.start + /^await\s*/.exec(source.slice(node.start))![0].length, text: "" }] : [];
};
