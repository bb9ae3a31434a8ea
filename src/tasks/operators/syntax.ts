// JavaScript and TypeScript as one tree (ESTree, with TypeScript's own nodes beside it), positions in UTF-16 units of the
// file's text. One parser for both, so that every operator is written once: acorn, with Svelte's TypeScript plugin.
import { tsPlugin } from "@sveltejs/acorn-typescript";
import { type Options, Parser } from "acorn";
import type { Node } from "../program.ts";

export type { Node } from "../program.ts";

const TypeScript = Parser.extend(tsPlugin() as unknown as (base: typeof Parser) => typeof Parser);
const WithTags = Parser.extend(tsPlugin({ jsx: true }) as unknown as (base: typeof Parser) => typeof Parser);

/** A file that the operators can break: JavaScript or TypeScript, types alone excepted. */
export function isSourceFile(path: string): boolean {
  return /\.[cm]?[jt]sx?$/.test(path) && !/\.d\.[cm]?ts$|\.min\.js$/.test(path);
}

/** The tree of a file, or undefined where it does not parse. `path` tells the language. */
export function parseSource(source: string, path: string): Node | undefined {
  const options: Options = { ecmaVersion: "latest", sourceType: "module", locations: true, allowHashBang: true, allowReturnOutsideFunction: true };
  const parser = /\.[cm]?ts$/.test(path) ? TypeScript : path.endsWith("x") ? WithTags : Parser;
  const kinds: readonly Options["sourceType"][] = /\.c[jt]s$/.test(path) ? ["script"] : ["module", "script"];
  for (const sourceType of kinds) {
    try {
      return parser.parse(source, { ...options, sourceType: sourceType ?? "module" }) as unknown as Node;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}

/** Where `operator` stands between two nodes: comments and brackets are stepped over. -1 if it is not there. */
export function operatorPlace(source: string, operator: string, from: number, to: number): number {
  for (let at = from; at < to; at++) {
    if (source.startsWith("//", at)) at = source.indexOf("\n", at);
    else if (source.startsWith("/*", at)) at = source.indexOf("*/", at) + 1;
    else if (source.startsWith(operator, at)) return at;
    if (at < from) return -1;
  }
  return -1;
}

/** A node below `node` by its field. */
export function child(node: Node, field: string): Node | undefined {
  const value = node[field];
  return typeof value === "object" && value !== null && "type" in value ? (value as Node) : undefined;
}

/** The nodes of a list field; holes left out. */
export function children(node: Node, field: string): readonly Node[] {
  const value = node[field];
  return Array.isArray(value) ? value.filter((one): one is Node => typeof one === "object" && one !== null) : [];
}

/** A field that is text: an operator, a name. */
export function textOf(node: Node | undefined, field: string): string {
  const value = node?.[field];
  return typeof value === "string" ? value : "";
}

export const isFunction = (node: Node | undefined): boolean => node !== undefined && /^(ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(node.type);
export const isLoop = (node: Node | undefined): boolean => node !== undefined && /^(For|ForOf|ForIn|While|DoWhile)Statement$/.test(node.type);

/** True for a node whose text binds more tightly than any operator: it needs no brackets anywhere. */
export function isAtom(node: Node): boolean {
  return /^(Identifier|Literal|MemberExpression|CallExpression|ThisExpression|ArrayExpression|TemplateLiteral|ParenthesizedExpression)$/.test(node.type);
}
