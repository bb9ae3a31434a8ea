// Which files a `node --test` command runs, so that each can be run by itself under the trusted reporter. Node 20's rules.
import { isIgnoredPath } from "../../project/paths.ts";
import { decodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";

export interface NodeTests {
  readonly files: readonly string[];
  /** Flags that every file is run with, `--import tsx` for one. */
  readonly flags: readonly string[];
  /** The project's own preparation, before the tests. */
  readonly before?: string;
}

/** Undefined for a command that runs anything but `node --test`, directly or as the project's test script. */
export function nodeTests(command: string, tree: FileTree): NodeTests | undefined {
  const scripts = /^npm (?:test|t|run test)$/.test(command.trim()) ? scriptsOf(tree) : undefined;
  const script = (scripts?.["test"] ?? command).trim();
  if (!/^node\s/.test(script) || /[;&|<>$`(){}*?\\\n]/.test(script)) return undefined;
  const words = script.match(/"[^"]*"|'[^']*'|\S+/g)!.slice(1).map((word) => word.replace(/^(["'])(.*)\1$/, "$2"));
  if (!words.includes("--test")) return undefined;
  const named = words.filter((word, at) => !word.startsWith("-") && !takesValue(words[at - 1]));
  const flags = words.filter((word, at) => (word.startsWith("-") || takesValue(words[at - 1])) && !/^--test$|^--test-(reporter|concurrency|timeout|shard)/.test(word) && !/^--test-(reporter|reporter-destination|concurrency|timeout|shard)$/.test(words[at - 1] ?? ""));
  const before = scripts?.["pretest"] === undefined ? {} : { before: "npm run pretest" };
  return { files: testFiles(tree, named), flags, ...before };
}

function takesValue(flag: string | undefined): boolean {
  return flag !== undefined && /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions|--test-reporter|--test-reporter-destination|--test-name-pattern|--test-concurrency|--test-timeout|--test-shard)$/.test(flag);
}

function scriptsOf(tree: FileTree): Record<string, string | undefined> {
  const bytes = tree.get("package.json");
  const parsed: unknown = JSON.parse((bytes && decodeText(bytes)) || "{}");
  return (parsed as { scripts?: Record<string, string> }).scripts ?? {};
}

const SCRIPT = /\.[cm]?js$/;
const NAMED_TEST = /^(test|test-.+|.+[.\-_]test)\.[cm]?[jt]s$/;

function testFiles(tree: FileTree, named: readonly string[]): string[] {
  const asked = named.map((path) => path.replace(/^\.\//, "").replace(/\/+$/, "")).map((path) => (path === "." ? "" : path));
  const found = [...tree.keys()].filter((path) => {
    if (asked.includes(path)) return true;
    const under = asked.length === 0 ? "" : asked.find((folder) => folder === "" || path.startsWith(`${folder}/`));
    if (under === undefined || isIgnoredPath(path)) return false;
    const segments = path.split("/");
    const name = segments.pop()!;
    return segments.includes("test") ? SCRIPT.test(name) || NAMED_TEST.test(name) : NAMED_TEST.test(name) && !name.endsWith(".d.ts");
  });
  return found.sort();
}
