// awk, as POSIX has it, held against mawk 1.3.
import { FsError } from "../../fs-error.ts";
import { ExpansionError, type ShellState } from "../state.ts";
import { readAll } from "../streams.ts";
import { Awk } from "./awk-run.ts";
import { parseAwk } from "./awk-syntax.ts";
import { UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";

interface Given {
  readonly sources: readonly string[];
  readonly files: readonly string[];
  readonly assignments: readonly string[];
  readonly operands: readonly string[];
}

/** Options end with the first word that is none: what comes after the program is its own. */
function given(args: readonly string[]): Given {
  const assignments: string[] = [];
  const files: string[] = [];
  let at = 0;
  for (; at < args.length; at++) {
    const arg = args[at] ?? "";
    if (arg === "--") {
      at++;
      break;
    }
    const match = /^-([Fvf])([^]*)$/.exec(arg) ?? /^--(field-separator|assign|file)(?:=([^]*))?$/.exec(arg);
    if (!match) {
      if (!arg.startsWith("-") || arg === "-") break;
      if (/^--(posix|traditional|re-interval|sandbox|lint|characters-as-bytes)$/.test(arg)) continue;
      throw new UsageError(`not an option: ${arg}`);
    }
    const [, option = "", attached] = match;
    const value = attached === undefined || attached === "" ? args[++at] : attached;
    if (value === undefined) throw new UsageError(`option requires an argument -- ${option}`);
    if (/^(F|field)/.test(option)) assignments.push(`FS=${value === "t" ? "\t" : value}`);
    else if (/^(v|assign)/.test(option)) assignments.push(value);
    else files.push(value);
  }
  const words = args.slice(at);
  return { sources: files.length > 0 ? [] : words.slice(0, 1), files, assignments, operands: files.length > 0 ? words : words.slice(1) };
}

async function awk(state: ShellState, args: readonly string[]): Promise<number> {
  if (args[0] === "--version" || args[0] === "-V" || args[0] === "-W") {
    await state.write(1, "awk (POSIX awk, of this container)\n");
    return 0;
  }
  try {
    const { sources, files, assignments, operands } = given(args);
    const texts = [...sources];
    for (const path of files) {
      const file = await input(state, "awk", path, (why) => `awk: cannot open ${path} (${why})`);
      if (!file) return 2;
      texts.push(new TextDecoder().decode(await readAll(file.stream, state.signal)));
      file.release();
    }
    if (texts.length === 0) {
      await state.write(2, "Usage: awk [-F value] [-v var=value] [--] 'program' [file ...]\n       awk [-F value] [-v var=value] -f program-file [--] [file ...]\n");
      return 2;
    }
    const run = new Awk(state, parseAwk(texts.join("\n")), operands);
    for (const assignment of assignments) {
      if (!/^[A-Za-z_]\w*=/.test(assignment)) throw new UsageError(`improper assignment: -v ${assignment}`);
      run.assign(assignment);
    }
    await run.run();
    return run.code;
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof ExpansionError || error instanceof FsError)) throw error;
    await state.write(2, `awk: ${error.message}\n`);
    return 2;
  }
}

export const AWK = { awk } satisfies Readonly<Record<string, OwnCommand>>;
