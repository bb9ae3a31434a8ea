// A project from what the host's page hands over: files by path, and code blocks that have at best a title and a
// language. All of it is a stranger's: paths and sizes pass the same gate as a zip's.
import type { Sample, WidgetFile } from "../../embed/protocol.ts";
import { Intake, INTAKE_LIMITS } from "../../project/intake.ts";
import { isTestFile } from "../../project/paths.ts";
import { encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";

const EXTENSIONS: Readonly<Record<string, string>> = {
  javascript: "js",
  typescript: "ts",
  markdown: "md",
  shell: "sh",
  shellscript: "sh",
  bash: "sh",
  yaml: "yml",
  python: "py",
  plaintext: "txt",
  text: "txt",
};
/** `// src/sum.js`, `# sum.py`, `<!-- page.html -->`: a first line that only names the file. */
const NAMING_LINE = /^\s*(?:\/\/|#|--|\/\*|<!--)\s*([\w@.-][\w@./-]*\.\w+)\s*(?:\*\/|-->)?\s*$/;
const MODULE_SYNTAX = /^\s*(?:import\s*[\w{*"']|export\s+(?:default|const|let|class|function|async|\{|\*))/m;

/** The files of a widget's project, with a package.json. Throws `project/archive` for paths and sizes that are refused. */
export function sampleProject(name: string, files: readonly WidgetFile[], samples: readonly Sample[]): FileTree {
  const intake = new Intake("sample", INTAKE_LIMITS);
  for (const { path, text } of files) intake.add(intake.claim(path), encodeText(text));
  const taken = new Set(files.map(({ path }) => path));
  for (const sample of samples) {
    const path = freePath(pathOf(sample), taken);
    taken.add(path);
    intake.add(intake.claim(path), encodeText(sample.text));
  }
  if (!taken.has("package.json")) intake.add(intake.claim("package.json"), encodeText(manifest(name, [...files, ...samples.map(({ text }) => ({ path: "", text }))], [...taken])));
  return intake.finish();
}

/** The file that Run starts: the manifest's start is written for it. Undefined where nothing can be started. */
export function entryOf(paths: readonly string[]): string | undefined {
  const programs = paths.filter((path) => /\.[cm]?[jt]s$/.test(path) && !isTestFile(path));
  return ["index", "main", "src/index", "src/main"].flatMap((name) => programs.filter((path) => path.replace(/\.\w+$/, "") === name))[0] ?? programs[0];
}

function pathOf({ title, language, text }: Sample): string {
  const named = [title.trim(), NAMING_LINE.exec(text.split("\n", 1)[0] ?? "")?.[1] ?? ""].find((name) => /^[\w@.-][\w@ ./\\-]*\.\w+$/.test(name) && !name.split(/[/\\]/).includes(".."));
  if (named !== undefined) return named;
  const kind = language.toLowerCase();
  const extension = EXTENSIONS[kind] ?? (/^\w{1,10}$/.test(kind) ? kind : "txt");
  return /\bnode:test\b|\b(?:describe|test|it)\(/.test(text) && /^[cm]?[jt]sx?$/.test(extension) ? `index.test.${extension}` : `index.${extension}`;
}

/** A path as one word of a shell command. */
export function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}

/** `index.js`, then `index-2.js`: a page may have many blocks without a name. */
function freePath(path: string, taken: ReadonlySet<string>): string {
  const dot = path.lastIndexOf(".");
  for (let n = 1; ; n++) {
    const candidate = n === 1 ? path : `${path.slice(0, dot)}-${n}${path.slice(dot)}`;
    if (!taken.has(candidate)) return candidate;
  }
}

function manifest(name: string, sources: readonly WidgetFile[], paths: readonly string[]): string {
  const entry = entryOf(paths);
  const isModule = sources.some(({ path, text }) => !path.endsWith(".cjs") && MODULE_SYNTAX.test(text));
  const packageName = name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 60) || "sample";
  const scripts = { ...(entry === undefined ? {} : { start: `node ${shellWord(entry)}` }), test: "node --test" };
  return `${JSON.stringify({ name: packageName, private: true, ...(isModule ? { type: "module" } : {}), scripts }, undefined, 2)}\n`;
}
