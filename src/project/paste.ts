// What pasted text is: a patch, files (code blocks with names, as chats and articles have them), or one piece of code.
// Nothing is guessed about contents: they come in letter for letter. Names are guesses that the user sees and may change.
import { Intake, INTAKE_LIMITS, type IntakeLimits } from "./intake.ts";
import { isPatch } from "./patch-read.ts";
import { encodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

/** What the text was taken for. */
export type Pasted =
  | { readonly kind: "empty" }
  | { readonly kind: "patch"; readonly text: string }
  | { readonly kind: "files"; readonly files: FileTree }
  /** One piece without a name; `name` is a proposal. */
  | { readonly kind: "code"; readonly text: string; readonly name: string };

interface Block {
  readonly name: string | undefined;
  readonly language: string;
  readonly text: string;
}

/** Throws `project/archive` for names that are refused or there twice, and for too much. */
export function readPaste(text: string, limits: IntakeLimits = INTAKE_LIMITS): Pasted {
  if (text.trim() === "") return { kind: "empty" };
  const blocks = codeBlocks(text);
  const files = blocks.filter(({ language }) => language !== "diff" && language !== "patch");
  if (isPatch(text) && files.every(({ name }) => name === undefined)) return { kind: "patch", text };
  const [only] = files;
  if (files.length === 1 && only && only.name === undefined) return { kind: "code", text: only.text, name: nameFor(only.language, only.text) };
  if (files.length === 0) return { kind: "code", text: text.endsWith("\n") ? text : `${text}\n`, name: nameFor("", text) };
  const intake = new Intake("pasted text", limits);
  for (const [index, { name, language, text: content }] of files.entries()) {
    intake.add(intake.claim(name ?? numbered(nameFor(language, content), index + 1)), encodeText(content));
  }
  return { kind: "files", files: intake.finish() };
}

/** Fenced blocks of Markdown; a fence that is never closed runs to the end. Source: CommonMark 0.31, section 4.5. */
function codeBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly fence: string; readonly indent: string; readonly info: string; readonly above: string; readonly lines: string[] } | undefined;
  let above = "";
  for (const line of text.split(/\r?\n/)) {
    const fence = /^( {0,3})(`{3,}|~{3,})(.*)$/.exec(line);
    if (open) {
      if (fence && fence[2]!.startsWith(open.fence) && fence[3]!.trim() === "") {
        blocks.push(blockOf(open));
        open = undefined;
        above = "";
      } else open.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (fence && !(fence[2]!.startsWith("`") && fence[3]!.includes("`"))) open = { fence: fence[2]!, indent: fence[1]!, info: fence[3]!.trim(), above, lines: [] };
    else if (line.trim() !== "") above = line.trim();
  }
  if (open) blocks.push(blockOf(open));
  return blocks;
}

function blockOf({ info, above, lines }: { readonly info: string; readonly above: string; readonly lines: readonly string[] }): Block {
  const language = /^\{?\.?([A-Za-z0-9+#_-]+)(?=$|[\s:{])/.exec(info)?.[1]?.toLowerCase() ?? "";
  const name = nameInInfo(info, language) ?? nameAbove(above) ?? nameInComment(lines[0] ?? "");
  return { name, language, text: lines.length === 0 ? "" : `${lines.join("\n")}\n` };
}

/** `js src/a.js`, `js:src/a.js`, `js title="src/a.js"`, `src/a.js`. */
function nameInInfo(info: string, language: string): string | undefined {
  const titled = /(?:^|\s)(?:title|file|filename|path|name)\s*[=:]\s*(?:"([^"]+)"|'([^']+)'|(\S+))/i.exec(info);
  const given = titled?.[1] ?? titled?.[2] ?? titled?.[3];
  if (given !== undefined) return given;
  const rest = info.toLowerCase().startsWith(language) ? info.slice(language.length).replace(/^[\s:]+/, "") : info;
  return [rest, info].find((word) => isFileName(word));
}

/** A line that is nothing but a name, with or without Markdown's marks: `### src/a.js`, `**src/a.js**:`, `File: src/a.js`. */
function nameAbove(line: string): string | undefined {
  const bare = line.replace(/^#+\s+|^\d+\.\s+|^[-*]\s+/, "").replace(/^(?:file|filename|path|datei)\s*:\s*/i, "").replace(/:$/, "");
  const name = bare.replace(/^(\*\*|__|\*|_)?`?/, "").replace(/`?(\*\*|__|\*|_)?:?$/, "");
  return isFileName(name) ? name : undefined;
}

/** `// src/a.js` as the first line; it stays in the file. */
function nameInComment(line: string): string | undefined {
  const name = /^\s*(?:\/\/|#|--|;|\/\*+|<!--)\s*(?:file(?:name)?\s*:\s*)?(\S+?)\s*(?:\*\/|-->)?\s*$/i.exec(line)?.[1];
  return name !== undefined && isFileName(name) ? name : undefined;
}

/** One word that ends like a file's name, or names a folder and a file. What leaves the project is one, too: it is refused later. */
function isFileName(word: string): boolean {
  return word.length <= 200 && (/^[^\s`*"'<>|?:]*[^\s`*"'<>|?:/]\.[A-Za-z][A-Za-z0-9]{0,9}$/.test(word) || /^(?:[^\s`*"'<>|?:]+\/)?(?:Dockerfile|Makefile|\.gitignore|\.npmrc|LICENSE)$/.test(word));
}

const ENDINGS: Readonly<Record<string, string>> = {
  javascript: "js", js: "js", mjs: "mjs", jsx: "jsx", typescript: "ts", ts: "ts", tsx: "tsx", json: "json", html: "html", css: "css",
  markdown: "md", md: "md", python: "py", py: "py", rust: "rs", go: "go", java: "java", c: "c", cpp: "cpp", sh: "sh", bash: "sh", shell: "sh", yaml: "yaml", yml: "yaml", toml: "toml", sql: "sql", xml: "xml",
};

/** A name for code without one. */
function nameFor(language: string, text: string): string {
  const start = text.slice(0, 4_000);
  const ending = ENDINGS[language] ?? (isJson(text) ? "json" : /^\s*<(?:!doctype html|html)/i.test(start) ? "html" : /^\s*(?:def |from \w+ import |import \w+$)/m.test(start) ? "py"
    : /^\s*(?:interface \w|type \w+ =)|\)\s*:\s*\w+\s*\{|: (?:string|number|boolean)\b/m.test(start) ? "ts" : /^\s*(?:import |export |const |let |function |class |async )|=>|require\(/m.test(start) ? "js" : "txt");
  return `${ending === "txt" ? "notes" : ending === "html" ? "index" : "snippet"}.${ending}`;
}

function isJson(text: string): boolean {
  if (!/^\s*[{[]/.test(text)) return false;
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function numbered(name: string, number: number): string {
  return name.replace(/(?=\.[a-z]+$)/, `-${number}`);
}
