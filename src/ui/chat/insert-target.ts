// Where a block of code goes in a file, and what the file is then. Pure.

/** `replace`: the block is the whole file. `end`: it follows what is there. */
export const PLACES = ["replace", "end"] as const;
/** One of `PLACES`. */
export type Place = (typeof PLACES)[number];

/** The file's text after the block was put in. */
export function inserted(before: string | undefined, block: string, place: Place): string {
  if (before === undefined || before === "" || place === "replace") return block;
  return `${before}${before.endsWith("\n") ? "" : "\n"}\n${block}`;
}

/** Why a path cannot be written to; undefined for one that can. */
export function pathProblem(path: string): "empty" | "outside" | undefined {
  if (path.trim() === "" || path.endsWith("/")) return "empty";
  return path.startsWith("/") || path.includes("\\") || path.includes("\0") || path.split("/").some((part) => part === ".." || part === "." || part === "") ? "outside" : undefined;
}
