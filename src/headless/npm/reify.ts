// Makes node_modules equal to a resolved tree. Everything is fetched, checked and unpacked first; only then is the file
// system changed, and others see all changes at once: a failure or a kill before that leaves the tree as it was.
import { joinPath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project, readText, writeText } from "./host.ts";
import { locationOf, readLockfile, writeLockfile } from "./lockfile.ts";
import { type Manifest, readManifest, text } from "./manifest.ts";
import type { Packages, Unpacked } from "./package-source.ts";
import { putBinaries, putFiles, putLink, removeEmptyScopes, removeIfThere } from "./put-files.ts";
import { enginesProblem, PLATFORM, type Platform, platformFits, platformOf } from "./pick.ts";
import { leaveOut } from "./resolve.ts";
import { byName, type TreeNode } from "./tree.ts";
import { buildsOfOtherNames, preferListed, unlistedBuild, unpackBuild } from "./wasm-builds.ts";

const AT_ONCE = 12;

export interface ReifyOptions {
  /** Kinds of dependencies that are not put on the disk. */
  readonly omit: ReadonlySet<string>;
  readonly force: boolean;
  readonly engineStrict: boolean;
  /** `npm ci`: what is there counts for nothing. */
  readonly fresh: boolean;
  /** Nothing is put on the disk: only the lockfile is wanted, and of packages what it says of them. */
  readonly lockOnly: boolean;
  warn(message: string): void;
  progress(done: number, of: number, what: string): void;
}

export interface Reified {
  readonly added: number;
  readonly removed: number;
  readonly changed: number;
  /** Newly installed packages that have scripts to run after it. */
  readonly withScripts: readonly TreeNode[];
}

/** Changes the replica only: the caller commits. */
export async function reify(root: TreeNode, packages: Packages, project: Project, options: ReifyOptions): Promise<Reified> {
  const { vfs } = project.host;
  const platform = platformOf(project.config);
  checkPlatform(root, platform, options);
  if (platform.wasm) preferListed(root);
  const builds = platform.wasm && !options.lockOnly ? await buildsOfOtherNames(root, packages, options.warn) : new Map<TreeNode, never>();
  const nodes = [...root.all()].filter((node) => node.parent && !node.inert && !omitted(node, options.omit)).sort((a, b) => byName(a.path, b.path));
  const before = installedEntries(vfs, root.path);
  const isThere = (node: TreeNode): boolean => {
    const entry = before.get(locationOf(node, root));
    const folder = vfs.find(node.path, false);
    if (node.link) return folder?.kind === "link" && vfs.find(node.path) === vfs.find(node.link.path);
    if (!entry || options.fresh || folder?.kind !== "dir") return false;
    const onDisk = foldersOf(vfs).manifest(node.path);
    // Without a list of what was installed, as in a project that came with its packages, the folders say it.
    if (!onDisk || entry["version"] === undefined) return onDisk?.version === node.version && onDisk.name === (node.manifest.name || node.name);
    return entry["version"] === node.version && text(entry["integrity"]) === node.integrity && (text(entry["resolved"]) === node.resolved || node.resolved.startsWith("file:") || node.integrity !== "");
  };
  const missing = nodes.filter((node) => !isThere(node));
  const unpack = (node: TreeNode): Promise<Unpacked> => {
    const build = builds.get(node);
    return build ? unpackBuild(node, build, packages) : packages.unpackNode(node);
  };
  const unpacked = await fetchAll(missing.filter((node) => !node.link && !node.inBundle), unpack, options);
  for (const [node, { manifest, integrity }] of unpacked) adopt(node, manifest, integrity);
  for (const node of nodes) {
    const onDisk = unpacked.has(node) || node.link || node.inBundle ? undefined : foldersOf(vfs).manifest(node.path);
    if (onDisk) adopt(node, onDisk, "");
  }
  for (const node of root.all()) if (node.inBundle && !node.link) adoptBundled(node, unpacked);
  if (options.lockOnly) return { added: 0, removed: 0, changed: 0, withScripts: [] };

  // What is on the disk alone: nothing but the list of what was installed tells of it.
  const unlisted: TreeNode[] = [];
  if (platform.wasm) {
    for (const node of nodes) {
      const own = node.link || node.inBundle || builds.has(node) ? undefined : (unpacked.get(node)?.manifest ?? foldersOf(vfs).manifest(node.path));
      const build = own && (await unlistedBuild(node, own, packages, options.warn));
      if (build) unlisted.push(build, ...[...build.all()].filter((each) => each.parent && !each.inert));
    }
    const lacking = unlisted.filter((node) => !isThere(node));
    missing.push(...lacking);
    for (const [node, found] of await fetchAll(lacking.filter((each) => !each.inBundle), unpack, options)) unpacked.set(node, found);
  }

  const wanted = new Set([...nodes, ...unlisted].map((node) => node.path));
  const removed = options.fresh ? [] : [...before.keys()].map((location) => joinPath(root.path, location)).filter((path) => !wanted.has(path) && vfs.find(path, false));
  const tops = [root, ...root.folderChildren];
  if (options.fresh) for (const top of tops) removeIfThere(vfs, joinPath(top.path, "node_modules"));
  for (const path of removed) removeIfThere(vfs, path);
  let changed = 0;
  for (const node of missing) {
    if (!node.inBundle && vfs.find(node.path, false)) changed++;
    if (node.link) putLink(vfs, node, node.link);
    else if (!node.inBundle) putFiles(vfs, node, unpacked.get(node), builds.has(node) || unlisted.includes(node));
  }
  putBinaries(vfs, tops, nodes);
  removeEmptyScopes(vfs, removed);
  const written = missing.filter((node) => !node.inBundle);
  if (nodes.length > 0) writeText(vfs, joinPath(root.path, "node_modules/.package-lock.json"), writeLockfile(visible(root, options.omit), { hidden: true, unlisted, omitResolved: project.config.flag("omit-lockfile-registry-resolved") }));
  else for (const top of tops) removeIfThere(vfs, joinPath(top.path, "node_modules"));
  return {
    added: written.length - changed,
    removed: removed.length,
    changed,
    withScripts: written.filter((node) => !node.link && hasInstallScripts(unpacked.get(node)?.manifest, unpacked.get(node)?.files)),
  };
}

