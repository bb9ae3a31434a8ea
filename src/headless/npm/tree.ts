// The tree of packages: nodes (a folder each) and edges (what one package asks of another), kept in agreement while nodes
// are placed and removed. Where a name leads is what Node's own resolution would find: the nearest node_modules upwards.
// (Over 300 lines: nodes and edges hold each other and are changed together.)
import semver from "semver";
import { resolvePath } from "../posix-path.ts";
import type { Manifest } from "./manifest.ts";
import { overridden, type OverrideRule } from "./overrides.ts";
import { parseSpec, type Spec } from "./spec.ts";

export type EdgeType = "prod" | "dev" | "optional" | "peer" | "peerOptional" | "workspace";

/** What one package asks of another. */
export class Edge {
  readonly from: TreeNode;
  readonly name: string;
  readonly type: EdgeType;
  /** As package.json has it. */
  readonly rawWanted: string;
  /** The override in force where it is asked. */
  readonly rule: OverrideRule | undefined;
  to: TreeNode | undefined;
  /** A peer that could not be met and was let be, with a warning. */
  conflicted = false;
  readonly #wanted: string;

  constructor(from: TreeNode, name: string, type: EdgeType, wanted: string) {
    this.from = from;
    this.name = name;
    this.type = type;
    this.rawWanted = wanted;
    this.rule = from.overrides?.forDependency(name, wanted);
    this.#wanted = overridden(this.rule, name, wanted);
  }

  get wanted(): string {
    return this.#wanted;
  }

  get peer(): boolean {
    return this.type === "peer" || this.type === "peerOptional";
  }

  get optional(): boolean {
    return this.type === "optional" || this.type === "peerOptional";
  }

  get problem(): "missing" | "misplaced peer" | "invalid" | undefined {
    if (!this.to) return this.optional ? undefined : "missing";
    if (this.peer && this.from === this.to.parent && !this.from.isTop) return "misplaced peer";
    return this.satisfiedBy(this.to) ? undefined : "invalid";
  }

  get valid(): boolean {
    return this.problem === undefined;
  }

