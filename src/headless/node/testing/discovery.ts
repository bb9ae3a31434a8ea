// Which files `node --test` runs, by Node 20's rules: what is named is run; a folder is searched for `test` folders and
// for files whose names say test.
import { joinPath, resolvePath } from "../../posix-path.ts";
import type { Runtime } from "../runtime.ts";

const SCRIPT = /\.[cm]?js$/;
const TYPESCRIPT = /\.[cm]?ts$/;
const NAMED_TEST = /^(test|test-.+|.+[.\-_]test)\.[cm]?[jt]s$/;

export class MissingPath extends Error {
  readonly path: string;

  constructor(path: string) {
    super(`Could not find '${path}'`);
    this.path = path;
  }
}

/** Sorted. Throws MissingPath for a named path that is not there. */
export function findTestFiles(runtime: Runtime, named: readonly string[]): string[] {
  const found = new Set<string>();
  for (const path of named.length > 0 ? named : ["."]) {
    const absolute = resolvePath(path, runtime.cwd);
    if (!runtime.vfs.exists(absolute)) throw new MissingPath(absolute);
    visit(runtime, absolute, found, true, false);
  }
  return [...found].sort();
}

function visit(runtime: Runtime, path: string, found: Set<string>, named: boolean, underTest: boolean): void {
  const node = runtime.vfs.find(path);
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (node?.kind === "file") {
    if (named || (underTest ? SCRIPT.test(name) || (TYPESCRIPT.test(name) && NAMED_TEST.test(name)) : NAMED_TEST.test(name) && !name.endsWith(".d.ts"))) found.add(path);
  } else if (node?.kind === "dir" && (named || name !== "node_modules")) {
    for (const child of runtime.vfs.readdir(path)) visit(runtime, joinPath(path, child), found, false, underTest || name === "test");
  }
}
