// A shell at a terminal (`jsh`), over the WebContainer client.
import { AppError } from "../base/errors.ts";
import { HISTORY_FILE, WANTED_FILE } from "../base/shell-files.ts";
import type { Container } from "./client.ts";
import type { ShellHistory, TerminalShell, TerminalSize } from "./sandbox.ts";

/** `onOutput` gets what the terminal is to show, moves and colours included. Throws `container/stopped`. */
export async function openShell(container: Container, size: TerminalSize, onOutput: (text: string) => void): Promise<TerminalShell> {
  const process = await container.spawn("jsh", [], { terminal: { ...size } }).catch((cause: unknown) => {
    throw new AppError("container/stopped", `The container could not open a shell: ${cause instanceof Error ? cause.message : String(cause)}. Reload the page.`, { cause });
  });
  void process.output.pipeTo(new WritableStream({ write: onOutput })).catch(() => undefined); // it ends with the shell
  const keys = process.input.getWriter();
  return {
    write: (text) => void keys.write(text).catch(() => undefined), // the shell has ended: nobody reads any more
    resize: (to) => process.resize({ ...to }),
    close: () => process.kill(),
    ended: process.exit,
  };
}

/** As the kernel sets it. */
const HOME = "/home";

/** Best effort: a container of another host may have no such place. */
export function shellHistory({ fs }: Container): ShellHistory {
  return {
    read: () => fs.readFile(`${HOME}/${HISTORY_FILE}`, "utf8").catch(() => null),
    write: (text) => fs.writeFile(`${HOME}/${HISTORY_FILE}`, text).catch(() => undefined),
    // The folder: the file is not there from the beginning.
    watch: (onChange) => void fs.watch(HOME, {}, (_event, name) => {
      if (String(name) === HISTORY_FILE) onChange();
    }),
  };
}

/** Calls back with what `code FILE` was given. */
export function onFileWanted({ fs }: Container, listener: (path: string) => void): void {
  fs.watch(HOME, {}, (_event, name) => {
    if (String(name) === WANTED_FILE) void fs.readFile(`${HOME}/${WANTED_FILE}`, "utf8").then(listener, () => undefined); // removed meanwhile
  });
}
