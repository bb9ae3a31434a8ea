// One npm command: its words to what does it, its failure to npm's lines and exit code. `run`, `test` and the other
// scripts come here for workspaces only: those of one package the kernel starts itself (kernel/npm.ts).
import { RUN_COMMANDS, SCRIPT_COMMANDS } from "../kernel/npm.ts";
import { joinPath, resolvePath } from "../posix-path.ts";
import { FsError } from "../fs-error.ts";
import { type Config, makeConfig, parseOptions } from "./config.ts";
import { NpmError } from "./error.ts";
import { exec } from "./exec.ts";
import { explain } from "./explain.ts";
import { findProject, type Host, type Project, readText } from "./host.ts";
import { install } from "./install.ts";
import { list } from "./list.ts";
import { runPnpm } from "./pnpm.ts";
import { chosenWorkspaces, runInWorkspaces } from "./run-workspaces.ts";
import { parseArgument } from "./spec.ts";
import { init, outdated, pkg, version, view } from "./small-commands.ts";
import { usage } from "./usage.ts";
import { runYarn } from "./yarn.ts";

/** npm's own other names for its commands. */
const ALIASES: Readonly<Record<string, string>> = {
  i: "install", in: "install", ins: "install", inst: "install", insta: "install", instal: "install", isnt: "install", add: "install",
  "clean-install": "ci", ic: "ci", "install-clean": "ci", un: "uninstall", unlink: "uninstall", remove: "uninstall", rm: "uninstall", r: "uninstall",
  up: "update", upgrade: "update", list: "ls", la: "ls", ll: "ls", info: "view", show: "view", v: "view", x: "exec", create: "init", innit: "init", c: "config", why: "explain", ddp: "dedupe", find: "search", author: "owner", home: "docs",
};
const ELSEWHERE = new Set(["publish", "login", "logout", "whoami", "adduser", "audit", "token", "team", "owner", "org", "profile", "hook", "dist-tag", "deprecate", "unpublish", "star", "link", "search", "doctor", "pack", "rebuild", "dedupe", "fund", "ping", "diff", "edit", "sbom", "query", "explore", "completion", "stars", "unstar", "set-script", "access", "install-test", "find-dupes", "cache", "shrinkwrap", "repo", "bugs", "docs"]);

/** npm, or what `yarn` and `pnpm` as the first word ask for. */
export function runManager(host: Host, argv: readonly string[]): Promise<number> {
  const [name, ...args] = argv;
  if (name === "yarn") return runYarn(host, args, runNpm);
  if (name === "pnpm") return runPnpm(host, args, runNpm);
  return runNpm(host, argv);
}

/** Resolves with the exit code; prints its failure itself. */
export async function runNpm(host: Host, argv: readonly string[]): Promise<number> {
  let config: Config | undefined;
  try {
    const isExec = argv[0] === "exec" || argv[0] === "x";
    const parsed = isExec ? parseOptions(argv.slice(1), true) : parseOptions(argv);
    const [given, ...own] = isExec ? ["exec", ...parsed.words] : parsed.words;
    const prefix = parsed.options.get("prefix")?.at(-1);
    const cwd = prefix === undefined ? host.cwd : resolvePath(prefix, host.cwd);
    const path = prefix === undefined ? findProject(host.vfs, cwd) : cwd;
    const files = [joinPath(path, ".npmrc"), joinPath(host.env["HOME"] ?? "/home", ".npmrc")].map((file) => readText(host.vfs, file) ?? "");
    config = makeConfig(parsed.options, host.env, files);
    const command = ALIASES[given ?? ""] ?? given ?? "";
    if (config.flag("help") || command === "help" || command === "") {
      host.out(usage(command === "help" ? (own[0] ?? "") : command));
      return command === "" && !config.flag("help") ? 1 : 0;
    }
    if (config.flag("global")) throw new NpmError("EGLOBAL", "Packages cannot be installed globally in this container. Install into the project, or use npx to run a package's command.");
    const project = { host: { ...host, cwd }, config, path };
    if (config.list("workspace").length === 0 && !config.flag("workspaces")) return await dispatch(project, command, own, parsed);
    return await dispatchInWorkspaces(project, command, own, parsed);
  } catch (thrown) {
    return fail(host, config, thrown);
  }
}

/** What `-w` and `--workspaces` can be given to. */
async function dispatchInWorkspaces(project: Project, command: string, words: readonly string[], parsed: ReturnType<typeof parseOptions>): Promise<number> {
  const isRun = RUN_COMMANDS.has(command);
  const script = isRun ? words[0] : SCRIPT_COMMANDS[command];
  if (script !== undefined) return runInWorkspaces(project, script, words.slice(isRun ? 1 : 0), parsed);
  if (command === "exec") {
    let code = 0;
    for (const { path } of chosenWorkspaces(project)) code = (await dispatch({ ...project, host: { ...project.host, cwd: path } }, command, words, parsed)) || code;
    return code;
  }
  if (command === "ls") return dispatch(project, command, words, parsed);
  throw new NpmError("EUNSUPPORTED", `npm ${command} takes no --workspace in this container. Run it in the workspace's folder, or install for all at the project's root.`);
}

