// `pnpm`: scripts and commands of installed packages, of one or of many workspace packages, in pnpm 10's words. What installs
// is left to this container's npm, and that is said.
import { globMatcher } from "../kernel/glob.ts";
import { SCRIPT_COMMANDS } from "../kernel/npm.ts";
import { quote } from "../kernel/plan.ts";
import { joinPath, resolvePath } from "../posix-path.ts";
import { foldersOf, type Host, readText, type RunNpm } from "./host.ts";
import { environment, findBinary, type Manner, type Package, packageAt, packagesFrom, runScript, titleOf } from "./run-script.ts";
import { findWorkspaces } from "./workspaces.ts";

const VERSION = "10.0.0";
const VALUED = new Set(["--filter", "-F", "--filter-prod", "--dir", "-C", "--reporter", "--loglevel", "--test-pattern", "--resume-from"]);
const OF_NPM: Readonly<Record<string, string>> = { install: "install", i: "install", add: "install", remove: "uninstall", rm: "uninstall", uninstall: "uninstall", un: "uninstall", update: "update", up: "update", init: "init", ls: "ls", list: "ls", outdated: "outdated", view: "view", info: "view" };
const ANYTHING_ELSE = new Set(["audit", "config", "c", "deploy", "dedupe", "doctor", "env", "fetch", "import", "licenses", "link", "ln", "pack", "patch", "patch-commit", "prune", "publish", "rebuild", "rb", "self-update", "server", "setup", "store", "unlink", "why"]);

interface Options {
  readonly silent: boolean;
  readonly ifPresent: boolean;
  /** Whether the first that fails is the last. */
  readonly bail: boolean;
  /** Whether what many packages print comes without their folders before it. */
  readonly bare: boolean;
}

/** `npm` runs this container's npm on the same project. Resolves with the exit code. */
export async function runPnpm(given: Host, argv: readonly string[], npm: RunNpm): Promise<number> {
  const flags = new Map<string, string[]>();
  const words: string[] = [];
  let host = given;
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] ?? "";
    // Behind the name of a script or a command all is its own.
    if (!arg.startsWith("-")) {
      words.push(arg);
      if (words.length > 1 || !/^(run|run-script|exec|dlx|recursive|multi|m)$/.test(arg)) {
        words.push(...argv.slice(at + 1));
        break;
      }
      continue;
    }
    const [name = "", value] = arg.split(/=(.*)/s);
    flags.set(name, [...(flags.get(name) ?? []), value ?? (VALUED.has(name) ? (argv[++at] ?? "") : "true")]);
  }
  const has = (...names: readonly string[]): boolean => names.some((name) => flags.has(name) && flags.get(name)?.at(-1) !== "false");
  const all = (...names: readonly string[]): readonly string[] => names.flatMap((name) => flags.get(name) ?? []);
  if (words.length === 0 && has("-v", "--version")) {
    host.out(`${VERSION}\n`);
    return 0;
  }
  const folder = all("-C", "--dir").at(-1);
  if (folder !== undefined) host = { ...host, cwd: resolvePath(folder, host.cwd) };
  const root = workspaceRoot(host);
  if (has("-w", "--workspace-root")) host = { ...host, cwd: root.path };
  const recursive = /^(recursive|multi|m)$/.test(words[0] ?? "");
  const [command = "install", ...args] = recursive ? words.slice(1) : words;
  const filters = all("-F", "--filter", "--filter-prod");
  const pnpm = new Pnpm(host, npm, root, { silent: has("-s", "--silent") || all("--reporter").includes("silent"), ifPresent: has("--if-present"), bail: !has("--no-bail"), bare: all("--workspace-concurrency").at(-1) === "1" });
  return pnpm.run(command, args, recursive || has("-r", "--recursive") || filters.length > 0 ? filters : undefined);
}

/** The folder of pnpm-workspace.yaml with its packages; one package for itself where there is none. */
function workspaceRoot(host: Host): Package {
  const upwards = [...packagesFrom(host, host.cwd)];
  return upwards.find(({ path }) => readText(host.vfs, joinPath(path, "pnpm-workspace.yaml")) !== undefined) ?? upwards[0]!;
}

