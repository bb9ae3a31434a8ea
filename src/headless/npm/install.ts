// `npm install`, `ci`, `uninstall` and `update`: read the project, resolve, fetch, put in place, say what was done.
import semver from "semver";
import { joinPath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project, readPackageJson, readText, writePackageJson, writeText } from "./host.ts";
import { loadLocked, lockfilePath, type LockPackages, projectTree, readLockfile, relativePath, writeLockfile } from "./lockfile.ts";
import { type Dependencies, type Json, readManifest, record, textRecord } from "./manifest.ts";
import { type LockedVersions, readOtherLock } from "./other-locks.ts";
import { Packages } from "./package-source.ts";
import { reify } from "./reify.ts";
import { markNeeds, pruneExtraneous, resolveTree } from "./resolve.ts";
import { runInstallScripts } from "./scripts.ts";
import { parseArgument, type Spec } from "./spec.ts";
import { byName, type TreeNode } from "./tree.ts";
import { resolvePath } from "../posix-path.ts";
import { validateLock } from "./validate-lock.ts";

export type SaveType = "dependencies" | "devDependencies" | "optionalDependencies" | "peerDependencies";
const SAVE_TYPES: readonly SaveType[] = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"];

export interface InstallRequest {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  /** Names to take anew; all when empty. */
  readonly update?: readonly string[];
  /** Exactly what the lockfile says, into an empty node_modules. */
  readonly fromLock?: boolean;
}

/** Throws NpmError; then nothing has changed. */
export async function install(project: Project, request: InstallRequest): Promise<void> {
  const { host, config, path } = project;
  const started = performance.now();
  const warn = (message: string): void => say(project, "warn", message);
  const original = request.add && readText(host.vfs, joinPath(path, "package.json")) === undefined ? {} : readPackageJson(host.vfs, path);
  const packages = new Packages(project);
  const save = config.flag("save", true) && !request.fromLock;

  const added = await Promise.all((request.add ?? []).map((word) => nameArgument(parseArgument(word), packages, host.cwd, path)));
  let json = withoutNames(original, request.remove ?? []);
  for (const spec of added) json = withAsked(json, spec, saveTypeOf(project, json, spec.name), warn);
  const root = projectTree(path, readManifest(json), foldersOf(host.vfs));
  const locked = config.flag("package-lock", true) ? lockOf(project) : undefined;
  if (request.fromLock) {
    if (!locked) throw new NpmError("EUSAGE", "The `npm ci` command can only install with an existing package-lock.json or\nnpm-shrinkwrap.json with lockfileVersion >= 1. Run an install with npm@5 or\nlater to generate a package-lock.json file, then try again.");
    validateLock(root, locked, foldersOf(host.vfs));
  }
  const known = locked ?? installedLock(project);
  if (known) loadLocked(root, known, foldersOf(host.vfs));

  const progress = progressLines(project);
  packages.onRequest = progress.asked;
  await resolveTree(root, packages, {
    explicit: new Set(added.map(({ name }) => name)),
    update: request.update ? (request.update.length === 0 ? "all" : new Set(request.update)) : new Set(),
    force: config.flag("force"),
    legacyPeers: config.flag("legacy-peer-deps"),
    strictPeers: config.flag("strict-peer-deps"),
    locked: request.update ? undefined : otherLock(project),
    warn,
  });
  markNeeds(root);
  // A fresh resolution may leave behind what a later choice made needless; npm takes it out only on the next install.
  if (known) pruneExtraneous(root);
  warnDeprecated(root, known, warn);
  if (save) json = withSaved(json, root, added, project);
  root.manifest = readManifest(json);
  root.reloadEdges();

  const lockOnly = config.flag("package-lock-only");
  const omit = new Set(config.list("omit").filter((kind) => kind !== "" && !config.list("include").includes(kind)));
  if (config.get("only") === "prod" || host.env["NODE_ENV"] === "production") if (!config.list("include").includes("dev")) omit.add("dev");
  const done = await reify(root, packages, project, {
    omit, force: config.flag("force"), engineStrict: config.flag("engine-strict"), fresh: request.fromLock === true, lockOnly, warn, progress: progress.fetched,
  });
  if (config.flag("dry-run")) return report(project, root, done, started);
  if (save && config.flag("package-lock", true)) writeLock(project, root);
  if (save && JSON.stringify(json) !== JSON.stringify(original)) writePackageJson(host.vfs, path, json);
  await host.commit();
  await runInstallScripts(project, root, done.withScripts);
  report(project, root, done, started);
}

