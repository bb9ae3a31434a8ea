// watch: a command again and again, its newest output on a screen of its own, until Ctrl+C.
import { runText, subshell } from "../interpreter.ts";
import { Jobs } from "../jobs.ts";
import type { ShellState } from "../state.ts";
import { NullStream, pipe, readAll } from "../streams.ts";
import { sleep, Task } from "../task.ts";
import { textWidth } from "../../line-editor.ts";
import type { OwnCommand } from "./index.ts";

/** More often, procps does not go. */
const LEAST_SECONDS = 0.1;

/** What it prints and its code. */
async function ran(state: ShellState, script: string): Promise<{ readonly output: string; readonly code: number }> {
  const { reader, writer } = pipe();
  const part = state.fork(new Task(state.task), new Jobs(state.jobs.root));
  part.open(0, new NullStream());
  part.open(1, writer);
  part.setFd(2, part.fds.get(1)?.hold());
  const done = subshell(part, () => runText(part, script));
  const output = new TextDecoder().decode(await readAll(reader, state.signal));
  const code = await done;
  state.signal.throwIfAborted();
  return { output, code };
}

/** A line, as far as the screen is wide; colours take no room. */
function cut(line: string, columns: number): string {
  let width = 0;
  let out = "";
  // oxlint-disable-next-line no-control-regex -- what colours are
  for (const [piece] of line.matchAll(/\u001b\[[\d;:]*m|[^\u0000-\u001f]/gsu)) {
    if (!piece.startsWith("\u001b")) width += textWidth(piece);
    if (width > columns) break;
    out += piece;
  }
  return out;
}

async function watch(state: ShellState, args: readonly string[]): Promise<number> {
  let seconds = 2;
  let flags = "";
  let at = 0;
  for (; /^-./.test(args[at] ?? ""); at++) {
    const arg = args[at] ?? "";
    const interval = /^(?:-n|--interval(?:=|$))(.*)$/.exec(arg);
    if (interval) {
      const text = interval[1] || (args[++at] ?? "");
      seconds = Number(text.replace(",", "."));
      if (text === "" || Number.isNaN(seconds)) {
        await state.write(2, `watch: failed to parse argument: '${text}'\n`);
        return 1;
      }
    } else flags += arg.startsWith("--") ? ({ "--no-title": "t", "--errexit": "e", "--chgexit": "g", "--color": "c" }[arg] ?? "") : arg.slice(1);
  }
  const script = args.slice(at).join(" ");
  if (script === "") {
    await state.write(2, "Usage:\n watch [options] command\n");
    return 1;
  }
  const interval = Math.max(LEAST_SECONDS, seconds);
  const onScreen = state.fds.get(1)?.stream.terminal === true;
  let before: string | undefined;
  if (onScreen) await state.write(1, "\u001b[?1049h\u001b[?25l");
  try {
    for (;;) {
      const { output, code } = await ran(state, script);
      const { cols, rows } = state.host.terminal ?? { cols: 80, rows: 24 };
      // oxlint-disable-next-line no-control-regex -- what colours are
      const text = flags.includes("c") ? output : output.replaceAll(/\u001b\[[\d;:]*[A-Za-z]/g, "");
      if (!onScreen) await state.write(1, text);
      else {
        const [left, right] = [`Every ${interval.toFixed(1)}s: ${script}`, `container: ${new Date().toUTCString().replace(/,| GMT/g, "")}`];
        const head = flags.includes("t") ? [] : [`${cut(left, Math.max(0, cols - right.length - 1)).padEnd(cols - right.length)}${right}`, ""];
        const lines = [...head, ...text.replaceAll("\t", "        ").split("\n")].slice(0, rows);
        await state.write(1, `\u001b[H${lines.map((line) => `${cut(line, cols)}\u001b[0m\u001b[K`).join("\n")}\u001b[J`);
      }
      if (flags.includes("e") && code !== 0) return code;
      if (flags.includes("g") && before !== undefined && before !== output) return 0;
      before = output;
      await sleep(interval * 1000, state.signal);
    }
  } finally {
    if (onScreen) await state.write(1, "\u001b[?25h\u001b[?1049l");
  }
}

export const WATCH = { watch } satisfies Readonly<Record<string, OwnCommand>>;
