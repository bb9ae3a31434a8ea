// shuf, as GNU's.
import { fromLatin1, latin1 } from "../../kernel/text-encoding.ts";
import { readAll } from "../streams.ts";
import type { ShellState } from "../state.ts";
import { parseOptions, UsageError } from "./getopt.ts";
import type { OwnCommand } from "./index.ts";
import { input } from "./streams.ts";

async function linesOf(state: ShellState, path: string): Promise<string[] | undefined> {
  const file = await input(state, "shuf", path);
  if (!file) return undefined;
  const lines = latin1(await readAll(file.stream, state.signal)).split("\n");
  file.release();
  if (lines.at(-1) === "") lines.pop();
  return lines;
}

async function shuf(state: ShellState, args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args, "en:i:r", { echo: "e", "head-count": "n", "input-range": "i", repeat: "r" });
    const [, from, to] = /^(\d+)-(\d+)$/.exec(options.value("i") ?? "") ?? [];
    if (options.has("i") && (from === undefined || Number(to) < Number(from) - 1)) throw new UsageError(`invalid input range: ‘${options.value("i")}’`);
    const count = options.value("n");
    if (count !== undefined && !/^\d+$/.test(count)) throw new UsageError(`invalid line count: ‘${count}’`);
    const lines = options.has("i") ? Array.from({ length: Number(to) - Number(from) + 1 }, (_, i) => String(Number(from) + i)) : options.has("e") ? options.operands.map((word) => latin1(new TextEncoder().encode(word))) : await linesOf(state, options.operands[0] ?? "-");
    if (!lines) return 1;
    if (options.has("r") && count === undefined) throw new UsageError("--repeat without --head-count is not available in the container");
    const picked = options.has("r") ? Array.from({ length: lines.length === 0 ? 0 : Number(count) }, () => lines[Math.floor(Math.random() * lines.length)] ?? "") : shuffled(lines).slice(0, count === undefined ? lines.length : Number(count));
    await state.write(1, fromLatin1(picked.map((line) => `${line}\n`).join("")));
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    await state.write(2, `shuf: ${error.message}\nTry 'shuf --help' for more information.\n`);
    return 1;
  }
}

function shuffled(lines: string[]): string[] {
  for (let i = lines.length - 1; i > 0; i--) {
    const at = Math.floor(Math.random() * (i + 1));
    [lines[i], lines[at]] = [lines[at] ?? "", lines[i] ?? ""];
  }
  return lines;
}

export const SHUFFLE = { shuf } satisfies Readonly<Record<string, OwnCommand>>;
