// Makes node_modules equal to a resolved tree. Everything is fetched, checked and unpacked first; only then is the file
// system changed, and others see all changes at once: a failure or a kill before that leaves the tree as it was.
import { baseName, joinPath, parentPath } from "../posix-path.ts";
import type { Vfs } from "../vfs.ts";
import { NpmError } from "./error.ts";
import { foldersOf, type Project, readText, writeText } from "./host.ts";
import { locationOf, readLockfile, relativePath, writeLockfile } from "./lockfile.ts";
import { type Manifest, readManifest, text } from "./manifest.ts";
import type { Packages, Unpacked } from "./package-source.ts";
import { enginesProblem, PLATFORM, platformFits } from "./pick.ts";
import { leaveOut } from "./resolve.ts";
import { byName, type TreeNode } from "./tree.ts";

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
  checkPlatform(root, options);
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
  const unpacked = await fetchAll(missing.filter((node) => !node.link && !node.inBundle), packages, options);
  for (const [node, { manifest, integrity }] of unpacked) adopt(node, manifest, integrity);
  for (const node of nodes) {
    const onDisk = unpacked.has(node) || node.link || node.inBundle ? undefined : foldersOf(vfs).manifest(node.path);
    if (onDisk) adopt(node, onDisk, "");
  }
  for (const node of root.all()) if (node.inBundle && !node.link) adoptBundled(node, unpacked);
  if (options.lockOnly) return { added: 0, removed: 0, changed: 0, withScripts: [] };

  const wanted = new Set(nodes.map((node) => node.path));
  const removed = options.fresh ? [] : [...before.keys()].map((location) => joinPath(root.path, location)).filter((path) => !wanted.has(path) && vfs.find(path, false));
  const tops = [root, ...root.folderChildren];
  if (options.fresh) for (const top of tops) removeIfThere(vfs, joinPath(top.path, "node_modules"));
  for (const path of removed) removeIfThere(vfs, path);
  let changed = 0;
  for (const node of missing) {
    if (!node.inBundle && vfs.find(node.path, false)) changed++;
    if (node.link) putLink(vfs, node, node.link);
    else if (!node.inBundle) putFiles(vfs, node, unpacked.get(node));
  }
  putBinaries(vfs, tops, nodes);
  removeEmptyScopes(vfs, removed);
  const written = missing.filter((node) => !node.inBundle);
  if (nodes.length > 0) writeText(vfs, joinPath(root.path, "node_modules/.package-lock.json"), writeLockfile(visible(root, options.omit), { hidden: true, omitResolved: project.config.flag("omit-lockfile-registry-resolved") }));
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
function checkPlatform(root: TreeNode, { force, engineStrict, warn }: ReifyOptions): void {
  for (const node of root.all()) {
    if (node === root || node.link || node.isTop || node.inert) continue;
    const { manifest } = node;
    const engines = enginesProblem(manifest.engines);
    const wrongPlatform = !platformFits(manifest);
    const name = `${manifest.name || node.name}@${node.version}`;
    if (node.optional && (wrongPlatform || (engines && engineStrict))) {
      leaveOut(node);
    } else if (wrongPlatform && !force) {
      const list = (items: readonly string[]): string => items.join(",") || "any";
      throw new NpmError("EBADPLATFORM", `Unsupported platform for ${name}: wanted {"os":"${list(manifest.os)}","cpu":"${list(manifest.cpu)}"} (current: {"os":"${PLATFORM.os}","cpu":"${PLATFORM.cpu}"})`, {
        notes: [`Valid os:   ${list(manifest.os)}`, `Actual os:  ${PLATFORM.os}`, `Valid cpu:  ${list(manifest.cpu)}`, `Actual cpu: ${PLATFORM.cpu}`],
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

async function fetchAll(nodes: readonly TreeNode[], packages: Packages, options: ReifyOptions): Promise<Map<TreeNode, Unpacked>> {
  const unpacked = new Map<TreeNode, Unpacked>();
  const queue = [...nodes];
  let done = 0;
  const work = async (): Promise<void> => {
    for (let node = queue.shift(); node; node = queue.shift()) {
      try {
        unpacked.set(node, await packages.unpackNode(node));
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

function removeIfThere(vfs: Vfs, path: string): void {
  if (vfs.find(path, false)) vfs.removeTree(path);
}

function putLink(vfs: Vfs, node: TreeNode, target: TreeNode): void {
  removeIfThere(vfs, node.path);
  vfs.mkdir(parentPath(node.path), { recursive: true });
  vfs.symlink(relativePath(parentPath(node.path), target.path), node.path);
}

/** The package's files in place of the old ones. What is nested in its node_modules stays: it has nodes of its own. */
function putFiles(vfs: Vfs, node: TreeNode, unpacked: Unpacked | undefined): void {
  const old = vfs.find(node.path, false);
  if (old?.kind === "dir") {
    for (const name of old.entries.keys()) if (name !== "node_modules") vfs.removeTree(joinPath(node.path, name));
  } else if (old) vfs.removeTree(node.path);
  const made = new Set<string>();
  const bundled = new Set([...node.children.values()].filter((child) => child.inBundle).map((child) => child.name));
  for (const { path, data, mode } of unpacked?.files ?? []) {
    const inner = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1];
    if (inner !== undefined && !bundled.has(inner)) continue;
    const full = joinPath(node.path, path);
    const folder = parentPath(full);
    if (!made.has(folder)) {
      vfs.mkdir(folder, { recursive: true });
      made.add(folder);
    }
    vfs.writeFile(full, data, { mode });
  }
  // Executable whatever the tarball says, and without the carriage return that no kernel accepts after `#!`.
  for (const path of Object.values(node.manifest.bin)) {
    const full = joinPath(node.path, path);
    const file = vfs.find(full);
    if (file?.kind !== "file") continue;
    if ((file.mode & 0o111) !== 0o111) vfs.chmod(full, file.mode | 0o111);
    const end = file.data.indexOf(0x0a);
    if (file.data[0] === 0x23 && end > 0 && file.data[end - 1] === 0x0d) {
      const rest = file.data.slice(0, file.data.length - 1);
      rest.set(file.data.subarray(end), end - 1);
      vfs.writeFile(full, rest);
    }
  }
}

/** node_modules/.bin: one link for each command of the packages beside it. */
function putBinaries(vfs: Vfs, tops: readonly TreeNode[], nodes: readonly TreeNode[]): void {
  const wanted = new Map<string, Map<string, string>>();
  const modulesOf = (holder: TreeNode): string => joinPath(holder.path, "node_modules");
  for (const top of tops) wanted.set(modulesOf(top), new Map());
  for (const node of nodes) {
    if (!node.parent) continue;
    const modules = modulesOf(node.parent);
    const links = wanted.get(modules) ?? new Map<string, string>();
    wanted.set(modules, links);
    for (const [name, path] of Object.entries(node.target.manifest.bin)) {
      if (!links.has(name) && vfs.find(joinPath(node.path, path))?.kind === "file") links.set(name, `../${node.name}/${path}`);
    }
  }
  for (const [modules, links] of wanted) {
    const folder = joinPath(modules, ".bin");
    const there = vfs.find(folder);
    if (there?.kind === "dir") for (const name of there.entries.keys()) if (!links.has(name)) vfs.removeTree(joinPath(folder, name));
    if (links.size === 0) {
      removeIfThere(vfs, folder);
      continue;
    }
    vfs.mkdir(folder, { recursive: true });
    for (const [name, target] of links) {
      const path = joinPath(folder, name);
      const old = vfs.find(path, false);
      if (old?.kind === "link" && old.target === target) continue;
      removeIfThere(vfs, path);
      vfs.symlink(target, path);
    }
  }
}

function removeEmptyScopes(vfs: Vfs, removed: readonly string[]): void {
  for (const path of removed) {
    for (let folder = parentPath(path); baseName(folder).startsWith("@") || baseName(folder) === "node_modules"; folder = parentPath(folder)) {
      const node = vfs.find(folder, false);
      if (node?.kind !== "dir" || node.entries.size > 0) break;
      vfs.removeTree(folder);
    }
  }
}

function hasInstallScripts(manifest: Manifest | undefined, files: Unpacked["files"] | undefined): boolean {
  if (!manifest) return false;
  return ["preinstall", "install", "postinstall"].some((name) => name in manifest.scripts) || (files ?? []).some(({ path }) => path === "binding.gyp");
}
