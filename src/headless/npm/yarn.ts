// `yarn`: scripts and commands of installed packages, in the words of yarn 1 or, where the project says so, as later ones do
// (no words, no `pre…` and `post…`). What installs is left to this container's npm, and that is said.
import { quote } from "../kernel/plan.ts";
import { joinPath, resolvePath } from "../posix-path.ts";
import { foldersOf, type Host, readText, type RunNpm } from "./host.ts";
import { text } from "./manifest.ts";
import { environment, findBinary, type Manner, packageAt, packagesFrom, runScript } from "./run-script.ts";
import { findWorkspaces } from "./workspaces.ts";

const CLASSIC = "1.22.22";
const ANYTHING_ELSE = new Set(["audit", "autoclean", "cache", "check", "config", "generate-lock-entry", "global", "import", "info", "licenses", "link", "list", "login", "logout", "outdated", "owner", "pack", "policies", "publish", "self-update", "tag", "team", "unlink", "unplug", "upgrade-interactive", "version", "versions", "why"]);
/** Commands that this container's npm has under another name. */
const OF_NPM: Readonly<Record<string, string>> = { install: "install", add: "install", remove: "uninstall", upgrade: "update", up: "update" };

/** `npm` runs this container's npm on the same project. Resolves with the exit code. */
export async function runYarn(given: Host, argv: readonly string[], npm: RunNpm): Promise<number> {
  let host = given;
  let silent = false;
  let at = 0;
  for (; argv[at]?.startsWith("-"); at++) {
    const flag = argv[at];
    if (flag === "--cwd") host = { ...host, cwd: resolvePath(argv[++at] ?? "", host.cwd) };
    else if (flag === "-s" || flag === "--silent") silent = true;
    else if (flag === "-v" || flag === "--version") break;
  }
  const [command = "install", ...args] = argv.slice(at);
  const flags = command === "run" ? args.findIndex((arg) => !arg.startsWith("-")) : 0;
  if (args.splice(0, Math.max(0, flags)).some((flag) => flag === "-s" || flag === "--silent")) silent = true;
  return new Yarn(host, silent, npm).run(command, args);
}

class Yarn {
  readonly #host: Host;
  readonly #silent: boolean;
  readonly #npm: RunNpm;
  readonly #version: string;
  readonly #classic: boolean;

  constructor(host: Host, silent: boolean, npm: RunNpm) {
    this.#host = host;
    this.#npm = npm;
    this.#version = versionOf(host);
    this.#classic = this.#version.startsWith("1.");
    this.#silent = silent || !this.#classic;
  }

  run(command: string, args: readonly string[]): Promise<number> | number {
    switch (command) {
      case "-v":
      case "--version":
        this.#host.out(`${this.#version}\n`);
        return 0;
      case "run":
        return this.#said("run", () => this.#runNamed(args));
      case "exec":
        return this.#said("exec", () => this.#program(args[0] ?? "", args.slice(args[1] === "--" ? 2 : 1)));
      case "node":
        return this.#said("node", () => this.#program("node", args));
      case "dlx":
        return this.#npm(this.#host, ["exec", "--yes", "--", ...args]);
      case "create":
        return this.#npm(this.#host, ["init", ...args.slice(0, 1), "--", ...args.slice(1)]);
      case "init":
        return this.#npm(this.#host, ["init", ...args]);
      case "bin":
        return this.#bin(args[0]);
      case "workspace":
        return this.#said("workspace", () => this.#inWorkspace(args[0] ?? "", args.slice(1)));
      case "workspaces":
        return this.#said("workspaces", () => this.#inWorkspaces(args));
      default:
        if (OF_NPM[command] !== undefined) return this.#install(OF_NPM[command], args);
        if (ANYTHING_ELSE.has(command)) return this.#said("run", () => this.#error(`"yarn ${command}" is not available in this container, which has npm, and of yarn what runs scripts and commands. Try: npm help`));
        return this.#said("run", () => this.#runNamed([command, ...args]));
    }
  }

  /** Between yarn's first and last line. */
  async #said(command: string, work: () => Promise<number> | number): Promise<number> {
    if (this.#silent) return work();
    const from = performance.now();
    this.#host.out(`yarn ${command} v${this.#version}\n`);
    const code = await work();
    this.#host.out(code === 0 ? `Done in ${((performance.now() - from) / 1000).toFixed(2)}s.\n` : `info Visit https://yarnpkg.com/en/docs/cli/${command} for documentation about this command.\n`);
    return code;
  }