function lockOf({ host: { vfs }, path }: Project): LockPackages | undefined {
  for (const name of ["npm-shrinkwrap.json", "package-lock.json"]) {
    const contents = readText(vfs, joinPath(path, name));
    const packages = contents === undefined ? undefined : readLockfile(contents, joinPath(path, name));
    if (packages) return packages;
  }
  return undefined;
}

/** The lockfile that yarn or pnpm in this container names when they ask for an install. */
function otherLock({ host: { vfs }, config, path }: Project): LockedVersions | undefined {
  const name = config.get("versions-from");
  const contents = name === undefined ? undefined : readText(vfs, joinPath(path, name));
  return contents === undefined ? undefined : readOtherLock(contents);
}

/** Without a lockfile, what is installed is what is kept. */
function installedLock({ host: { vfs }, path }: Project): LockPackages | undefined {
  const file = joinPath(path, "node_modules/.package-lock.json");
  const contents = readText(vfs, file);
  try {
    return contents === undefined ? undefined : readLockfile(contents, file);
  } catch {
    return undefined;
  }
}

function writeLock({ host: { vfs }, config, path }: Project, root: TreeNode): void {
  const old = readText(vfs, lockfilePath(path));
  writeText(vfs, lockfilePath(path), writeLockfile(root, { omitResolved: config.flag("omit-lockfile-registry-resolved"), indent: old === undefined ? "  " : (/^[ \t]+/m.exec(old)?.[0] ?? "  ") }));
}

interface Asked {
  readonly name: string;
  /** For package.json while the tree is resolved; `*` when the command line names no version. */
  readonly wanted: string;
  readonly spec: Spec;
}

/** Paths are of the folder where the command was typed; in package.json they are of the project. */
async function nameArgument(spec: Spec, packages: Packages, cwd: string, project: string): Promise<Asked> {
  if (spec.type === "git") throw new NpmError("EUNSUPPORTED", `${spec.url} is a git repository, which this container cannot fetch.`, { notes: ["Ask for a version on the registry, a tarball, or a folder of the project."] });
  if (spec.type === "directory" || spec.type === "file") {
    const full = resolvePath(spec.path.replace(/^~(?=\/)/, "/home"), cwd);
    const manifest = spec.type === "directory" ? packages.folder(full) : (await packages.tarball(`file:${full}`)).manifest;
    const name = spec.name || manifest.name || (full.split("/").pop() ?? "");
    return { name, wanted: `file:${relativePath(project, full)}`, spec };
  }
  if (spec.type === "remote") return { name: spec.name || (await packages.tarball(spec.url)).manifest.name, wanted: spec.url, spec };
  if (spec.type === "alias") return { name: spec.name, wanted: `npm:${spec.target.name}@${spec.target.wanted}`, spec };
  return { name: spec.name, wanted: (spec as Extract<Spec, { readonly wanted: string }>).wanted, spec };
}

function saveTypeOf({ config }: Project, json: Json, name: string): SaveType {
  if (config.flag("save-dev")) return "devDependencies";
  if (config.flag("save-optional")) return "optionalDependencies";
  if (config.flag("save-peer")) return "peerDependencies";
  if (config.flag("save-prod")) return "dependencies";
  const order: readonly SaveType[] = ["devDependencies", "optionalDependencies", "dependencies", "peerDependencies"];
  return order.find((type) => name in textRecord(json[type])) ?? "dependencies";
}

/** A name stands in one list only (peers may be for development as well). */
function withAsked(json: Json, { name, wanted }: Asked, type: SaveType, warn: (message: string) => void): Json {
  const cleared = type === "devDependencies" ? ["dependencies"] : type === "optionalDependencies" ? ["dependencies", "peerDependencies"] : type === "dependencies" ? ["devDependencies", "peerDependencies", "optionalDependencies"] : ["dependencies", "optionalDependencies"];
  let out: Json = json;
  for (const other of cleared) {
    if (name in record(out[other])) warn(`idealTree Removing ${other}.${name} in favor of ${type}.${name}`);
    out = withoutIn(out, other, [name]);
  }
  const list = textRecord(out[type]);
  return { ...out, [type]: { ...list, [name]: wanted === "*" && list[name] !== undefined ? list[name] : wanted } };
}

function withoutNames(json: Json, names: readonly string[]): Json {
  let out = json;
  for (const type of SAVE_TYPES) out = withoutIn(out, type, names);
  return out;
}

