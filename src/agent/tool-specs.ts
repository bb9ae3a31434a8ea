// The six tools as the model is told of them, and the other names that models know them by.
// Names and parameters are Qwen Code's; order and names are part of the format the bundled model is trained on.
import type { ToolSpec } from "../engine/api.ts";

export type ToolName = "read_file" | "write_file" | "edit" | "grep_search" | "glob" | "run_shell_command";

const path = { type: "string", description: "Path of the file, relative to the project, such as src/index.js" };

function tool(name: ToolName, description: string, properties: ToolSpec["parameters"]["properties"], required: readonly string[]): ToolSpec {
  return { name, description, parameters: { type: "object", properties, required } };
}

export const TOOLS: readonly ToolSpec[] = [
  tool("read_file", "Reads a text file.", {
    file_path: path,
    offset: { type: "integer", description: "First line to read, from 1" },
    limit: { type: "integer", description: "How many lines to read" },
  }, ["file_path"]),
  tool("write_file", "Creates a file, or replaces all of it. To change part of a file use edit.", {
    file_path: path,
    content: { type: "string", description: "The whole content of the file" },
  }, ["file_path", "content"]),
  tool("edit", "Replaces old_string by new_string in a file. old_string must be copied exactly and occur once.", {
    file_path: path,
    old_string: { type: "string", description: "The text to replace, with enough lines around it to be unique" },
    new_string: { type: "string", description: "The text to put there" },
    replace_all: { type: "boolean", description: "Replace every occurrence" },
  }, ["file_path", "old_string", "new_string"]),
  tool("grep_search", "Searches the files for a regular expression.", {
    pattern: { type: "string", description: "JavaScript regular expression" },
    path: { type: "string", description: "Folder or file to search in; the whole project by default" },
  }, ["pattern"]),
  tool("glob", "Lists the files whose path matches a pattern such as src/**/*.js.", {
    pattern: { type: "string", description: "Glob pattern, relative to the project" },
  }, ["pattern"]),
  tool("run_shell_command", "Runs a command in the project's folder, such as npm test. Shows exit code and output.", {
    command: { type: "string", description: "The command" },
    timeout: { type: "integer", description: "Milliseconds after which it is ended" },
  }, ["command"]),
];

const SPECS = new Map(TOOLS.map((spec) => [spec.name, spec]));

/** Names other scaffolds taught, lower case, without separators. */
const NAMES: Readonly<Record<string, ToolName>> = {
  readfile: "read_file", read: "read_file", view: "read_file", viewfile: "read_file", openfile: "read_file", cat: "read_file",
  writefile: "write_file", write: "write_file", createfile: "write_file", create: "write_file", writetofile: "write_file", createnewfile: "write_file",
  edit: "edit", editfile: "edit", replace: "edit", strreplace: "edit", replaceinfile: "edit", searchreplace: "edit", singlefindandreplace: "edit",
  grepsearch: "grep_search", grep: "grep_search", search: "grep_search", searchfilecontent: "grep_search", searchfiles: "grep_search", ripgrep: "grep_search", rg: "grep_search",
  glob: "glob", find: "glob", findfiles: "glob", findfile: "glob", listdirectory: "glob", listfiles: "glob", ls: "glob", list: "glob",
  runshellcommand: "run_shell_command", bash: "run_shell_command", shell: "run_shell_command", executebash: "run_shell_command", executecommand: "run_shell_command",
  runcommand: "run_shell_command", terminal: "run_shell_command", run: "run_shell_command", exec: "run_shell_command", runinterminal: "run_shell_command",
};

/** `str_replace_editor(command=…)`, as SWE-agent, OpenHands and Claude name their editor. */
const EDITORS = new Set(["strreplaceeditor", "strreplacebasededittool", "editor", "texteditor"]);
const EDITOR_COMMANDS: Readonly<Record<string, ToolName>> = { view: "read_file", create: "write_file", str_replace: "edit", insert: "edit" };

const PARAMETERS: Readonly<Record<ToolName, Readonly<Record<string, readonly string[]>>>> = {
  read_file: { file_path: ["path", "absolute_path", "filepath", "file", "filename", "target_file"], offset: ["start_line", "line_start"], limit: ["max_lines", "line_count"] },
  write_file: { file_path: ["path", "absolute_path", "filepath", "file", "filename", "target_file"], content: ["file_text", "contents", "text", "new_content", "code"] },
  edit: {
    file_path: ["path", "absolute_path", "filepath", "file", "filename", "target_file"],
    old_string: ["old_str", "old_text", "oldstring", "search", "find", "old"],
    new_string: ["new_str", "new_text", "newstring", "replace", "replacement", "new"],
    replace_all: ["replaceall", "all", "allow_multiple"],
  },
  grep_search: { pattern: ["query", "regex", "search_term", "search"], path: ["dir_path", "directory", "include_path", "folder", "file_path"] },
  glob: { pattern: ["query", "glob", "glob_pattern"] },
  run_shell_command: { command: ["cmd", "script", "commands", "code", "input"], timeout: ["timeout_ms", "timeoutms"] },
};

export type Resolved =
  | { readonly ok: true; readonly name: ToolName; readonly arguments: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly message: string };

/** A call in our own names, or the sentence that says what is wrong with it. */
export function resolveCall(name: string, given: Readonly<Record<string, unknown>>): Resolved {
  const key = name.toLowerCase().replace(/[^a-z]/g, "");
  const command = String(given["command"] ?? "");
  const isEditor = EDITORS.has(key);
  const tool = SPECS.has(name) ? (name as ToolName) : isEditor ? own(EDITOR_COMMANDS, command) : own(NAMES, key);
  if (tool === undefined) {
    const what = isEditor ? `command "${command}" of ${name}` : `tool "${name}"`;
    return { ok: false, message: `There is no ${what}. The tools are ${TOOLS.map((spec) => spec.name).join(", ")}.` };
  }
  const args: Record<string, unknown> = {};
  for (const [parameter, aliases] of Object.entries(PARAMETERS[tool])) {
    const found = [parameter, ...aliases].find((alias) => Object.hasOwn(given, alias) && given[alias] !== undefined && given[alias] !== null);
    if (found !== undefined && !(isEditor && found === "command")) args[parameter] = given[found];
  }
  const range = tool === "read_file" ? (String(given["view_range"] ?? "").match(/-?\d+/g)?.map(Number) ?? []) : [];
  if (range[0] !== undefined) Object.assign(args, { offset: range[0], ...(range[1] !== undefined && range[1] >= range[0] ? { limit: range[1] - range[0] + 1 } : {}) });
  if (tool === "glob" && args["pattern"] === undefined) {
    const folder = String(given["path"] ?? given["dir_path"] ?? given["directory"] ?? ".");
    args["pattern"] = folder === "." || folder === "" || folder === "/" ? "*" : `${folder.replace(/\/+$/, "")}/*`;
  }
  if (isEditor && command === "insert") Object.assign(args, { old_string: "", insert_line: given["insert_line"] });
  for (const required of SPECS.get(tool)!.parameters.required) {
    if (typeof args[required] !== "string") return { ok: false, message: `${tool} needs ${required}.` };
  }
  return { ok: true, name: tool, arguments: args };
}

function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
