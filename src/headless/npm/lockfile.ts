// package-lock.json, version 3 (2 is read as well), in npm's own order of fields, so that npm and this container change
// the same file back and forth without a difference.
import { isWithin, joinPath, resolvePath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { type Json, type Manifest, readManifest, record, text } from "./manifest.ts";
import { byName, TreeNode } from "./tree.ts";
import { findWorkspaces, type Folders } from "./workspaces.ts";
import { OverrideRule } from "./overrides.ts";

/** Entries by their folder below the project; "" is the project. */
export type LockPackages = ReadonlyMap<string, Json>;

/** Undefined for a file of npm 6 or older, which has no such list. Throws EJSONPARSE. */
export function readLockfile(contents: string, path: string): LockPackages | undefined {
  let json: Json;
  try {
    json = record(JSON.parse(contents));
  } catch (cause) {
    throw new NpmError("EJSONPARSE", `Invalid package-lock.json: ${(cause as Error).message}`, { notes: [`path ${path}`, "Resolve the conflict or remove the file, then run npm install."], cause });
  }
  if (!("packages" in json)) return undefined;
  const entries = Object.entries(record(json["packages"])).filter(([location]) => location.split("/").every((part) => part !== "__proto__"));
  return new Map(entries.map(([location, entry]) => [location, record(entry)]));
}

/** The project with nothing installed: its own dependencies, its workspaces as links. */
export function projectTree(path: string, manifest: Manifest, folders: Folders): TreeNode {
  const rules = record(manifest.raw["overrides"]);
  const asked = [manifest.devDependencies, manifest.optionalDependencies, manifest.dependencies, manifest.peerDependencies];
  const overrides = Object.keys(rules).length > 0 ? new OverrideRule("", rules, asked) : undefined;
  const root = new TreeNode({ name: manifest.name || (path.split("/").pop() ?? ""), manifest, path, overrides });
  for (const [folder, own] of findWorkspaces(path, manifest, folders)) {
    root.workspaces.set(own.name, folder);
    const node = new TreeNode({ name: own.name, manifest: own, path: folder });
    node.isWorkspace = true;
    root.addFolder(node);
  }
  root.loadEdges();
  return root;
}

/** Fills a project's tree with what the lockfile has. Entries that make no sense are left out and so resolved anew. */
export function loadLocked(root: TreeNode, packages: LockPackages, folders: Folders): void {
  const nodes = new Map<string, TreeNode>([["", root]]);
  for (const folder of root.folderChildren) nodes.set(folder.path.slice(root.path.length + 1), folder);
  const parts = (location: string): number => location.split("node_modules/").length;
  const entries = [...packages].filter(([location]) => location !== "").sort(([a], [b]) => parts(a) - parts(b));
  // Folders first: links lead to them.
  for (const [location, entry] of entries) {
    if (/(^|\/)node_modules\//.test(location) || nodes.has(location)) continue;
    const path = resolvePath(location, root.path);
    const present = folders.manifest(path);
    const node = new TreeNode({ name: text(entry["name"]) || (location.split("/").pop() ?? ""), manifest: present ?? readManifest(entry), path });
    nodes.set(location, node);
    if (isWithin(path, root.path) && present) root.addFolder(node);
  }
  for (const [location, entry] of entries) {
    const at = location.lastIndexOf("node_modules/");
    if (at < 0 || (at > 0 && location[at - 1] !== "/")) continue;
    const parent = nodes.get(location.slice(0, Math.max(0, at - 1)));
    const name = location.slice(at + "node_modules/".length);
    if (!parent || name === "" || name.split("/").some((part) => part === "" || part.startsWith("."))) continue;
    const node = entry["link"] === true ? lockedLink(name, nodes.get(text(entry["resolved"]))) : lockedNode(name, entry, root.path);
    if (!node) continue;
    nodes.set(location, node);
    parent.add(node);
  }
  if (root.overrides) applyOverrides(root);
}

/** The lockfile does not say under which rule a package came in: it is found again along the edges. */
function applyOverrides(root: TreeNode): void {
  const queue = [root];
  const seen = new Set(queue);
  for (const node of queue) {
    if (node !== root) node.reloadEdges();
    for (const { to, rule } of node.edgesOut.values()) {
      if (!to || seen.has(to)) continue;
      seen.add(to);
      to.overrides = rule;
      queue.push(to);
    }
  }
}

function lockedLink(name: string, target: TreeNode | undefined): TreeNode | undefined {
  return target && new TreeNode({ name, manifest: target.manifest, link: target });
}

function lockedNode(name: string, entry: Json, root: string): TreeNode {
  const manifest = readManifest({ ...entry, name: text(entry["name"]) || name });
  const given = text(entry["resolved"]);
  const resolved = given.startsWith("file:") ? `file:${resolvePath(given.slice("file:".length), root)}` : given;
  return new TreeNode({ name, manifest, resolved, integrity: text(entry["integrity"]), inBundle: entry["inBundle"] === true });
}

/** The mark of an entry that stands in node_modules' own list alone. */
export const UNLISTED = "unlisted";

const PACKAGE_FIELDS = [
  "version", "dependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies", "bundleDependencies", "acceptDependencies",
  "funding", "engines", "os", "cpu", "libc", "license", "hasInstallScript", "bin", "deprecated", "workspaces",
] as const;
const FIRST = ["name", "version", "lockfileVersion", "resolved", "integrity", "requires", "packages", "dependencies"];

interface WriteOptions {
  /** node_modules/.package-lock.json, which has no entry for the project. */
  readonly hidden?: boolean;
  /** What only that one has (wasm-builds.ts), marked as such. */
  readonly unlisted?: readonly TreeNode[];
  readonly indent?: string;
  readonly omitResolved?: boolean;
}

/** The file's text. */
export function writeLockfile(root: TreeNode, options: WriteOptions = {}): string {
  const packages: Record<string, Json> = {};
  if (!options.hidden) packages[""] = entryOf(root, root);
  for (const node of lockedNodes(root)) {
    if (node === root || (node.inert && (options.hidden || node.version === ""))) continue;
    const { resolved, ...rest } = entryOf(node, root);
    packages[locationOf(node, root)] = resolved === undefined || (options.omitResolved && isOnRegistry(node)) ? rest : { resolved, ...rest };
  }
  for (const node of options.unlisted ?? []) packages[locationOf(node, root)] = { ...entryOf(node, root), [UNLISTED]: true };
  const { name } = root;
  const version = root.manifest.version === "" ? {} : { version: root.manifest.version };
  const file = { name, ...version, lockfileVersion: 3, requires: true, packages };
  return `${JSON.stringify(inOrder(file), null, options.indent ?? "  ")}\n`;
}

/** `omit-lockfile-registry-resolved`: so that another registry can serve the same lockfile. */
function isOnRegistry(node: TreeNode): boolean {
  return /^https?:/.test(node.resolved) && [...node.edgesIn].every(({ wanted }) => !/^https?:/.test(wanted));
}

/** Every node, the targets of links outside the project too. */
export function lockedNodes(root: TreeNode): ReadonlySet<TreeNode> {
  const nodes = new Set(root.all());
  for (const node of nodes) if (node.link) for (const target of node.link.all()) nodes.add(target);
  return nodes;
}

export function locationOf(node: TreeNode, root: TreeNode): string {
  return relativePath(root.path, node.path);
}

export function relativePath(from: string, to: string): string {
  const a = from.split("/").filter(Boolean);
  const b = to.split("/").filter(Boolean);
  let same = 0;
  while (same < a.length && same < b.length && a[same] === b[same]) same++;
  return [...a.slice(same).map(() => ".."), ...b.slice(same)].join("/");
}

function entryOf(node: TreeNode, root: TreeNode): Json {
  if (node.link) return { resolved: locationOf(node.link, root), link: true, ...needsOf(node) };
  const { raw, name } = node.manifest;
  const entry: Record<string, unknown> = {};
  for (const field of PACKAGE_FIELDS) {
    const value = fieldOf(node, raw, field);
    if (value !== undefined) entry[field] = value;
  }
  const folderName = /(?:^|\/)((?:@[^/]+\/)?[^/]+)$/.exec(node.path)?.[1] ?? "";
  if (name !== "" && (node === root || name !== node.name || name !== folderName)) entry["name"] = name;
  if (node.isTop && Object.keys(node.manifest.devDependencies).length > 0) entry["devDependencies"] = raw["devDependencies"];
  if (node.integrity !== "") entry["integrity"] = node.integrity;
  if (node.inBundle) entry["inBundle"] = true;
  if (node.resolved !== "") entry["resolved"] = node.resolved.startsWith("file:") ? `file:${relativePath(root.path, node.resolved.slice("file:".length))}` : node.resolved;
  return { ...entry, ...needsOf(node) };
}

/** Empty values are not written. */
function fieldOf(node: TreeNode, raw: Json, field: (typeof PACKAGE_FIELDS)[number]): unknown {
  if (field === "bin") return Object.keys(node.manifest.bin).length > 0 ? { ...node.manifest.bin } : undefined;
  if (field === "dependencies" && node.parent) return Object.keys(node.manifest.dependencies).length > 0 ? { ...node.manifest.dependencies } : undefined;
  if (field === "hasInstallScript") return node.manifest.hasInstallScript && !node.isTop ? true : undefined;
  if (field === "bundleDependencies") return node.manifest.bundled.length > 0 ? node.manifest.bundled : undefined;
  if (field === "license") return licenseOf(raw);
  if (field === "funding") return fundingOf(raw["funding"]);
  const value = raw[field];
  if (value === undefined || value === null || value === false || value === "" || value === 0) return undefined;
  return typeof value === "object" && Object.keys(value).length === 0 ? undefined : value;
}

function licenseOf(raw: Json): unknown {
  const { license } = raw;
  const type = record(license)["type"];
  return typeof type === "string" && type !== "" ? type : license === undefined || license === "" ? undefined : license;
}

function fundingOf(funding: unknown): unknown {
  if (typeof funding === "string") return funding === "" ? undefined : { url: funding };
  if (Array.isArray(funding)) return funding.length === 0 ? undefined : funding;
  return typeof funding === "object" && funding !== null && Object.keys(funding).length > 0 ? funding : undefined;
}

function needsOf(node: TreeNode): Json {
  if (node.isRoot && !node.link) return {};
  if (node.extraneous) return { extraneous: true };
  return {
    ...(node.peer ? { peer: true } : {}),
    ...(node.dev ? { dev: true } : {}),
    ...(node.optional ? { optional: true } : {}),
    ...(node.devOptional && !node.dev && !node.optional ? { devOptional: true } : {}),
  };
}

/** Plain values before records, then by name, a few names first. */
function inOrder(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  const isRecord = (item: unknown): boolean => typeof item === "object" && item !== null && !Array.isArray(item);
  const rank = (name: string): number => (FIRST.includes(name) ? FIRST.indexOf(name) : FIRST.length);
  const entries = Object.entries(value as Json).sort(([a, aValue], [b, bValue]) => Number(isRecord(aValue)) - Number(isRecord(bValue)) || rank(a) - rank(b) || byName(a, b));
  return Object.fromEntries(entries.map(([name, item]) => [name, inOrder(item)]));
}

export function lockfilePath(project: string): string {
  return joinPath(project, "package-lock.json");
}