  satisfiedBy(node: TreeNode): boolean {
    if (node.name !== this.name) return false;
    return satisfies(node, parseSpec(this.name, node.inBundle ? this.rawWanted : this.#wanted), this.from);
  }
}

function satisfies(node: TreeNode, spec: Spec, from: TreeNode): boolean {
  switch (spec.type) {
    case "range":
      return spec.wanted === "*" || semver.satisfies(node.version, spec.wanted, true);
    case "version":
      return semver.satisfies(node.version, spec.wanted, true);
    case "alias":
      return satisfies(node, spec.target, from);
    case "tag":
      return /^https?:/.test(node.resolved);
    case "directory":
      return node.link !== undefined && node.link.path === resolvePath(spec.path, from.path);
    case "file":
      return !node.link && node.resolved === `file:${resolvePath(spec.path, from.path)}`;
    case "remote":
      return node.resolved === spec.url;
    case "git":
      return node.resolved !== "" && node.resolved.startsWith("git");
  }
}

export interface NodeInit {
  readonly name: string;
  readonly manifest: Manifest;
  /** Address of the tarball, or `file:` and an absolute path; empty for folders of the project. */
  readonly resolved?: string;
  readonly integrity?: string;
  readonly overrides?: OverrideRule | undefined;
  /** Absolute path; for tops only (the project, workspaces, linked folders). Others lie in their parent. */
  readonly path?: string;
  /** A link's target. */
  readonly link?: TreeNode | undefined;
  /** A stand-in for this node, in which a set of peers is tried out. */
  readonly source?: TreeNode;
  /** Why it could not be fetched. */
  readonly failure?: unknown;
  readonly inBundle?: boolean;
}

export class TreeNode {
  readonly name: string;
  manifest: Manifest;
  resolved: string;
  integrity: string;
  overrides: OverrideRule | undefined;
  readonly link: TreeNode | undefined;
  readonly source: TreeNode | undefined;
  readonly failure: unknown;
  inBundle: boolean;
  parent: TreeNode | undefined;
  /** The top whose folder holds this top: its node_modules is seen from here too. */
  folderParent: TreeNode | undefined;
  readonly folderChildren = new Set<TreeNode>();
  readonly children = new Map<string, TreeNode>();
  readonly edgesOut = new Map<string, Edge>();
  readonly edgesIn = new Set<Edge>();
  /** Of the tree's root: names and folders of its workspaces. */
  readonly workspaces = new Map<string, string>();
  isWorkspace = false;
  /** Who needs it: cleared by `markNeeds` as soon as something needs it more. */
  dev = false;
  optional = false;
  devOptional = false;
  peer = false;
  extraneous = false;
  /** Not put on the disk: an optional dependency that cannot run or be fetched here. */
  inert = false;
  readonly #path: string;

  constructor(init: NodeInit) {
    this.name = init.name;
    this.manifest = init.manifest;
    this.resolved = init.resolved ?? "";
    this.integrity = init.integrity ?? "";
    this.overrides = init.overrides;
    this.link = init.link;
    this.source = init.source;
    this.failure = init.failure;
    this.inBundle = init.inBundle ?? false;
    this.#path = init.path ?? "/";
  }

  get version(): string {
    return this.manifest.version;
  }

  /** A link's edges are its target's. */
  get target(): TreeNode {
    return this.link ?? this;
  }

  get isTop(): boolean {
    return this.parent === undefined;
  }

  get up(): TreeNode | undefined {
    return this.parent ?? this.folderParent;
  }

  get root(): TreeNode {
    return this.up?.root ?? this;
  }

  get isRoot(): boolean {
    return this.up === undefined;
  }

  get path(): string {
    return this.parent ? `${this.parent.path === "/" ? "" : this.parent.path}/node_modules/${this.name}` : this.#path;
  }

  get depth(): number {
    let depth = 0;
    for (let node = this.parent; node; node = node.parent) depth++;
    return depth;
  }

  /** Itself, then upwards. */
  *ancestry(): Generator<TreeNode> {
    yield this;
    for (let node = this.up; node; node = node.up) yield node;
  }

  isWithin(other: TreeNode): boolean {
    for (const node of this.ancestry()) if (node === other) return true;
    return false;
  }

  resolve(name: string): TreeNode | undefined {
    for (const node of this.ancestry()) {
      const found = node.children.get(name);
      if (found) return found;
    }
    return undefined;
  }

  /** Every node below, itself included; tops in its folder too. */
  *all(): Generator<TreeNode> {
    yield this;
    for (const child of this.children.values()) yield* child.all();
    for (const child of this.folderChildren) yield* child.all();
  }

  /** Reads the edges from the manifest: call once, when the node is where it belongs. */
  loadEdges(): void {
    if (this.link) return;
    const { manifest } = this;
    const add = (type: EdgeType, dependencies: Readonly<Record<string, string>>): void => {
      for (const [name, wanted] of Object.entries(dependencies)) {
        if (this.edgesOut.get(name)?.type !== "workspace") this.#addEdge(new Edge(this, name, type, wanted));
      }
    };
    for (const [name, path] of this.workspaces) this.#addEdge(new Edge(this, name, "workspace", `file:${path}`));
    const peers = Object.entries(manifest.peerDependencies);
    add("peer", Object.fromEntries(peers.filter(([name]) => !manifest.optionalPeers.has(name))));
    add("peerOptional", Object.fromEntries(peers.filter(([name]) => manifest.optionalPeers.has(name))));
    add("prod", manifest.dependencies);
    add("optional", manifest.optionalDependencies);
    if ((this.source ?? this).isTop && !this.parent) add("dev", manifest.devDependencies);
  }

  #addEdge(edge: Edge): void {
    this.edgesOut.get(edge.name)?.to?.edgesIn.delete(this.edgesOut.get(edge.name) as Edge);
    this.edgesOut.set(edge.name, edge);
    this.#aim(edge);
  }

  /** Takes the manifest's edges anew, after the manifest was changed. */
  reloadEdges(): void {
    for (const edge of this.edgesOut.values()) edge.to?.edgesIn.delete(edge);
    this.edgesOut.clear();
    this.loadEdges();
  }

  /** Puts a node without a parent into this one's node_modules, in place of what has its name there. */
  add(node: TreeNode): void {
    if (node.parent === this) return;
    node.#detach();
    const old = this.children.get(node.name);
    if (old) old.remove();
    node.parent = this;
    this.children.set(node.name, node);
    if (node.edgesOut.size === 0) node.loadEdges();
    else node.#aimAll();
    this.#aimBelow(node.name);
  }

  /** Takes the place of a node, and its children. */
  replace(old: TreeNode): void {
    const { parent } = old;
    if (!parent) return;
    const kids = this.link ? [] : [...old.children.values()];
    for (const kid of kids) {
      old.children.delete(kid.name);
      kid.parent = this;
      this.children.set(kid.name, kid);
    }
    parent.add(this);
    for (const node of this.all()) node.#aimAll();
  }

  addFolder(node: TreeNode): void {
    node.folderParent = this;
    this.folderChildren.add(node);
    node.loadEdges();
  }

  /** Takes it and everything below out of the tree. */
  remove(): void {
    const { parent } = this;
    if (!parent) return;
    this.#detach();
    for (const node of this.all()) {
      for (const edge of node.edgesOut.values()) {
        edge.to?.edgesIn.delete(edge);
        edge.to = undefined;
      }
      for (const edge of node.edgesIn) {
        if (!edge.from.isWithin(this)) edge.to = undefined;
      }
      node.edgesIn.clear();
    }
    parent.#aimBelow(this.name);
  }

  #detach(): void {
    const { parent } = this;
    if (parent?.children.get(this.name) === this) parent.children.delete(this.name);
    this.parent = undefined;
  }

