// What is checked and made of a request before there is a process, and how its end is told.
import { SIGNAL_EXIT_CODES, type Signal, type SpawnRequest } from "../protocol.ts";

export class SpawnError extends Error {
  readonly code: "ENOENT" | "EAGAIN" | "E2BIG" | "EACCES";

  constructor(code: SpawnError["code"], { command }: SpawnRequest, why = "") {
    super(`spawn ${command} ${code}${why && `: ${why}`}`);
    this.code = code;
  }
}

/** What else can fail than what is checked is what the command was made from: a package.json that is none, a folder where a file should be. */
export function spawnFailure(error: unknown, request: SpawnRequest): SpawnError {
  return error instanceof SpawnError ? error : new SpawnError("EACCES", request, String(error));
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
