// Colours for code: Lezer's parsers, the same that the editor uses, each loaded with the first block in its language.
import { highlightCode, tagHighlighter, tags } from "@lezer/highlight";
import type { Language } from "@codemirror/language";

type Parser = Language["parser"];

/** A run of code in one class; a class is a word of what it means. */
export interface Colour {
  readonly text: string;
  readonly kind: "" | "keyword" | "string" | "number" | "comment" | "name" | "tag";
}

type Load = () => Promise<Parser>;
const javascript = (dialect: "" | "ts" | "jsx" | "tsx"): Load => async () => {
  const language = await import("@codemirror/lang-javascript");
  return { "": language.javascriptLanguage, ts: language.typescriptLanguage, jsx: language.jsxLanguage, tsx: language.tsxLanguage }[dialect].parser;
};
const json: Load = async () => (await import("@codemirror/lang-json")).jsonLanguage.parser;
const css: Load = async () => (await import("@codemirror/lang-css")).cssLanguage.parser;
const html: Load = async () => (await import("@codemirror/lang-html")).htmlLanguage.parser;
const markdown: Load = async () => (await import("@codemirror/lang-markdown")).markdownLanguage.parser;

const PARSERS: Readonly<Record<string, Load>> = {
  js: javascript(""), mjs: javascript(""), cjs: javascript(""), javascript: javascript(""), jsx: javascript("jsx"),
  ts: javascript("ts"), mts: javascript("ts"), cts: javascript("ts"), typescript: javascript("ts"), tsx: javascript("tsx"),
  json, jsonc: json, json5: json, css, html, svg: html, xml: html, md: markdown, markdown,
};

const highlighter = tagHighlighter([
  { tag: [tags.keyword, tags.modifier, tags.operatorKeyword, tags.controlKeyword, tags.definitionKeyword, tags.moduleKeyword], class: "keyword" },
  { tag: [tags.string, tags.regexp, tags.special(tags.string), tags.attributeValue], class: "string" },
  { tag: [tags.number, tags.bool, tags.null, tags.atom, tags.unit, tags.color], class: "number" },
  { tag: [tags.comment, tags.meta], class: "comment" },
  { tag: [tags.function(tags.variableName), tags.function(tags.definition(tags.variableName)), tags.propertyName, tags.typeName, tags.className, tags.attributeName], class: "name" },
  { tag: [tags.tagName, tags.heading], class: "tag" },
]);

/** Can code in this language be coloured? */
export function canColour(language: string): boolean {
  return language in PARSERS;
}

/** The code in runs, in order: together they are the code. */
export async function colours(code: string, language: string): Promise<readonly Colour[]> {
  const load = PARSERS[language];
  if (!load) return [{ text: code, kind: "" }];
  const parser = await load();
  const runs: Colour[] = [];
  const put = (text: string, classes: string): void => {
    const kind = (classes.split(" ")[0] ?? "") as Colour["kind"];
    const last = runs.at(-1);
    if (last?.kind === kind) runs[runs.length - 1] = { text: last.text + text, kind };
    else runs.push({ text, kind });
  };
  highlightCode(code, parser.parse(code), highlighter, put, () => put("\n", ""));
  return runs;
}
