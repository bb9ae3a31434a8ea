// What is checked and made of a request before there is a process, and how its end is told.
import { SIGNAL_EXIT_CODES, type Signal, type SpawnRequest } from "../protocol.ts";

export class SpawnError extends Error {
  readonly code: "ENOENT" | "EAGAIN" | "E2BIG";

  constructor(code: SpawnError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** Characters of its arguments and variables together. */
export function argumentBytes({ args, env }: SpawnRequest): number {
  return [...args, ...Object.entries(env).flat()].reduce((sum, { length }) => sum + length, 0);
}

/** The environment of a process that the page starts. */
export function hostEnvironment(given: Readonly<Record<string, string>>, path: string, cwd: string): Record<string, string> {
  return { HOME: "/home", PATH: path, PWD: cwd, SHELL: "/bin/sh", TERM: "xterm-256color", USER: "user", LANG: "C.UTF-8", TMPDIR: "/tmp", ...given };
}

/** 128 + number for a signal, as a shell would say it. */
export function exitCodeOf(code: number | null, signal: Signal | null): number {
  return code ?? SIGNAL_EXIT_CODES[signal ?? "SIGTERM"];
}