  async #runNamed([name, ...args]: readonly string[]): Promise<number> {
    const host = this.#host;
    const own = packageAt(host, host.cwd);
    if (name === undefined) return this.#list();
    const passed = this.#classic && args[0] === "--" ? args.slice(1) : args;
    if (passed !== args && !this.#silent) host.err('warning From Yarn 1.0 onwards, scripts don\'t require "--" for options to be forwarded. In a future version, any explicit "--" will be forwarded as-is to the scripts.\n');
    if (own.manifest.scripts[name] !== undefined) return this.#ended(await runScript(host, own, name, passed, this.#manner()));
    const binary = findBinary(host, own.path, name);
    if (binary === undefined) return this.#classic ? this.#error(`Command "${name}" not found.`) : this.#usage(`Couldn't find a script named "${name}".`);
    if (!this.#silent) host.out(`$ ${[binary, ...passed].map(quote).join(" ")}\n`);
    return this.#ended(await host.run(binary, passed, { cwd: own.path, env: environment(host, own, name, [binary, ...passed].join(" "), this.#manner()) }));
  }

  #manner(): Manner {
    return { agent: "yarn", version: this.#version, hooks: this.#classic, banner: (_, __, line) => (this.#silent ? "" : `$ ${line}\n`) };
  }

  #program(command: string, args: readonly string[]): Promise<number> {
    const own = packageAt(this.#host, this.#host.cwd);
    return this.#host.run(command, args, { cwd: this.#host.cwd, env: environment(this.#host, own, "exec", command, this.#manner()) });
  }

  #list(): number {
    const { scripts } = packageAt(this.#host, this.#host.cwd).manifest;
    const names = Object.keys(scripts).sort();
    if (this.#classic) this.#host.out(`info Project commands\n${names.map((name) => `   - ${name}\n      ${scripts[name] ?? ""}\n`).join("")}`);
    else for (const name of names) this.#host.out(`${name}  ${scripts[name] ?? ""}\n`);
    return 0;
  }

  #bin(name: string | undefined): number {
    const { path } = packageAt(this.#host, this.#host.cwd);
    const found = name === undefined ? joinPath(path, "node_modules/.bin") : findBinary(this.#host, path, name);
    if (found === undefined) return this.#error(`Couldn't find a binary named "${name ?? ""}"`);
    this.#host.out(`${found}\n`);
    return 0;
  }

  /** Name to folder. */
  #workspaces(): ReadonlyMap<string, string> {
    for (const { path, manifest } of packagesFrom(this.#host, this.#host.cwd)) {
      const found = findWorkspaces(path, manifest, foldersOf(this.#host.vfs));
      if (found.size > 0) return new Map([...found].map(([folder, { name }]) => [name, folder]));
    }
    return new Map();
  }

  async #inWorkspace(name: string, args: readonly string[]): Promise<number> {
    const folder = this.#workspaces().get(name);
    if (folder === undefined) return this.#classic ? this.#error(`Unknown workspace "${name}".`) : this.#usage(`Workspace '${name}' not found.`);
    return runYarn({ ...this.#host, cwd: folder }, args, this.#npm);
  }

  /** `workspaces run X` of yarn 1 and `workspaces foreach … run X` of later ones; the first that fails is the last. */
  async #inWorkspaces(args: readonly string[]): Promise<number> {
    const words = args.slice(args[0] === "foreach" ? args.findIndex((arg, at) => at > 0 && !arg.startsWith("-")) : 0);
    if (args.length === 0 || words.length === 0) return this.#error("Missing command: yarn workspaces run SCRIPT");
    for (const [name, folder] of this.#workspaces()) {
      const isThere = words[0] !== "run" || packageAt(this.#host, folder).manifest.scripts[words[1] ?? ""] !== undefined;
      if (!isThere && !this.#classic) continue;
      if (!this.#silent) this.#host.out(`\n> ${name}\n`);
      const code = await runYarn({ ...this.#host, cwd: folder }, words, this.#npm);
      if (code === 0) continue;
      if (this.#classic) this.#error(`Command failed.\nExit code: ${code}\nCommand: yarn\nArguments: ${words.join(" ")}\nDirectory: ${folder}\nOutput:\n`);
      else this.#host.out(`The command failed in workspace ${name} with exit code ${code}\n`);
      return code;
    }
    return 0;
  }

  #install(command: string, args: readonly string[]): Promise<number> {
    this.#host.err(`warning yarn's own installer is not in this container: npm ${command} does it. It takes the versions of yarn.lock where they fit, and leaves that file as it is.\n`);
    return this.#npm(this.#host, [command, "--no-package-lock", "--versions-from=yarn.lock", ...args.map((arg) => ({ "--dev": "--save-dev", "--exact": "--save-exact", "--optional": "--save-optional" })[arg] ?? arg)]);
  }

  #ended(code: number): number {
    if (code !== 0 && !this.#silent) this.#host.err(`error Command failed with exit code ${code}.\n`);
    return code;
  }

  #error(message: string): number {
    this.#host.err(`error ${message}\n`);
    return 1;
  }

  #usage(message: string): number {
    this.#host.out(`Usage Error: ${message}\n\n$ yarn run <scriptName> ...\n`);
    return 1;
  }
}

/** What `packageManager` of the nearest package.json says; 4 for a project with a .yarnrc.yml; else yarn 1. */
function versionOf(host: Host): string {
  for (const { path, manifest } of packagesFrom(host, host.cwd)) {
    const said = /^yarn@(\d[^+]*)/.exec(text(manifest.raw["packageManager"]))?.[1];
    if (said !== undefined) return said;
    if (readText(host.vfs, joinPath(path, ".yarnrc.yml")) !== undefined) return "4.0.0";
  }
  return CLASSIC;
}