class Pnpm {
  readonly #host: Host;
  readonly #npm: RunNpm;
  readonly #root: Package;
  readonly #options: Options;

  constructor(host: Host, npm: RunNpm, root: Package, options: Options) {
    this.#host = host;
    this.#npm = npm;
    this.#root = root;
    this.#options = options;
  }

  /** `filters` undefined: in the package of the folder; none: in all of the workspace but its root. */
  async run(command: string, args: readonly string[], filters: readonly string[] | undefined): Promise<number> {
    const host = this.#host;
    if (command === "dlx") return this.#npm(host, ["exec", "--yes", "--", ...args]);
    if (command === "create") return this.#npm(host, ["init", ...args.slice(0, 1), "--", ...args.slice(1)]);
    if (command === "bin" || command === "root") {
      host.out(`${joinPath(packageAt(host, host.cwd).path, command === "bin" ? "node_modules/.bin" : "node_modules")}\n`);
      return 0;
    }
    if (OF_NPM[command] !== undefined) return this.#install(OF_NPM[command], args);
    if (ANYTHING_ELSE.has(command)) return this.#error("ERR_PNPM_NOT_AVAILABLE", `"pnpm ${command}" is not available in this container, which has npm, and of pnpm what runs scripts and commands. Try: npm help`);
    const isRun = command === "run" || command === "run-script";
    const isExec = command === "exec" || command === "node";
    const name = isRun || command === "exec" ? args[0] : (SCRIPT_COMMANDS[command] ?? command);
    const own = isRun || command === "exec" ? args.slice(1) : args;
    if (name === undefined) return this.#list();
    const chosen = filters === undefined ? [packageAt(host, host.cwd)] : this.#chosen(filters);
    if (chosen.length === 0) {
      host.out(`No projects matched the filters in "${this.#root.path}"\n`);
      return 0;
    }
    const isScript = !isExec && (isRun || SCRIPT_COMMANDS[command] !== undefined || chosen.some(({ manifest }) => manifest.scripts[name] !== undefined));
    if (!isScript) return this.#exec(chosen, name, own[0] === "--" ? own.slice(1) : own);
    return filters === undefined || chosen.length === 1 ? this.#one(chosen[0]!, name, own, filters !== undefined) : this.#many(chosen, name, own);
  }