/** The tree as it is on the disk: what was omitted is marked, so that it is left out of the hidden lockfile. */
function visible(root: TreeNode, omit: ReadonlySet<string>): TreeNode {
  if (omit.size > 0) for (const node of root.all()) if (node.parent && omitted(node, omit)) node.inert = true;
  return root;
}

export function omitted(node: TreeNode, omit: ReadonlySet<string>): boolean {
  return (
    (omit.has("dev") && node.dev) ||
    (omit.has("optional") && node.optional) ||
    (omit.has("peer") && node.peer) ||
    (omit.has("dev") && omit.has("optional") && node.devOptional)
  );
}

/** Packages for other platforms are left out when they are optional, and refused when not. */
function checkPlatform(root: TreeNode, platform: Platform, { force, engineStrict, warn }: ReifyOptions): void {
  for (const node of root.all()) {
    if (node === root || node.link || node.isTop || node.inert) continue;
    const { manifest } = node;
    const engines = enginesProblem(manifest.engines);
    const wrongPlatform = !platformFits(manifest, platform);
    const name = `${manifest.name || node.name}@${node.version}`;
    if (node.optional && (wrongPlatform || (engines && engineStrict))) {
      leaveOut(node);
    } else if (wrongPlatform && !force) {
      const list = (items: readonly string[]): string => items.join(",") || "any";
      throw new NpmError("EBADPLATFORM", `Unsupported platform for ${name}: wanted {"os":"${list(manifest.os)}","cpu":"${list(manifest.cpu)}"} (current: {"os":"${platform.os}","cpu":"${platform.cpu}"})`, {
        notes: [`Valid os:   ${list(manifest.os)}`, `Actual os:  ${platform.os}`, `Valid cpu:  ${list(manifest.cpu)}`, `Actual cpu: ${platform.cpu}`],
      });
    } else if (engines) {
      const message = `Unsupported engine { package: '${name}', required: ${inspect(engines)}, current: { node: 'v${PLATFORM.node}', npm: '${PLATFORM.npm}' } }`;
      if (engineStrict && !force) {
        throw new NpmError("EBADENGINE", `Unsupported engine\nNot compatible with your version of node/npm: ${name}`, {
          notes: [`Not compatible with your version of node/npm: ${name}`, `Required: ${JSON.stringify(engines)}`, `Actual:   ${JSON.stringify({ npm: PLATFORM.npm, node: `v${PLATFORM.node}` })}`],
        });
      }
      warn(`EBADENGINE ${message}`);
    }
  }
}

