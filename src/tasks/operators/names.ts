// Operators on names: the wrong variable, the wrong method, a name that is declared twice.
import type { Breaker } from "./mutant.ts";
import { declaringScope, isReference, visibleVariables } from "./scope.ts";
import { child, isFunction, isLoop, textOf } from "./syntax.ts";

/** Methods that are taken for one another. */
const METHODS: Readonly<Record<string, readonly string[]>> = {
  push: ["unshift"], unshift: ["push"], pop: ["shift"], shift: ["pop"],
  max: ["min"], min: ["max"], floor: ["ceil", "round"], ceil: ["floor"], round: ["floor", "trunc"], trunc: ["ceil"], abs: ["sign"], sqrt: ["cbrt"],
  slice: ["splice"], concat: ["push"], some: ["every"], every: ["some"], filter: ["map", "find"], map: ["filter", "flatMap"], flatMap: ["map"],
  find: ["filter", "findLast"], findIndex: ["findLastIndex", "find"], findLast: ["find"], reduce: ["reduceRight"], reduceRight: ["reduce"],
  startsWith: ["endsWith", "includes"], endsWith: ["startsWith", "includes"], includes: ["startsWith", "indexOf"], indexOf: ["lastIndexOf"], lastIndexOf: ["indexOf"],
  toUpperCase: ["toLowerCase"], toLowerCase: ["toUpperCase"], toLocaleUpperCase: ["toLocaleLowerCase"], toLocaleLowerCase: ["toLocaleUpperCase"],
  padStart: ["padEnd"], padEnd: ["padStart"], trim: ["trimStart", "trimEnd"], trimStart: ["trimEnd"], trimEnd: ["trimStart"], replaceAll: ["replace"], replace: ["replaceAll"],
  charCodeAt: ["charAt"], charAt: ["charCodeAt"], codePointAt: ["charCodeAt"], match: ["matchAll"], test: ["exec"], reverse: ["sort"], sort: ["reverse"],
  keys: ["values"], values: ["keys"], entries: ["values"], get: ["has"], has: ["get"], set: ["delete"], delete: ["has"], add: ["delete"], fromEntries: ["entries"],
  parseInt: ["parseFloat"], parseFloat: ["parseInt"], isInteger: ["isFinite"], isFinite: ["isInteger"], isNaN: ["isFinite"],
  getTime: ["getDate"], getDate: ["getDay"], getDay: ["getDate"], getMonth: ["getDay"], getFullYear: ["getYear"], getUTCDate: ["getUTCDay"], getUTCDay: ["getUTCDate"], getHours: ["getMinutes"], getMinutes: ["getSeconds"],
  all: ["race"], allSettled: ["all"], race: ["any"], call: ["apply"], apply: ["call"], log: ["log2"], sin: ["cos"], cos: ["sin"],
};

export const wrongMethod: Breaker = ({ node, parents }) => {
  const parent = parents.at(-1);
  if (node.type !== "Identifier") return [];
  const name = textOf(node, "name");
  const isMethod = parent?.type === "MemberExpression" && parent["property"] === node && parent["computed"] !== true && child(parents.at(-2) ?? parent, "callee") === parent;
  const isCall = (name === "parseInt" || name === "parseFloat") && parent?.type === "CallExpression" && child(parent, "callee") === node;
  const others = (isMethod || isCall) && Object.hasOwn(METHODS, name) ? METHODS[name]! : [];
  return others.map((text) => ({ start: node.start, end: node.end, text }));
};

/** Another variable that can be seen, in the place of one that is read. */
export const wrongVariable: Breaker = (place) => {
  const { node, parents } = place;
  const parent = parents.at(-1);
  if (!isReference(place) || (parent && child(parent, "callee") === node) || parent?.type === "UpdateExpression") return [];
  if (parent?.type === "AssignmentExpression" && child(parent, "left") === node) return [];
  const name = textOf(node, "name");
  const own = declaringScope(name, place.scope);
  if (!own?.fn) return [];
  return visibleVariables(place).filter((one) => one.name !== name).map((one) => ({ start: node.start, end: node.end, text: one.name }));
};

/** An assignment to an outer variable becomes a declaration of its own: what is assigned is lost. */
export const shadowing: Breaker = ({ node, parents, scope }, source) => {
  const assignment = node.type === "ExpressionStatement" ? child(node, "expression") : undefined;
  if (assignment?.type !== "AssignmentExpression" || assignment["operator"] !== "=") return [];
  const [left, right] = [child(assignment, "left")!, child(assignment, "right")!];
  const name = textOf(left, "name");
  const isBlock = parents.at(-1)?.type === "BlockStatement" && (isFunction(parents.at(-2)) || isLoop(parents.at(-2)) || /^(If|Try)Statement$|CatchClause/.test(parents.at(-2)?.type ?? ""));
  if (left.type !== "Identifier" || !isBlock || scope.variables.has(name) || new RegExp(`(?<![\\w$.])${name.replaceAll("$", "\\$")}(?![\\w$])`).test(source.slice(right.start, right.end))) return [];
  // A parameter's own block may not declare it again.
  if (isFunction(parents.at(-2)) && scope.parent?.variables.has(name)) return [];
  return declaringScope(name, scope) ? [{ start: node.start, end: node.start, text: "let " }] : [];
};
