// sed, as GNU's 4.9, but without running commands (`e`).
import { FsError } from "../../fs-error.ts";
import { reason } from "../redirect.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import { type Parsed, parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { Sed } from "./sed-run.ts";
import { parseSed, type Source } from "./sed-script.ts";
import { input } from "./streams.ts";
import { LineReader } from "./text-input.ts";

const LONG: Readonly<Record<string, string>> = {
  quiet: "n", silent: "n", expression: "e", file: "f", "regexp-extended": "E", separate: "s", "in-place": "i::", "null-data": "z", unbuffered: "u", "line-length": "l", posix: "p", debug: "debug", sandbox: "S", "follow-symlinks": "F", binary: "b",
};

async function sources(state: ShellState, options: Parsed, operands: string[]): Promise<Source[] | undefined> {
  const found: Source[] = [];
  for (const [key, value] of options.options) {
    if (key === "e") found.push({ text: value.replace(/(^|[^\\])\\$/, "$1\\\n"), name: `-e expression #${found.length + 1}` });
    if (key !== "f") continue;
    const file = await input(state, "sed", value, (why) => `sed: couldn't open file ${value}: ${why}`);
    if (!file) return undefined;
    const reader = new LineReader(file.stream, state.signal);
    const lines: string[] = [];
    for (let line = await reader.next(); line; line = await reader.next()) lines.push(line.text);
    file.release();
    found.push({ text: lines.join("\n"), name: `file ${value}` });
  }
  if (found.length === 0) {
    const script = operands.shift();
    if (script === undefined) return undefined;
    found.push({ text: script, name: "-e expression #1" });
  }
  return found;
}

const USAGE = "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n";

async function sed(state: ShellState, args: readonly string[]): Promise<number> {
  if (args.includes("--version")) {
    await state.write(1, "sed (GNU sed) 4.9 (of this container)\n");
    return 0;
  }
  try {
    const options = parseOptions(args, "ne:f:Ersi::zul:b", LONG);
    const operands = [...options.operands];
    const given = await sources(state, options, operands);
    if (!given) {
      if (!options.has("f")) await state.write(2, USAGE);
      return 1;
    }
    const [first] = given;
    const silent = first?.text.startsWith("#n\n") || first?.text === "#n";
    const commands = parseSed(given, options.has("E") || options.has("r"));
    const quiet: Parsed = silent ? { ...options, has: (key) => key === "n" || options.has(key) } : options;
    const run = new Sed(state, commands, quiet, operands.length > 0 ? operands : ["-"]);
    for (const { name, text, substitute } of commands) {
      const path = "wW".includes(name) ? text : substitute?.file;
      if (path !== undefined && !path.startsWith("/dev/std")) run.file(path);
    }
    await run.run();
    return run.code;
  } catch (error) {
    if (error instanceof FsError || error instanceof ExpansionError) {
      await state.write(2, `sed: couldn't open file ${error instanceof FsError ? reason(error) : error.message}\n`);
      return 4;
    }
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `sed: ${error.message}\n${/ option --? ?'|option '|option -- /.test(error.message) ? USAGE : ""}`);
    return error.message.startsWith("can't find label") ? 4 : 1;
  }
}

export const SED = { sed } satisfies Readonly<Record<string, OwnCommand>>;