const inspect = (engines: Readonly<Record<string, string>>): string => `{ ${Object.entries(engines).map(([name, range]) => `${name}: '${range}'`).join(", ")} }`;

/** What the last install put there. */
function installedEntries(vfs: Vfs, root: string): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const path = joinPath(root, "node_modules/.package-lock.json");
  const contents = readText(vfs, path);
  if (contents !== undefined) {
    try {
      return new Map([...(readLockfile(contents, path) ?? [])].filter(([location]) => /(^|\/)node_modules\//.test(location)));
    } catch {
      // A damaged list: all that is there is looked at below, and installed anew.
    }
  }
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (const folder of packageFolders(vfs, joinPath(root, "node_modules"))) found.set(folder.slice(root.length + 1), {});
  return found;
}

/** Folders of packages in a node_modules, not those nested in them. */
export function packageFolders(vfs: Vfs, modules: string): string[] {
  const dir = vfs.find(modules);
  if (dir?.kind !== "dir") return [];
  return [...dir.entries].flatMap(([name, node]) => {
    if (name.startsWith(".")) return [];
    const path = joinPath(modules, name);
    if (name.startsWith("@") && node.kind === "dir") return [...node.entries.keys()].map((inner) => joinPath(path, inner));
    return node.kind === "file" ? [] : [path];
  });
}

async function fetchAll(nodes: readonly TreeNode[], unpack: (node: TreeNode) => Promise<Unpacked>, options: ReifyOptions): Promise<Map<TreeNode, Unpacked>> {
  const unpacked = new Map<TreeNode, Unpacked>();
  const queue = [...nodes];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node; node = queue.shift()) {
      try {
        unpacked.set(node, await unpack(node));
      } catch (error) {
        queue.length = 0;
        throw error;
      }
      options.progress(++done, nodes.length, `${node.manifest.name || node.name}@${node.version}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return unpacked;
}

/** The registry's short documents say less of a package than its own package.json: the lockfile names licence and funding. */
function adopt(node: TreeNode, packed: Manifest, integrity: string): void {
  const { license, licenses, funding } = packed.raw;
  const said = { ...(license === undefined ? licencesOf(licenses) : { license }), ...(funding === undefined ? {} : { funding }) };
  node.manifest = readManifest({ ...node.manifest.raw, ...said, ...(packed.hasInstallScript || node.manifest.hasInstallScript ? { hasInstallScript: true } : {}) });
  node.integrity ||= integrity;
}

/** The old spelling: a list of licences. */
function licencesOf(licenses: unknown): { license?: unknown } {
  const first: unknown = Array.isArray(licenses) ? licenses[0] : licenses;
  return first === undefined ? {} : { license: first };
}

function adoptBundled(node: TreeNode, unpacked: ReadonlyMap<TreeNode, Unpacked>): void {
  for (let holder = node.parent; holder; holder = holder.parent) {
    const found = unpacked.get(holder);
    if (!found) continue;
    const path = `${node.path.slice(holder.path.length + 1)}/package.json`;
    const file = found.files.find((candidate) => candidate.path === path);
    if (file) node.manifest = readManifest(JSON.parse(new TextDecoder().decode(file.data)));
    return;
  }
}

function hasInstallScripts(manifest: Manifest | undefined, files: Unpacked["files"] | undefined): boolean {
  if (!manifest) return false;
  return ["preinstall", "install", "postinstall"].some((name) => name in manifest.scripts) || (files ?? []).some(({ path }) => path === "binding.gyp");
}
