// code and open: the page is asked to show a file in its editor. The page watches the file that holds the wish.
import { WANTED_FILE } from "../../../base/shell-files.ts";
import { isWithin, joinPath, resolvePath } from "../../posix-path.ts";
import type { ShellState } from "../state.ts";
import type { OwnCommand } from "./index.ts";

async function ask(state: ShellState, name: string, args: readonly string[]): Promise<number> {
  const given = args.find((arg) => !arg.startsWith("-"));
  const { vfs } = state.host;
  const home = state.vars.get("HOME") ?? "/home";
  const project = joinPath(home, "project");
  // `code -g file:12:3`: the place in it is not gone to.
  const paths = [given ?? "", (given ?? "").replace(/(:\d+){1,2}$/, "")].map((path) => resolvePath(path, state.cwd));
  const path = paths.find((each) => vfs.find(each)?.kind === "file");
  const why = given === undefined ? "which file?" : /^\w+:\/\//.test(given) ? `${given}: the Preview tab shows what servers serve` : path === undefined ? `${given}: No such file` : isWithin(path, project) ? undefined : `${given}: not in the project`;
  if (why !== undefined || path === undefined) {
    await state.write(2, `${name}: ${why}\n`);
    return 1;
  }
  vfs.writeFile(joinPath(home, WANTED_FILE), new TextEncoder().encode(path.slice(project.length + 1)));
  return 0;
}

export const OPEN = {
  code: (state, args) => ask(state, "code", args),
  open: (state, args) => ask(state, "open", args),
} satisfies Readonly<Record<string, OwnCommand>>;
