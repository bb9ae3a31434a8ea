// What the container's shell and the page leave for each other in files of the shell's home, beside the project.
import { LIMITS } from "./limits.ts";

/** The command lines of all shells, oldest first; a command of several lines is one line. Any program may write it. */
export const HISTORY_FILE = ".jsh_history";
/** The path, in the project, of the file that the page is to show. Any program may write it. */
export const WANTED_FILE = ".jsh_open";

/** Whole lines from the end, as many as are kept. */
export function newestLines(text: string): string {
  const lines = text.split("\n").filter((line) => line !== "").slice(-LIMITS.historyLines);
  let room: number = LIMITS.historyCharacters;
  const tooOld = lines.findLastIndex((line) => (room -= line.length + 1) < 0);
  return lines.slice(tooOld + 1).map((line) => `${line}\n`).join("");
}

/** The line of a command in the file. */
export function historyLine(command: string): string {
  return `${command.replaceAll("\\", "\\\\").replaceAll("\n", "\\n")}\n`;
}

/** The commands of the file's text. */
export function commandsOf(text: string): readonly string[] {
  return text.split("\n").filter((line) => line !== "").map((line) => line.replaceAll(/\\(.)/g, (_, next: string) => (next === "n" ? "\n" : next)));
}
