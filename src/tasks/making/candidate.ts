// A task that is not proven yet, and where candidates come from. A source is a numbered list: the same number gives the
// same candidate on every machine, so a run is cut into shards by numbers and begun again anywhere.
import type { DropReason } from "../task-line.ts";
import type { FileTree } from "../../project/tree.ts";
import type { Task } from "../task.ts";

export interface Candidate {
  /** Everything but the words, which are written from what fails. */
  readonly task: Omit<Task, "instruction" | "instructions">;
  /** The broken file, for the exact instruction. */
  readonly path: string;
  readonly inFunction?: string;
  /** Of the hidden tests only the files that turn red are kept: the others stand among the files anyway. */
  readonly onlyRed?: true;
}

/** Candidates by number. `name` says what they are drawn from: two sources of one name give the same candidates. */
export interface Source {
  readonly name: string;
  /** Numbers from 0 to below this have a candidate; Infinity where there is no end. */
  readonly size: number;
  /** Files that all of its tasks share but for the broken one, and their packages; a file of tasks says them once. */
  readonly shared?: { readonly files: FileTree; readonly packages?: FileTree };
  /** The most that one run of the tests may take, milliseconds of wall time. */
  readonly timeoutMs: number;
  /** True if the tests say which of them failed. Without, the exit code alone decides. */
  readonly readable: boolean;
  candidate(seed: number): Promise<Candidate | DropReason>;
}
