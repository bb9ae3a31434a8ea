// A project is its files: relative POSIX paths and bytes. Everything else (diffs, checkpoints, archives) works on this value.

/** Path → bytes. Paths are relative, `/`-separated, normalised, never `..`. Treat as immutable. */
export type FileTree = ReadonlyMap<string, Uint8Array>;
