// What has been read from outside and waits for a word on what shall become of it.
import type { Skipped } from "../../project/github.ts";
import type { FileTree } from "../../project/tree.ts";
import type { ProjectOrigin } from "../session/session-state.ts";

/** A project or files that are read but not yet opened. */
export interface Incoming {
  readonly name: string;
  readonly files: FileTree;
  readonly origin: ProjectOrigin;
  /** What the source has and a project cannot hold. */
  readonly skipped?: readonly Skipped[];
}
