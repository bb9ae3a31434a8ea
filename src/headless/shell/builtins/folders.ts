// The working folder: cd, pwd, pushd, popd, dirs.
import { resolvePath } from "../../posix-path.ts";
import type { ShellState } from "../state.ts";
import type { Builtin } from "./index.ts";

/** False, and told, when there is no such folder. */
async function enter(state: ShellState, to: string, name: string, physical = false): Promise<boolean> {
  const { vfs } = state.host;
  const path = resolvePath(to, state.cwd);
  const node = vfs.find(path);
  if (node?.kind !== "dir") {
    await state.complain(`${name}: ${to}: ${node ? "Not a directory" : "No such file or directory"}`);
    return false;
  }
  state.vars.set("OLDPWD", state.cwd);
  state.cwd = physical ? vfs.realpath(path) : path;
  state.vars.set("PWD", state.cwd);
  for (const exported of ["OLDPWD", "PWD"]) state.vars.declared(exported).exported = true;
  return true;
}

async function cd(state: ShellState, given: readonly string[]): Promise<number> {
  const args = given.filter((arg) => !/^-[LPe@]+$/.test(arg) && arg !== "--");
  if (args.length > 1) {
    await state.complain("cd: too many arguments");
    return 1;
  }
  const [to] = args;
  const physical = given.includes("-P");
  if (to === undefined) {
    const home = state.vars.get("HOME");
    if (home !== undefined) return (await enter(state, home, "cd", physical)) ? 0 : 1;
    await state.complain("cd: HOME not set");
    return 1;
  }
  if (to === "-") {
    const old = state.vars.get("OLDPWD");
    if (old === undefined) {
      await state.complain("cd: OLDPWD not set");
      return 1;
    }
    if (!(await enter(state, old, "cd", physical))) return 1;
    await state.write(1, `${state.cwd}\n`);
    return 0;
  }
  if (to === "") return 0;
  if (!to.startsWith("/") && !to.startsWith(".")) {
    for (const folder of (state.vars.get("CDPATH") ?? "").split(":").filter(Boolean)) {
      const path = resolvePath(to, resolvePath(folder, state.cwd));
      if (state.host.vfs.find(path)?.kind !== "dir") continue;
      await enter(state, path, "cd");
      await state.write(1, `${state.cwd}\n`);
      return 0;
    }
  }
  return (await enter(state, to, "cd", physical)) ? 0 : 1;
}

function shown(state: ShellState, path: string): string {
  const home = state.vars.get("HOME") ?? "";
  return home !== "" && (path === home || path.startsWith(`${home}/`)) ? `~${path.slice(home.length)}` : path;
}

async function dirs(state: ShellState, args: readonly string[]): Promise<number> {
  if (args.includes("-c")) {
    state.folders = [];
    return 0;
  }
  const all = [state.cwd, ...state.folders].map((path) => (args.includes("-l") ? path : shown(state, path)));
  await state.write(1, args.includes("-v") ? all.map((path, i) => `${String(i).padStart(2)}  ${path}\n`).join("") : `${all.join(args.includes("-p") ? "\n" : " ")}\n`);
  return 0;
}

export const FOLDERS = {
  cd,
  async pwd(state, args) {
    await state.write(1, `${args.includes("-P") ? state.host.vfs.realpath(state.cwd) : state.cwd}\n`);
    return 0;
  },
  dirs,
  async pushd(state, [to]) {
    const before = state.cwd;
    const [top] = state.folders;
    if (to === undefined) {
      if (top === undefined) {
        await state.complain("pushd: no other directory");
        return 1;
      }
      if (!(await enter(state, top, "pushd"))) return 1;
      state.folders = [before, ...state.folders.slice(1)];
    } else {
      if (!(await enter(state, to, "pushd"))) return 1;
      state.folders = [before, ...state.folders];
    }
    return dirs(state, []);
  },
  async popd(state) {
    const [top, ...rest] = state.folders;
    if (top === undefined) {
      await state.complain("popd: directory stack empty");
      return 1;
    }
    if (!(await enter(state, top, "popd"))) return 1;
    state.folders = rest;
    return dirs(state, []);
  },
} satisfies Readonly<Record<string, Builtin>>;