function withoutIn(json: Json, type: string, names: readonly string[]): Json {
  const list = record(json[type]);
  if (!names.some((name) => name in list)) return json;
  const left = Object.fromEntries(Object.entries(list).filter(([name]) => !names.includes(name)));
  if (Object.keys(left).length > 0) return { ...json, [type]: left };
  return Object.fromEntries(Object.entries(json).filter(([key]) => key !== type));
}

/** What package.json says of what was asked for, now that its version is known: `^1.2.3`, or `1.2.3` with -E. */
function withSaved(json: Json, root: TreeNode, added: readonly Asked[], { config }: Project): Json {
  let out = json;
  const prefix = config.flag("save-exact") ? "" : (config.get("save-prefix") ?? "^");
  for (const { name, spec } of added) {
    const type = SAVE_TYPES.find((candidate) => name in textRecord(out[candidate]));
    const version = root.edgesOut.get(name)?.to?.version;
    if (!type || version === undefined) continue;
    const target = spec.type === "alias" ? spec.target : spec;
    const list: Dependencies = textRecord(out[type]);
    let wanted = list[name] ?? "*";
    if (target.type === "version" || target.type === "range" || target.type === "tag") {
      const ranged = prefix + version;
      const kept = target.type === "range" && target.wanted !== "*" && !semver.subset(ranged, target.wanted, { loose: true });
      wanted = kept ? target.wanted : target.type === "range" && target.wanted === "*" && !root.edgesOut.get(name)?.to ? wanted : ranged;
      if (spec.type === "alias") wanted = `npm:${target.name}@${wanted}`;
    }
    out = { ...out, [type]: Object.fromEntries(Object.entries({ ...list, [name]: wanted }).sort(([a], [b]) => byName(a, b))) };
  }
  return out;
}

function warnDeprecated(root: TreeNode, known: LockPackages | undefined, warn: (message: string) => void): void {
  const told = new Set<string>();
  for (const node of root.all()) {
    const { deprecated, name } = node.manifest;
    const id = `${name || node.name}@${node.version}`;
    if (deprecated === "" || told.has(id) || !node.parent || node.inert) continue;
    told.add(id);
    if (known?.get(node.path.slice(root.path.length + 1))?.["version"] !== node.version) warn(`deprecated ${id}: ${deprecated}`);
  }
}

export function say({ host, config }: Project, level: "warn" | "notice", message: string): void {
  if (isSilent(config)) return;
  for (const line of message.split("\n")) host.err(`npm ${level} ${line}\n`);
}

export function isSilent(config: Project["config"]): boolean {
  return config.get("loglevel") === "silent";
}

/** A line now and then, for whoever waits: not one for each package. */
function progressLines(project: Project): { asked(what: string): void; fetched(done: number, of: number, what: string): void } {
  const EVERY_MS = 2_000;
  let last = performance.now();
  let count = 0;
  const line = (text: string): void => {
    if (performance.now() - last < EVERY_MS || isSilent(project.config)) return;
    last = performance.now();
    project.host.err(`npm ${text}\n`);
  };
  return {
    asked: (what) => line(`fetching: ${++count} asked of the registry, now ${what}`),
    fetched: (done, of, what) => line(`fetched ${done} of ${of} packages, last ${what}`),
  };
}

function report({ host, config }: Project, root: TreeNode, done: { added: number; removed: number; changed: number }, started: number): void {
  if (isSilent(config)) return;
  const packages = (count: number): string => `${count} package${count === 1 ? "" : "s"}`;
  const parts = [done.added > 0 ? `added ${packages(done.added)}` : "", done.removed > 0 ? `removed ${packages(done.removed)}` : "", done.changed > 0 ? `changed ${packages(done.changed)}` : ""].filter(Boolean);
  const ms = Math.round(performance.now() - started);
  const what = parts.length > 1 ? `${parts.slice(0, -1).join(", ")}, and ${parts.at(-1)}` : (parts[0] ?? "up to date");
  host.out(`\n${what} in ${ms < 1000 ? `${ms}ms` : `${Math.round(ms / 1000)}s`}\n`);
  const funded = [...root.all()].filter((node) => node.parent && !node.inert && node.manifest.raw["funding"] !== undefined).length;
  if (funded > 0 && config.flag("fund", true)) host.out(`\n${packages(funded)} ${funded === 1 ? "is" : "are"} looking for funding\n  run \`npm fund\` for details\n`);
}
