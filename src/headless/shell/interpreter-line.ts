// Files whose first line names what runs them (`#!/usr/bin/env -S tsx --flag`), where that is neither a shell nor a plain node.
import { COMMANDS } from "./commands/index.ts";
import { isProgram, runWords } from "./simple-command.ts";
import type { ShellState } from "./state.ts";

/** The path or, after `env`, the name of what runs a file, and its arguments; assignments go before as `env` wants them. */
export function interpreterOf(text: string): { readonly path: string; readonly byName: boolean; readonly words: readonly string[] } {
  const [path = "", ...rest] = (text.split("\n", 1)[0] ?? "").slice(2).trim().split(/\s+/);
  if (!/(^|\/)env$/.test(path)) return { path, byName: false, words: [path.slice(path.lastIndexOf("/") + 1), ...rest] };
  const words = rest.filter((word, i) => !(i === 0 && word === "-S"));
  const at = words.findIndex((word) => !/^-|^\w+=/.test(word));
  return { path: words[at] ?? "", byName: true, words: at > 0 ? ["env", ...words] : words };
}

/** Runs the file as its first line says; its exit code. */
export async function runByFirstLine(state: ShellState, text: string, file: string, args: readonly string[]): Promise<number> {
  const { path, byName, words } = interpreterOf(text);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (COMMANDS[name] ?? (isProgram(state, name) || state.host.leaves.names.has(name))) return runWords(state, [...words, file, ...args]);
  await state.write(2, byName ? `/usr/bin/env: ‘${path}’: No such file or directory\n` : `bash: ${file}: ${path}: bad interpreter: No such file or directory\n`);
  return byName ? 127 : 126;
}
