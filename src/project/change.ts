// What changed between two trees, as data: the page's diff view and the patch text are both made from it.

export interface DiffLine {
  readonly kind: "same" | "added" | "removed";
  readonly text: string;
  /** 1-based; absent on the side where the line does not exist. */
  readonly oldLine?: number;
  readonly newLine?: number;
}

export interface DiffHunk {
  readonly lines: readonly DiffLine[];
}

export interface FileChange {
  readonly path: string;
  readonly kind: "added" | "removed" | "changed";
  readonly binary: boolean;
  /** Lines added and removed; 0 for a binary file. */
  readonly added: number;
  readonly removed: number;
  /** Empty for a binary file. */
  readonly hunks: readonly DiffHunk[];
}
