// `npm test`, `npm run` and `npx` as far as they need no network: scripts of package.json and installed binaries,
// in npm's own words (npm 11). Everything else is a process of its own (src/headless/npm).
import { joinPath } from "../posix-path.ts";
import { FsError } from "../fs-error.ts";
import { parseOptions } from "../npm/config.ts";
import type { Vfs } from "../vfs.ts";
import { type Env, findExecutable } from "../executables.ts";
import { type Command, type LateStep, packageFolder, plan, quote, readJson, type ReadyStep } from "./plan.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly scripts: ReadonlyMap<string, string>;
}

const NPM_VERSION = "11.0.0";
/** Sub-commands that are scripts of the same name, with npm's aliases. */
export const SCRIPT_COMMANDS: Readonly<Record<string, string>> = { test: "test", t: "test", tst: "test", start: "start", stop: "stop", restart: "restart" };
export const RUN_COMMANDS = new Set(["run", "run-script", "rum", "urn"]);
const EXEC_COMMANDS = new Set(["exec", "x"]);
const LIFECYCLE = new Set(["test", "start", "stop", "restart", "install", "prepare", "publish", "version", "pack"]);

const failure = (stderr: string, code = 1): readonly ReadyStep[] => [{ stdout: "", stderr, code }];

/** What a step stands for. */
export function planLate(vfs: Vfs, { late, args, cwd, env }: LateStep): readonly ReadyStep[] {
  return (late === "npm" ? planNpm : planNpx)(vfs, args, cwd, env);
}

export interface Plans {
  readonly planLate: typeof planLate;
}

function planned(vfs: Vfs, command: Command): readonly ReadyStep[] | undefined {
  return plan(vfs, command)?.flatMap((step) => ("late" in step ? planLate(vfs, step) : [step]));
}

function planNpm(vfs: Vfs, args: readonly string[], cwd: string, env: Env): readonly ReadyStep[] {
  const dashes = args.indexOf("--");
  const own = dashes < 0 ? args : args.slice(0, dashes);
  const passed = dashes < 0 ? [] : args.slice(dashes + 1);
  const flags = own.filter((arg) => arg.startsWith("-"));
  const [sub] = parseOptions(own).words;
  const words = own.slice(sub === undefined ? 0 : own.indexOf(sub) + 1).filter((arg) => !arg.startsWith("-"));
  const elsewhere: readonly ReadyStep[] = [{ program: "npm", argv: args, cwd, env }];
  if (sub === undefined && (flags.includes("--version") || flags.includes("-v"))) return [{ stdout: `${NPM_VERSION}\n`, stderr: "", code: 0 }];
  const silent = flags.some((flag) => flag === "-s" || flag === "--silent");
  const ifPresent = flags.includes("--if-present");
  if (sub === undefined || flags.includes("--help") || flags.includes("-h")) return elsewhere;
  if (flags.some((flag) => /^-(ws?|-workspaces?)(=|$)/.test(flag))) return elsewhere;
  if (EXEC_COMMANDS.has(sub)) return planNpx(vfs, [...own.slice(own.indexOf(sub) + 1), ...passed], cwd, env);
  const isRun = RUN_COMMANDS.has(sub);
  const script = isRun ? words[0] : SCRIPT_COMMANDS[sub];
  if (!isRun && script === undefined) return elsewhere;
  const manifest = readManifest(vfs, cwd);
  if ("error" in manifest) return failure(manifest.error, manifest.code);
  if (script === undefined) return [{ stdout: listScripts(manifest), stderr: "", code: 0 }];
  return planScript(vfs, manifest, script, [...(isRun ? words.slice(1) : words), ...passed], { cwd, env, silent, ifPresent });
}

/** `npx name args`: an installed binary, or a command the container has; any other is for npm to fetch. */
function planNpx(vfs: Vfs, args: readonly string[], cwd: string, env: Env): readonly ReadyStep[] {
  const at = args.findIndex((arg) => !arg.startsWith("-"));
  const name = at < 0 ? undefined : args[at];
  const choosesPackage = args.slice(0, Math.max(0, at)).some((arg) => /^(-p|-c|--package|--call)\b/.test(arg));
  const isKnown = name !== undefined && !choosesPackage && (name === "node" || name === "npm" || findExecutable(vfs, name, cwd, env) !== undefined);
  const steps = isKnown ? planned(vfs, { command: name, args: args.slice(at + 1), cwd, env }) : undefined;
  return steps ?? [{ program: "npm", argv: ["exec", ...args], cwd, env }];
}