async function dispatch(project: Project, command: string, words: readonly string[], parsed: ReturnType<typeof parseOptions>): Promise<number> {
  const { host } = project;
  const saved = async (): Promise<number> => {
    await host.commit();
    return 0;
  };
  switch (command) {
    case "install":
      await install(project, words.length > 0 ? { add: words } : {});
      return 0;
    case "ci":
      await install(project, { fromLock: true });
      return 0;
    case "uninstall":
      if (words.length === 0) throw new NpmError("", "Must provide a package name to remove");
      await install(project, { remove: words.map((word) => parseArgument(word).name) });
      return 0;
    case "update":
      await install(project, { update: words });
      return 0;
    case "ls":
      list(project, words);
      return 0;
    case "explain":
      explain(project, words);
      return 0;
    // As an install it takes away what nothing needs, and puts back what is missing.
    case "prune":
      if (words.length > 0) throw new NpmError("EUNSUPPORTED", "npm prune takes no names in this container: it removes all that is not needed.");
      await install(project, {});
      return 0;
    case "exec":
      return exec(project, [...words, ...parsed.rest], parsed);
    case "init":
      // `npm create vite` is `npx create-vite`.
      if (words[0] !== undefined) return exec(project, [initializer(words[0]), ...words.slice(1), ...parsed.rest], parsed);
      init(project);
      return saved();
    case "version":
      version(project, words);
      return saved();
    case "view":
      await view(project, words);
      return 0;
    case "pkg":
      pkg(project, words);
      return saved();
    case "outdated":
      return (await outdated(project)) ? 0 : 1;
    case "root":
      host.out(`${joinPath(project.path, "node_modules")}\n`);
      return 0;
    case "prefix":
      host.out(`${project.path}\n`);
      return 0;
    case "config":
      if (words[0] !== "get" || words[1] === undefined) throw new NpmError("EUSAGE", "Only npm config get NAME is available; write settings into .npmrc.");
      host.out(`${words[1] === "registry" ? project.config.registryOf("") : (project.config.get(words[1]) ?? "undefined")}\n`);
      return 0;
    default:
      if (ELSEWHERE.has(command)) throw new NpmError("", `"npm ${command}" is not available in this container. Run it where the package lives.`);
      host.err(`Unknown command: "${command}"\n\nTo see a list of supported npm commands, run:\n  npm help\n`);
      return 1;
  }
}

/** `vite` → `create-vite`, `@scope` → `@scope/create`, `@scope/x` → `@scope/create-x`, versions kept. */
function initializer(word: string): string {
  const match = /^(@[^/@]+)?\/?([^@]*)(@.*)?$/.exec(word);
  const [, scope, name = "", wanted = ""] = match ?? [];
  if (scope === undefined) return `create-${name}${wanted}`;
  return `${scope}/create${name === "" ? "" : `-${name}`}${wanted}`;
}

/** What npm puts before the lines of some errors. */
const MARKS: Readonly<Record<string, { readonly first: string; readonly rest: string }>> = {
  E404: { first: "", rest: "404 " },
  ETARGET: { first: "notarget ", rest: "notarget " },
  ERESOLVE: { first: "ERESOLVE ", rest: "" },
  EBADPLATFORM: { first: "notsup ", rest: "notsup " },
  EBADENGINE: { first: "engine ", rest: "notsup " },
};

function fail(host: Host, config: Config | undefined, thrown: unknown): number {
  const lines: string[] = [];
  let code = 1;
  if (thrown instanceof NpmError) {
    code = thrown.exitCode;
    if (thrown.code !== "") lines.push(`code ${thrown.code}`);
    const { first = "", rest = "" } = MARKS[thrown.code] ?? {};
    if (thrown.message !== "") lines.push(...thrown.message.split("\n").map((line) => first + line));
    lines.push(...thrown.notes.map((note) => rest + note));
  } else if (thrown instanceof FsError) {
    lines.push(`code ${thrown.code}`, `syscall ${thrown.syscall}`, ...(thrown.path === undefined ? [] : [`path ${thrown.path}`]), thrown.message);
    if (thrown.code === "ENOSPC") lines.push("nospc The container's file system is full. Nothing was installed.");
  } else {
    lines.push(thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown));
  }
  if (config?.get("loglevel") !== "silent") for (const line of lines) host.err(`npm error ${line}`.trimEnd() + "\n");
  return code;
}