  async #one(of: Package, name: string, args: readonly string[], filtered: boolean): Promise<number> {
    const matched = /^\/(.*)\/$/.exec(name)?.[1];
    const names = matched === undefined ? [name] : Object.keys(of.manifest.scripts).filter((script) => new RegExp(matched).test(script));
    if (names.every((script) => of.manifest.scripts[script] === undefined)) {
      if (this.#options.ifPresent) return 0;
      if (filtered) return this.#error("ERR_PNPM_RECURSIVE_RUN_NO_SCRIPT", `None of the selected packages has a "${name}" script`);
      return this.#error("ERR_PNPM_NO_SCRIPT", `Missing script: ${name}\n\nCommand "${name}" not found.`);
    }
    for (const script of names) {
      const code = await runScript(this.#host, of, script, args, this.#manner(BANNER));
      if (code === 0) continue;
      if (filtered) return this.#firstFail(of, script, args, code);
      if (!this.#options.silent) this.#host.out(`\u2009ELIFECYCLE\u2009 ${script === "test" ? "Test failed. See above for more details." : `Command failed with exit code ${code}.`}\n`);
      return code;
    }
    return 0;
  }

  /** One after the other, each line with the folder that it comes from; bare where one at a time was asked for. */
  async #many(chosen: readonly Package[], name: string, args: readonly string[]): Promise<number> {
    const host = this.#host;
    const { silent, bail, bare } = this.#options;
    const having = chosen.filter(({ manifest }) => manifest.scripts[name] !== undefined);
    if (having.length === 0 && !this.#options.ifPresent) return this.#error("ERR_PNPM_RECURSIVE_RUN_NO_SCRIPT", `None of the selected packages has a "${name}" script`);
    if (!silent) host.out(`Scope: ${chosen.length} of ${this.#packages().length} workspace projects\n`);
    const failures: string[] = [];
    for (const one of having) {
      const where = one.path === this.#root.path ? "." : one.path.slice(this.#root.path.length + 1);
      let running = name;
      const lines = new Lines((line) => host.out(silent ? `${line}\n` : `${where} ${running}: ${line}\n`));
      const banner: Manner["banner"] = (_, event, line) => {
        lines.end();
        running = event;
        return `${where} ${event}$ ${line}\n`;
      };
      const code = await runScript(host, one, name, args, bare ? this.#manner(BANNER) : { ...this.#manner(banner), output: (data) => lines.push(data) });
      lines.end();
      if (!silent && !bare) host.out(`${where} ${running}: ${code === 0 ? "Done" : "Failed"}\n`);
      if (code === 0) continue;
      if (bail) return this.#firstFail(one, name, args, code);
      failures.push(this.#failure(one, name, args, code, "ERROR"));
    }
    if (failures.length > 0) host.out(`\u2009ERR_PNPM_RECURSIVE_FAIL\u2009 \n\n\nSummary: ${failures.length} fails, ${having.length - failures.length} passes\n\n${failures.join("\n")}`);
    return failures.length > 0 ? 1 : 0;
  }

  #failure(of: Package, name: string, args: readonly string[], code: number, kind: string): string {
    return `${of.path}:\n\u2009${kind}\u2009 ${titleOf(of)} ${name}: \`${[of.manifest.scripts[name] ?? "", ...args.map(quote)].join(" ")}\`\nExit status ${code}\n`;
  }

  #firstFail(of: Package, name: string, args: readonly string[], code: number): number {
    this.#host.out(this.#failure(of, name, args, code, "ERR_PNPM_RECURSIVE_RUN_FIRST_FAIL"));
    return code;
  }

  async #exec(chosen: readonly Package[], name: string, args: readonly string[]): Promise<number> {
    for (const of of chosen) {
      const binary = findBinary(this.#host, of.path, name) ?? name;
      const code = await this.#host.run(binary, args, { cwd: chosen.length === 1 && packageAt(this.#host, this.#host.cwd).path === of.path ? this.#host.cwd : of.path, env: environment(this.#host, of, "exec", [name, ...args].join(" "), this.#manner(() => "")) });
      if (code === 127) this.#error("ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL", `Command "${name}" not found`);
      if (code !== 0) return code;
    }
    return 0;
  }

  #manner(banner: Manner["banner"]): Manner {
    return { agent: "pnpm", version: VERSION, hooks: true, banner: this.#options.silent ? () => "" : banner };
  }

  #list(): number {
    const scripts = Object.entries(packageAt(this.#host, this.#host.cwd).manifest.scripts);
    const lifecycle = scripts.filter(([name]) => /^(pre|post)?(test|start|stop|restart|install|publish|pack|version|prepare)$/.test(name));
    const block = (title: string, some: typeof scripts): string => (some.length === 0 ? "" : `${title}:\n${some.map(([name, script]) => `  ${name}\n    ${script}\n`).join("")}`);
    this.#host.out([block("Lifecycle scripts", lifecycle), block('Commands available via "pnpm run"', scripts.filter((one) => !lifecycle.includes(one)))].filter((one) => one !== "").join("\n"));
    return 0;
  }

  /** Of the workspace, its root first; those that others need come before them. */
  #packages(): readonly Package[] {
    const found = [...findWorkspaces(this.#root.path, this.#root.manifest, foldersOf(this.#host.vfs))].map(([path, manifest]) => ({ path, manifest }));
    const placed = new Set<Package>();
    while (placed.size < found.length) {
      const open = found.filter((one) => !placed.has(one));
      const ready = open.filter((one) => needsOf(one, found).every((needed) => needed === one || placed.has(needed)));
      for (const one of ready.length > 0 ? ready : open) placed.add(one); // a ring has no first
    }
    return [this.#root, ...placed];
  }

  #chosen(filters: readonly string[]): readonly Package[] {
    const all = this.#packages();
    const without = filters.filter((filter) => filter.startsWith("!")).flatMap((filter) => this.#matching(filter.slice(1), all));
    const wanted = filters.filter((filter) => !filter.startsWith("!"));
    const found = wanted.length === 0 ? all.slice(1) : wanted.flatMap((filter) => this.#matching(filter, all));
    return all.filter((one) => found.includes(one) && !without.includes(one));
  }

  /** `name`, `@scope/*`, `./folder`, `{folder}`, with `...` before it for what needs them and after it for what they need. */
  #matching(filter: string, all: readonly Package[]): readonly Package[] {
    const [, before, lessBefore, selector = "", lessAfter, after] = /^(\.\.\.)?(\^)?(.*?)(\^)?(\.\.\.)?$/.exec(filter) ?? [];
    const path = /^\{(.*)\}$/.exec(selector)?.[1] ?? (/^\.{1,2}(\/|$)/.test(selector) ? selector : undefined);
    const under = path === undefined ? "" : resolvePath(path, this.#host.cwd);
    const byPath = path === undefined ? undefined : globMatcher([under, `${under}/**`].map((pattern) => pattern.slice(1)));
    const byName = globMatcher([selector]);
    const plain = all.filter((one) => (byPath ? byPath(one.path.slice(1)) : byName(one.manifest.name)));
    const named = plain.length > 0 || byPath || selector.startsWith("@") ? plain : all.filter((one) => one.manifest.name.endsWith(`/${selector}`));
    const found = new Set(lessBefore === undefined && lessAfter === undefined ? named : []);
    const addAll = (one: Package, next: (one: Package) => readonly Package[]): void => {
      for (const other of next(one)) {
        if (found.has(other)) continue;
        found.add(other);
        addAll(other, next);
      }
    };
    for (const one of named) {
      if (after !== undefined) addAll(one, (at) => needsOf(at, all));
      if (before !== undefined) addAll(one, (at) => all.filter((other) => needsOf(other, all).includes(at)));
    }
    return [...found];
  }

  #install(command: string, args: readonly string[]): Promise<number> {
    const writes = command === "install" || command === "uninstall" || command === "update";
    if (writes) this.#host.err(`\u2009WARN\u2009 pnpm's own installer is not in this container: npm ${command} does it. It takes the versions of pnpm-lock.yaml where they fit, and leaves that file as it is.\n`);
    return this.#npm(this.#host, [command, ...(writes ? ["--no-package-lock", "--versions-from=pnpm-lock.yaml"] : []), ...args]);
  }

  #error(code: string, message: string): number {
    this.#host.out(`\u2009${code}\u2009 ${message}\n`);
    return code === "ERR_PNPM_RECURSIVE_EXEC_FIRST_FAIL" ? 254 : 1;
  }
}

const BANNER: Manner["banner"] = (of, event, line) => `\n> ${titleOf(of)} ${event} ${of.path}\n> ${line}\n\n`;

/** Those of the workspace that it names as such: a plain version is the registry's. */
function needsOf({ manifest }: Package, all: readonly Package[]): readonly Package[] {
  const wanted = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies, ...manifest.peerDependencies };
  return all.filter((one) => wanted[one.manifest.name]?.startsWith("workspace:"));
}

/** Whole lines of what comes in pieces. */
class Lines {
  readonly #say: (line: string) => void;
  readonly #decoder = new TextDecoder();
  #open = "";

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  push(data: Uint8Array): void {
    const lines = (this.#open + this.#decoder.decode(data, { stream: true })).split("\n");
    this.#open = lines.pop() ?? "";
    for (const line of lines) this.#say(line);
  }

  end(): void {
    if (this.#open !== "") this.#say(this.#open);
    this.#open = "";
  }
}