function planScript(
  vfs: Vfs,
  manifest: Manifest,
  name: string,
  args: readonly string[],
  options: { cwd: string; env: Env; silent: boolean; ifPresent: boolean },
): readonly ReadyStep[] {
  const script = manifest.scripts.get(name);
  if (script === undefined) {
    if (options.ifPresent) return [{ stdout: "", stderr: "", code: 0 }];
    return failure(`npm error Missing script: "${name}"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\n`);
  }
  const folder = packageFolder(vfs, options.cwd);
  const steps: ReadyStep[] = [];
  for (const event of [`pre${name}`, name, `post${name}`]) {
    const text = event === name ? script : manifest.scripts.get(event);
    if (text === undefined) continue;
    const isMain = event === name;
    // npm prints the arguments bare and runs them quoted.
    const banner = `\n> ${npmTitleOf(manifest)}${event}\n> ${[text, ...(isMain ? args : [])].join(" ")}\n\n`;
    const line = [text, ...(isMain ? args.map(quote) : [])].join(" ");
    const [step, ...rest] = planned(vfs, { command: "sh", args: ["-c", line], cwd: folder, env: scriptEnv(options.env, manifest, folder, options.cwd, event, text) }) ?? [];
    if (step) steps.push(step.program === undefined || options.silent ? withoutBanner(step, options.silent ? "" : banner) : { ...step, banner: banner + (step.banner ?? "") }, ...rest);
  }
  return steps;
}

/** What a banner says of a package before the script's name: npm names those that have a name and a version. */
export const npmTitleOf = ({ name, version }: Pick<Manifest, "name" | "version">): string => (name === "" || version === "" ? "" : `${name}@${version} `);

function withoutBanner(step: ReadyStep, text: string): ReadyStep {
  return step.program === undefined ? { ...step, stdout: text + step.stdout } : step;
}

/** What npm tells a script in its environment. */
export function scriptEnv(env: Env, manifest: Pick<Manifest, "name" | "version">, folder: string, cwd: string, event: string, script: string): Env {
  return {
    ...env,
    PWD: folder,
    INIT_CWD: cwd,
    PATH: `${joinPath(folder, "node_modules/.bin")}:${env["PATH"] ?? ""}`,
    npm_command: LIFECYCLE.has(event) ? event : "run-script",
    npm_lifecycle_event: event,
    npm_lifecycle_script: script,
    npm_package_json: joinPath(folder, "package.json"),
    npm_package_name: manifest.name,
    npm_package_version: manifest.version,
    npm_execpath: "/usr/bin/npm",
    npm_node_execpath: "/usr/bin/node",
    npm_config_user_agent: `npm/${NPM_VERSION} node/v20.0.0 linux x64 workspaces/false`,
    NODE: "/usr/bin/node",
  };
}

function readManifest(vfs: Vfs, cwd: string): Manifest | { readonly error: string; readonly code: number } {
  const path = joinPath(packageFolder(vfs, cwd), "package.json");
  try {
    const json = readJson(vfs, path);
    const record = typeof json === "object" && json !== null ? (json as Record<string, unknown>) : {};
    const scripts = typeof record["scripts"] === "object" && record["scripts"] !== null ? Object.entries(record["scripts"]) : [];
    const text = (key: string): string => (typeof record[key] === "string" ? record[key] : "");
    return {
      name: text("name"),
      version: text("version"),
      scripts: new Map(scripts.filter((entry): entry is [string, string] => typeof entry[1] === "string")),
    };
  } catch (error) {
    if (error instanceof FsError) {
      return {
        code: 254,
        error: `npm error code ${error.code}\nnpm error syscall open\nnpm error path ${path}\nnpm error errno ${error.errno}\nnpm error enoent Could not read package.json: Error: ${error.message}\nnpm error enoent This is related to npm not being able to find a file.\nnpm error enoent\n`,
      };
    }
    if (error instanceof SyntaxError) {
      return {
        code: 1,
        error: `npm error code EJSONPARSE\nnpm error path ${path}\nnpm error JSON.parse Invalid package.json: JSONParseError: ${error.message}\nnpm error JSON.parse Failed to parse JSON data.\nnpm error JSON.parse Note: package.json must be actual JSON, not just JavaScript.\n`,
      };
    }
    throw error;
  }
}

function listScripts(manifest: Manifest): string {
  const base = (name: string): string => name.replace(/^(pre|post)/, "");
  const lifecycle = [...manifest.scripts].filter(([name]) => LIFECYCLE.has(base(name)));
  const others = [...manifest.scripts].filter(([name]) => !LIFECYCLE.has(base(name)));
  const lines = (scripts: readonly (readonly [string, string])[]): string => scripts.map(([name, script]) => `  ${name}\n    ${script}\n`).join("");
  const title = `${manifest.name}${manifest.version === "" ? "" : `@${manifest.version}`}`;
  return (
    (lifecycle.length > 0 ? `Lifecycle scripts included in ${title}:\n${lines(lifecycle)}` : "") +
    (others.length > 0 ? `${lifecycle.length > 0 ? "" : `Scripts available in ${title} via \`npm run\`:\n`}${lifecycle.length > 0 ? "available via `npm run`:\n" : ""}${lines(others)}` : "")
  );
}
