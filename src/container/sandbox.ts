// What the agent and the page need of a place where code runs. The container implements it over the
// WebContainer client; tests and the task synthesiser have their own. One contract suite runs over all of them.
import type { FileTree } from "../project/tree.ts";

export interface RunOptions {
  /** Wall time; the command is killed after it. Default LIMITS.commandMs, at most LIMITS.commandMsMax; infinite: for a user, who can stop it. */
  readonly timeoutMs?: number;
  /** Output as it is produced, stdout and stderr interleaved. */
  readonly onOutput?: (text: string) => void;
}

export interface RunResult {
  /** What real Node or sh would have returned; 143 for a kill, null if it never started. */
  readonly exitCode: number | null;
  /** stdout and stderr interleaved, capped at LIMITS.commandOutputBytes. */
  readonly output: string;
  /** `crashed`: the container did, and is there again; the same command can be run once more. */
  readonly end: "exit" | "timeout" | "aborted" | "output-limit" | "crashed";
  readonly durationMs: number;
}

/** A project's files as they change, whoever changes them. `node_modules` and `.git` do not count. */
export interface LiveProject {
  /** Calls back after changes; resolves with what ends that. */
  watch(onChange: () => void): Promise<() => void>;
  /** All of it as one value, for `mount`: links, permission bits and empty folders too. */
  image(): Promise<Uint8Array>;
  mount(image: Uint8Array): Promise<void>;
  /** Calls back whenever a server starts or stops listening on a TCP port; `url` shows what it serves in an iframe of this page. */
  onPort(listener: (port: number, open: boolean, url: string) => void): void;
  /** Starts the container again after it has crashed too often. */
  restart(): Promise<void>;
  /** Whether it has a `node_modules`. */
  hasPackages(): Promise<boolean>;
}

/** A shell at a terminal. */
export interface TerminalShell {
  /** Keys, as a terminal sends them. */
  write(keys: string): void;
  resize(size: TerminalSize): void;
  /** Ends it and all that runs in it. */
  close(): void;
  readonly ended: Promise<unknown>;
}

/** The file that its shells keep their command lines in, beside the project: no part of it, and gone with the container. */
export interface ShellHistory {
  /** Null: it is not there. */
  read(): Promise<string | null>;
  write(text: string): Promise<void>;
  /** Calls back after changes. */
  watch(onChange: () => void): void;
}

export interface TerminalSize {
  readonly cols: number;
  readonly rows: number;
}

export interface Sandbox {
  /** Absent where nobody but the page changes files. */
  readonly live?: LiveProject;
  /**
   * A second project to try things in: its own files, this one's packages. Nothing that happens there is seen here, by
   * watchers and snapshots included. `name` is a plain word; the same name gives the same folder. Absent where there is none.
   */
  beside?(name: string): Promise<Sandbox>;
  /** Throws `project/not-found`. */
  readFile(path: string): Promise<Uint8Array>;
  /** Creates parent folders. */
  writeFile(path: string, bytes: Uint8Array): Promise<void>;
  remove(path: string): Promise<void>;
  /** All file paths but `node_modules` and `.git`, sorted. */
  list(): Promise<readonly string[]>;
  /** Runs `sh -c command` in the project's root. */
  run(command: string, options?: RunOptions, signal?: AbortSignal): Promise<RunResult>;
  /** Opens a shell at a terminal, in the project's root. Absent where there is none. */
  openShell?(size: TerminalSize, onOutput: (text: string) => void): Promise<TerminalShell>;
  /** Calls back with a file of the project that somebody in such a shell wants to see (`code FILE`). */
  onFileWanted?(listener: (path: string) => void): void;
  /** Of those shells; there where they are. */
  readonly shellHistory?: ShellHistory;
  /** The whole project but `node_modules` and `.git`; files that shell commands made included. */
  snapshot(): Promise<FileTree>;
  /** Makes the project equal to the tree: writes what differs, removes what is not in it (`node_modules` and `.git` stay). */
  restore(tree: FileTree): Promise<void>;
}
