// Native code of packages cannot run in a page; many authors publish a WebAssembly build beside it. Which of them an install
// takes instead, and where from:
// - listed: an optional dependency for wasm32 beside those for Linux and the others (napi-rs' naming). It is what npm takes
//   for `--cpu=wasm32`; the lockfile has it already, as it has those of all platforms.
// - unlisted: napi-rs' packages load `…-wasm32-wasi` though some no longer list it. It is put inside the package.
// - of another name: a package with the same interface. Its files are put under the name asked for.
// The last two are on the disk alone: no lockfile but node_modules' own tells of them. A `cpu` in the configuration leaves
// all to npm's own rules.
import semver from "semver";
import { joinPath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { type Json, type Manifest, readManifest, record, text, texts } from "./manifest.ts";
import swcFunctions from "./swc-functions.cjs?raw";
import type { Packages, Unpacked } from "./package-source.ts";
import { integrityOf, leaveOut, resolveTree } from "./resolve.ts";
import { TreeNode } from "./tree.ts";

/** With the same versions and the same interface, or the one of `ADAPTED`. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  esbuild: "esbuild-wasm",
  rollup: "@rollup/wasm-node",
  lightningcss: "lightningcss-wasm",
  "@parcel/watcher": "@parcel/watcher-wasm",
  "@swc/core-linux-x64-gnu": "@swc/wasm",
};
/** The main file that gives a build the interface asked for. */
const ADAPTED: Readonly<Record<string, string>> = { "@swc/core-linux-x64-gnu": swcFunctions };
const ADAPTED_MAIN = "functions.cjs";
/** napi-rs' names of builds that run with node:wasi. */
const WASM_NAME = /-wasm32-wasi(?:p1)?$/;

type Warn = (message: string) => void;

interface Build {
  readonly name: string;
  readonly version: string;
  readonly resolved: string;
  readonly integrity: string;
}

export function isWasmBuild({ name, manifest }: TreeNode): boolean {
  return manifest.cpu.includes("wasm32") || WASM_NAME.test(manifest.name || name);
}

/** Leaves out native code that stands beside a WebAssembly build of the same package. */
export function preferListed(root: TreeNode): void {
  for (const node of root.all()) {
    const options = [...node.edgesOut.values()].flatMap(({ type, to }) => (type === "optional" && to && !to.inert ? [to] : []));
    const build = options.find(isWasmBuild);
    if (build && !node.inert) leaveOutNative(options, build.name.replace(/wasm32.*$/, ""));
  }
}

function leaveOutNative(options: readonly TreeNode[], prefix: string): void {
  for (const option of options) {
    if (option.name.startsWith(prefix) && !isWasmBuild(option) && (option.manifest.os.length > 0 || option.manifest.cpu.length > 0)) leaveOut(option);
  }
}

/** Builds of another name, by whose place each takes; the native code that they need not have is left out. */
export async function buildsOfOtherNames(root: TreeNode, packages: Packages, warn: Warn): Promise<ReadonlyMap<TreeNode, Build>> {
  const builds = new Map<TreeNode, Build>();
  const asked = [...root.all()].filter((node) => node.parent && !node.inert && !node.link && !node.inBundle && Object.hasOwn(OTHER_NAMES, node.manifest.name || node.name) && /^(?:https?:|$)/.test(node.resolved));
  await Promise.all(asked.map(async (node) => {
    const name = OTHER_NAMES[node.manifest.name || node.name] as string;
    const found = fitting(await versionsOf(packages, name), node.version);
    if (!found) return warn(`wasm ${name}@${node.version}, which runs here, is not to be had: ${node.name}@${node.version} is installed and cannot run its native code. Ask for a version that has one`);
    if (found.version !== node.version) warn(standsIn(name, found.version, `${node.name}@${node.version}`));
    const dist = record(found.json["dist"]);
    builds.set(node, { name, version: found.version, resolved: text(dist["tarball"]), integrity: integrityOf(dist) });
    leaveOutNative([...node.edgesOut.values()].flatMap(({ type, to }) => (type === "optional" && to && !to.inert ? [to] : [])), "");
  }));
  return builds;
}

/** The version itself, or the nearest older one that `^` takes it for: some builds are published later, or not each time. */
function fitting(versions: ReadonlyMap<string, Json>, version: string): { readonly version: string; readonly json: Json } | undefined {
  const older = (): string | undefined => [...versions.keys()].filter((each) => semver.lt(each, version, true) && semver.satisfies(version, `^${each}`, true)).sort(semver.rcompare)[0];
  const found = versions.has(version) ? version : older();
  const json = versions.get(found ?? "");
  return found === undefined || !json ? undefined : { version: found, json };
}

const standsIn = (name: string, version: string, asked: string): string => `wasm ${name}@${version} runs in place of ${asked}'s native code: there is no build of its version`;

/** Empty when there is no such package, or it cannot be asked for. */
async function versionsOf(packages: Packages, name: string): Promise<ReadonlyMap<string, Json>> {
  try {
    return (await packages.document(name)).versions;
  } catch (error) {
    if (error instanceof NpmError) return new Map();
    throw error;
  }
}

/** The build's files, under the name and with the needs of the package that is asked for. */
export async function unpackBuild(node: TreeNode, { name, version, resolved, integrity }: Build, packages: Packages): Promise<Unpacked> {
  const unpacked = await packages.unpack({ resolved, integrity, name, version, what: `${name}@${version}` });
  const { raw, bundled, dependencies } = unpacked.manifest;
  const own = node.manifest.raw;
  const brought = Object.fromEntries(Object.entries(dependencies).filter(([each]) => bundled.includes(each)));
  const asked = node.manifest.name || node.name;
  const adapted = ADAPTED[asked];
  const packageJson = { ...raw, name: asked, ...(adapted === undefined ? {} : { main: ADAPTED_MAIN }), dependencies: { ...record(own["dependencies"]), ...brought }, optionalDependencies: own["optionalDependencies"] };
  const encode = (contents: string): Uint8Array => new TextEncoder().encode(contents);
  const files = unpacked.files.map((file) => (file.path === "package.json" ? { ...file, data: encode(`${JSON.stringify(packageJson, null, 2)}\n`) } : file));
  return { ...unpacked, files: adapted === undefined ? files : [...files, { path: ADAPTED_MAIN, data: encode(adapted), mode: 0o644 }] };
}

function nameOfUnlisted({ name, raw }: Manifest): string | undefined {
  const napi = record(raw["napi"]);
  const targets = [...texts(napi["targets"]), ...texts(record(napi["triples"])["additional"])];
  if (!targets.some((target) => target.startsWith("wasm32-wasi"))) return undefined;
  return `${text(napi["packageName"]) || text(record(napi["package"])["name"]) || name}-wasm32-wasi`;
}

/** A build that a package loads without listing it, with what it needs itself: all of it lies inside the package's folder. */
export async function unlistedBuild(node: TreeNode, own: Manifest, packages: Packages, warn: Warn): Promise<TreeNode | undefined> {
  const name = nameOfUnlisted(own);
  if (name === undefined || [...node.edgesOut.values()].some(({ to }) => to && !to.inert && isWasmBuild(to))) return undefined;
  const versions = await versionsOf(packages, name);
  const found = fitting(versions, node.version);
  if (!found) {
    warn(`wasm ${own.name}@${node.version} cannot run here: of its WebAssembly build ${name} there is ${versions.size === 0 ? "no version" : `no ${node.version} and none that it could stand for`} on the registry. Ask for a version that has one`);
    return undefined;
  }
  const { version, json } = found;
  if (version !== node.version) warn(standsIn(name, version, `${own.name}@${node.version}`));
  const dist = record(json["dist"]);
  const { bundled, dependencies } = readManifest(json);
  const needed = Object.fromEntries(Object.entries(dependencies).filter(([each]) => !bundled.includes(each)));
  const build = new TreeNode({ name, manifest: readManifest({ ...json, dependencies: needed, devDependencies: {}, peerDependencies: {} }), resolved: text(dist["tarball"]), integrity: integrityOf(dist), path: joinPath(node.path, `node_modules/${name}`) });
  build.loadEdges();
  try {
    // Below a project npm lets peers be that do not fit; here the build is the top.
    await resolveTree(build, packages, { explicit: new Set(), update: new Set(), force: true, legacyPeers: false, strictPeers: false, warn: () => undefined });
  } catch (error) {
    if (!(error instanceof NpmError)) throw error;
    warn(`wasm ${own.name}@${node.version} cannot run here: what its WebAssembly build ${name} needs is not to be had (${error.message})`);
    return undefined;
  }
  return build;
}
