// What the line that opens a code block says: the language, and the file the block is for, if it names one.

/** What is known of a block of code from its first line. */
export interface FenceInfo {
  /** Lower case, as written: "js", "shell"; empty if none is named. */
  readonly language: string;
  /** A path inside the project; absent if none is named. */
  readonly path?: string;
}

const NAMES: Readonly<Record<string, string>> = {
  js: "JavaScript", mjs: "JavaScript", cjs: "JavaScript", javascript: "JavaScript", jsx: "JSX",
  ts: "TypeScript", mts: "TypeScript", cts: "TypeScript", typescript: "TypeScript", tsx: "TSX",
  json: "JSON", json5: "JSON", jsonc: "JSON", css: "CSS", html: "HTML", xml: "XML", svg: "SVG",
  md: "Markdown", markdown: "Markdown", sh: "Shell", bash: "Shell", shell: "Shell", zsh: "Shell", console: "Shell",
  py: "Python", python: "Python", rs: "Rust", rust: "Rust", go: "Go", java: "Java", c: "C", cpp: "C++", cs: "C#",
  rb: "Ruby", ruby: "Ruby", php: "PHP", swift: "Swift", kotlin: "Kotlin", sql: "SQL", yaml: "YAML", yml: "YAML",
  toml: "TOML", diff: "Diff", patch: "Diff", wgsl: "WGSL", glsl: "GLSL", dockerfile: "Dockerfile", ini: "INI",
};
const SHELLS = new Set(["sh", "bash", "shell", "zsh", "console"]);
const PATH = /^(?!\/|[a-z]+:)(?:[\w@.()[\]+-]+\/)*[\w@.()[\]+-]*\.[A-Za-z0-9]{1,8}$/;
const FIRST_LINE = /^\s*(?:\/\/|#|--|;|\/\*|<!--)\s*(?:file(?:name)?:\s*)?([^\s*]+)\s*(?:\*\/|-->)?\s*$/i;
const MAX_PATH = 200;

/** Reads "js src/cart.js", "js:src/cart.js", "js title=\"src/cart.js\"", "src/cart.js"; else a first line that is only a path in a comment. */
export function fenceInfo(info: string, code = ""): FenceInfo {
  const words = info.trim().split(/\s+/, 8);
  const [head = "", ...rest] = words;
  const named = /^([^:]*):(.+)$/.exec(head);
  const language = (named ? (named[1] ?? "") : head).toLowerCase();
  const candidates = [named?.[2], ...rest.map((word) => word.replace(/^(?:title|file|filename|path|name)=/i, "").replace(/^["'{]+|["'}]+$/g, ""))];
  const path = candidates.find((candidate) => isPath(candidate)) ?? (isPath(head) && head.includes(".") ? head : firstLinePath(code));
  if (path === head) return { language: head.split(".").at(-1)?.toLowerCase() ?? "", path };
  return { language: /^[\w+#.-]{0,20}$/.test(language) ? language : "", ...(path === undefined ? {} : { path }) };
}

/** "JavaScript" for "js"; the word itself for a language we have no name for; empty for none. */
export function languageName(language: string): string {
  return NAMES[language] ?? language;
}

/** Is it something a terminal could run? */
export function isShell(language: string): boolean {
  return SHELLS.has(language);
}

function firstLinePath(code: string): string | undefined {
  const end = code.indexOf("\n");
  const path = FIRST_LINE.exec(code.slice(0, end < 0 ? MAX_PATH : Math.min(end, MAX_PATH)))?.[1];
  return isPath(path) ? path : undefined;
}

function isPath(path: string | undefined): path is string {
  return path !== undefined && path.length <= MAX_PATH && PATH.test(path) && !path.split("/").some((part) => part === ".." || part === ".");
}