  #aimAll(): void {
    for (const edge of this.edgesOut.values()) this.#aim(edge);
  }

  /** A name was added or removed here: whoever looks upwards through this node may find another now. */
  #aimBelow(name: string): void {
    const edge = this.edgesOut.get(name);
    if (edge) this.#aim(edge);
    for (const child of this.children.values()) child.#aimBelow(name);
    for (const child of this.folderChildren) child.#aimBelow(name);
  }

  #aim(edge: Edge): void {
    const to = this.resolve(edge.name);
    if (to === edge.to) {
      to?.edgesIn.add(edge);
      return;
    }
    edge.to?.edgesIn.delete(edge);
    edge.to = to;
    to?.edgesIn.add(edge);
  }

  /** The same package in the same version. */
  matches(other: TreeNode): boolean {
    if (other === this) return true;
    if (other.name !== this.name) return false;
    if (this.link) return other.link !== undefined && this.link.path === other.link.path;
    if (this.integrity !== "" && other.integrity !== "") return this.integrity === other.integrity;
    if (this.resolved !== "" && other.resolved !== "") return this.resolved === other.resolved;
    return this.manifest.name !== "" && this.manifest.name === other.manifest.name && this.version !== "" && this.version === other.version;
  }

  /** Whether this node in `other`'s place satisfies everything that `other` does. Peers of `ignored` names beside it may differ: they go as well. */
  canReplace(other: TreeNode, ignored: ReadonlySet<string> = new Set()): boolean {
    if (other.name !== this.name || other.manifest.name !== this.manifest.name) return false;
    if (other.edgesOut.size > 0 && other.overrides !== this.overrides) return false;
    const gone = onlyFor([other], (edge) => edge.to !== other && edge.valid);
    for (const edge of other.edgesIn) {
      if (!other.isTop && edge.from.parent === other.parent && edge.peer && ignored.has(edge.from.name)) continue;
      if (!gone.has(edge.from) && !edge.satisfiedBy(this)) return false;
    }
    return true;
  }

  /** Whether what lies further up would do as well: the same or newer, or, when it was asked for, any that fits. */
  canDedupe(explicit: boolean): boolean {
    if (this.inBundle) return false;
    const above = this.up?.up;
    if (!above) return false;
    if (this.edgesIn.size === 0) return true;
    const other = above.resolve(this.name);
    if (!other) return false;
    if (other.matches(this)) return true;
    if (!other.canReplace(this)) return false;
    const order = semver.valid(other.version, true) !== null && semver.valid(this.version, true) !== null ? semver.compare(other.version, this.version, true) : -1;
    return order >= 0 || explicit;
  }
}

/** The given nodes and what only they lead to, along the edges that `follow` accepts. */
export function onlyFor(start: Iterable<TreeNode>, follow: (edge: Edge) => boolean): Set<TreeNode> {
  const found = new Set(start);
  for (const node of found) {
    for (const edge of node.edgesOut.values()) if (edge.to && follow(edge)) found.add(edge.to);
  }
  for (let changed = true; changed; ) {
    changed = false;
    for (const node of found) {
      for (const edge of node.edgesIn) {
        if (found.has(edge.from) || !follow(edge)) continue;
        found.delete(node);
        changed = true;
        break;
      }
    }
  }
  return found;
}

/** npm's order of names and paths. */
const collator = new Intl.Collator("en");
export const byName = (a: string, b: string): number => collator.compare(a, b);
