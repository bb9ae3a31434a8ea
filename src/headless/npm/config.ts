// What npm was told: options of the command line, then `npm_config_…` of the environment, then .npmrc of the project and
// of the home folder, then the defaults. Credentials in a .npmrc are not read: nothing that is fetched carries any.
import { NpmError } from "./error.ts";

export const DEFAULT_REGISTRY = "https://registry.npmjs.org/";

export interface Config {
  /** By npm's names; later sources do not replace earlier ones. */
  get(name: string): string | undefined;
  flag(name: string, fallback?: boolean): boolean;
  /** All values of an option that may be given more than once. */
  list(name: string): readonly string[];
  /** Address with a slash at its end, for a package's name. */
  registryOf(name: string): string;
}

export interface Parsed {
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** After `--`. */
  readonly rest: readonly string[];
}

const SHORT: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  D: [["save-dev", "true"]], E: [["save-exact", "true"]], O: [["save-optional", "true"]], P: [["save-prod", "true"]], S: [["save", "true"]],
  B: [["save-bundle", "true"]], g: [["global", "true"]], f: [["force", "true"]], y: [["yes", "true"]], n: [["yes", "false"]],
  s: [["loglevel", "silent"]], q: [["loglevel", "warn"]], d: [["loglevel", "info"]], a: [["all", "true"]], l: [["long", "true"]],
  h: [["help", "true"]], "?": [["help", "true"]], v: [["version", "true"]],
};
const ALIASES: Readonly<Record<string, readonly [string, string]>> = {
  silent: ["loglevel", "silent"], quiet: ["loglevel", "warn"], verbose: ["loglevel", "verbose"], no: ["yes", "false"], reg: ["registry", ""], "prefer-online": ["prefer-offline", "false"],
  "legacy-bundling": ["install-strategy", "nested"], "dev": ["include", "dev"], "only-production": ["omit", "dev"], production: ["omit", "dev"], local: ["global", "false"],
};
/** Options that take a value; all others are switches. */
const VALUED = new Set([
  "registry", "loglevel", "omit", "include", "depth", "tag", "save-prefix", "prefix", "workspace", "package", "call", "install-strategy", "before",
  "scope", "cache", "userconfig", "globalconfig", "script-shell", "message", "preid", "w", "c", "C", "lockfile-version", "access", "otp", "fetch-retries",
  "init-author-name", "init-license", "init-version", "init-type", "cpu", "os", "libc", "maxsockets", "fetch-timeout", "audit-level", "tag-version-prefix", "include-attestations",
]);
const SHORT_VALUED: Readonly<Record<string, string>> = { w: "workspace", c: "call", C: "prefix", p: "package", m: "message" };

const SHORT_WORDS: Readonly<Record<string, string>> = { "-ws": "workspaces", "-iwr": "include-workspace-root" };

/** `onlyUntil`: the first word ends the options, as `npx` has it. */
export function parseOptions(argv: readonly string[], onlyUntil = false): Parsed {
  const words: string[] = [];
  const options = new Map<string, string[]>();
  const put = (name: string, value: string): void => void options.set(name, [...(options.get(name) ?? []), value]);
  for (let i = 0; i < argv.length; i++) {
    const arg = argv[i] ?? "";
    if (arg === "--") return { words, options, rest: argv.slice(i + 1) };
    if (arg.startsWith("--")) {
      const equals = arg.indexOf("=");
      let name = arg.slice(2, equals < 0 ? undefined : equals);
      let value = equals < 0 ? undefined : arg.slice(equals + 1);
      if (name.startsWith("no-") && value === undefined) {
        put(name.slice(3), "false");
        continue;
      }
      const alias = ALIASES[name];
      if (alias) {
        name = alias[0];
        if (alias[1] !== "") value = value === "false" ? "" : alias[1];
      }
      if (value === undefined && VALUED.has(name)) value = argv[++i] ?? "";
      else if (value === undefined && /^(true|false|null)$/.test(argv[i + 1] ?? "")) value = argv[++i] ?? "";
      put(name, value ?? "true");
    } else if (arg.startsWith("-") && arg.length > 1) {
      const valued = SHORT_VALUED[arg.slice(1)];
      const long = SHORT_WORDS[arg];
      if (long !== undefined) put(long, "true");
      else if (valued !== undefined) put(valued, argv[++i] ?? "");
      else for (const letter of arg.slice(1)) for (const [name, value] of SHORT[letter] ?? []) put(name, value);
    } else {
      words.push(arg);
      if (onlyUntil) return { words, options, rest: argv.slice(i + 1) };
    }
  }
  return { words, options, rest: [] };
}

/** Contents of `.npmrc` files, nearest first. */
export function makeConfig(options: Parsed["options"], env: Readonly<Record<string, string>>, files: readonly string[]): Config {
  const fromEnv = new Map<string, string[]>();
  for (const [name, value] of Object.entries(env)) {
    if (/^npm_config_(?!_)/i.test(name) && value !== "") fromEnv.set(name.slice("npm_config_".length).toLowerCase().replaceAll("_", "-"), [value]);
  }
  const sources = [options, fromEnv, ...files.map((file) => parseNpmrc(file, env))];
  const list = (name: string): readonly string[] => sources.map((source) => source.get(name)).find((values) => values !== undefined) ?? [];
  const get = (name: string): string | undefined => list(name).at(-1);
  return {
    get,
    list,
    flag(name, fallback = false) {
      const value = get(name);
      return value === undefined ? fallback : value !== "false" && value !== "null" && value !== "0";
    },
    registryOf(name) {
      const scope = name.startsWith("@") ? name.slice(0, name.indexOf("/")) : undefined;
      return registryAddress((scope === undefined ? undefined : get(`${scope}:registry`)) ?? get("registry") ?? DEFAULT_REGISTRY);
    },
  };
}

function registryAddress(given: string): string {
  let url: URL;
  try {
    url = new URL(given);
  } catch (cause) {
    throw new NpmError("EINVALIDREGISTRY", `The registry "${given}" is no address. Give one like ${DEFAULT_REGISTRY}`, { cause });
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") throw new NpmError("EINVALIDREGISTRY", `The registry "${given}" must begin with https://`);
  if (url.username !== "" || url.password !== "") throw new NpmError("EINVALIDREGISTRY", "A registry's address must not hold a password: this container sends no credentials.");
  return `${url.origin}${url.pathname.replace(/\/*$/, "/")}`;
}

/** `key = value` lines; `${NAME}` stands for the environment's; keys of credentials (`//host/:_authToken`, `_auth`) are dropped. */
export function parseNpmrc(contents: string, env: Readonly<Record<string, string>>): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of contents.split(/\r?\n/)) {
    const match = /^\s*([^;#=\s][^=]*?)\s*(?:=\s*(.*?))?\s*$/.exec(line);
    if (!match) continue;
    const [, key = "", given = "true"] = match;
    if (key.startsWith("//") || /^_|_auth|token|password/i.test(key)) continue;
    const value = given.replace(/\s[;#].*$/, "").replace(/^(["'])(.*)\1$/, "$2").replace(/\$\{([^}]+)\}/g, (whole, name: string) => env[name] ?? whole);
    const name = key.replace(/\[\]$/, "");
    found.set(name, [...(key.endsWith("[]") ? (found.get(name) ?? []) : []), value]);
  }
  return found;
}
