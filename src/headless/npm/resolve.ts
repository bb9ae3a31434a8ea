// From what package.json asks for to the whole tree, as npm does it: starting from the locked tree, every dependency that
// is missing or does not fit is fetched and placed, breadth first, in the order of depth and path. (Over 300 lines: the
// loop and the sets of peers that it tries out share what they know.)
import { isWithin, resolvePath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { type Manifest, type PackageDocument, readManifest, record, text } from "./manifest.ts";
import type { LockedVersions } from "./other-locks.ts";
import { pickVersion } from "./pick.ts";
import { conflictError, place, type Placement } from "./place.ts";
import { parseSpec, type Spec } from "./spec.ts";
import { byName, type Edge, onlyFor, TreeNode } from "./tree.ts";

/** A package that is not (only) a version on the registry. */
export interface LocalPackage {
  readonly manifest: Manifest;
  readonly integrity?: string;
}

/** Where packages come from. Each method throws NpmError. */
export interface PackageSource {
  document(name: string): Promise<PackageDocument>;
  /** A folder's package.json; an empty manifest if it has none. */
  folder(path: string): Manifest;
  tarball(resolved: string): Promise<LocalPackage>;
  /** The packages that a tarball brings in its own node_modules, by path below the package. */
  bundled(node: TreeNode): Promise<ReadonlyMap<string, Manifest>>;
}

export interface ResolveOptions {
  /** Names that the command line asks the root for: taken anew even when what is there fits. */
  readonly explicit: ReadonlySet<string>;
  /** Names that are taken anew wherever they are asked for. */
  readonly update: ReadonlySet<string> | "all";
  readonly force: boolean;
  readonly legacyPeers: boolean;
  readonly strictPeers: boolean;
  /** Another package manager's choices, kept where they fit. */
  readonly locked?: LockedVersions | undefined;
  warn(message: string): void;
}

/** Completes the tree below `root` in place. Throws the failure of a package that is not optional. */
export async function resolveTree(root: TreeNode, source: PackageSource, options: ResolveOptions, signal?: AbortSignal): Promise<void> {
  await new Resolver(root, source, options, signal).run();
}

class Resolver {
  readonly #root: TreeNode;
  readonly #source: PackageSource;
  readonly #options: ResolveOptions;
  readonly #signal: AbortSignal | undefined;
  readonly #queue = new Set<TreeNode>();
  readonly #seen = new Set<TreeNode>();
  readonly #failed = new Set<TreeNode>();
  readonly #opened = new Set<TreeNode>();
  readonly #standIns = new Map<TreeNode, TreeNode>();
  /** Below which node a set of peers will stand. */
  readonly #peerSource = new Map<TreeNode, TreeNode>();
  readonly #explicit: ReadonlySet<Edge>;

  constructor(root: TreeNode, source: PackageSource, options: ResolveOptions, signal: AbortSignal | undefined) {
    this.#root = root;
    this.#source = source;
    this.#options = options;
    this.#signal = signal;
    this.#explicit = new Set([...root.edgesOut.values()].filter((edge) => options.explicit.has(edge.name)));
  }

  async run(): Promise<void> {
    this.#queue.add(this.#root);
    for (const folder of this.#root.folderChildren) this.#queue.add(folder);
    if (this.#options.update !== "all" && this.#options.update.size > 0) {
      for (const node of this.#root.all()) if (this.#updates(node.name) && !node.isTop) for (const edge of node.edgesIn) this.#queue.add(edge.from);
    }
    for (let node = this.#next(); node; node = this.#next()) {
      this.#signal?.throwIfAborted();
      await this.#visit(node);
    }
    // What was locked and still fits is not looked into above; its own parts may be missing.
    for (const node of this.#root.all()) if (!this.#seen.has(node) && this.#problems(node).length > 0) this.#queue.add(node);
    if (this.#queue.size > 0) return this.run();
    this.#settleFailures();
  }

  #next(): TreeNode | undefined {
    let first: TreeNode | undefined;
    for (const node of this.#queue) {
      if (!first || node.depth - first.depth < 0 || (node.depth === first.depth && byName(node.path, first.path) < 0)) first = node;
    }
    if (first) this.#queue.delete(first);
    return first;
  }

  #updates(name: string): boolean {
    return this.#options.update === "all" || this.#options.update.has(name);
  }

  async #visit(node: TreeNode): Promise<void> {
    if (this.#seen.has(node) || node.root !== this.#root || node.link) return;
    this.#seen.add(node);
    await this.#openBundle(node);
    const peerSource = this.#peerSource.get(node) ?? node;
    const tasks: { readonly edge: Edge; readonly dep: TreeNode }[] = [];
    const problems = this.#problems(node);
    this.#askAhead(problems);
    for (const edge of problems) {
      if (edge.conflicted) continue;
      const standIn = this.#standIn(edge.peer ? peerSource : node, true);
      const there = standIn.edgesOut.get(edge.name);
      const known = there?.valid && there.to && edge.satisfiedBy(there.to) ? there.to : undefined;
      const hoistable = edge.type === "peerOptional" && !this.#explicit.has(edge) && !known ? this.#below(edge.from.up ?? edge.from, edge) : undefined;
      tasks.push({ edge, dep: known ?? hoistable ?? (await this.#nodeFor(edge, edge.peer ? standIn : undefined, undefined, new Set([edge.from]))) });
    }
    tasks.sort((a, b) => byName(a.edge.name, b.edge.name));
    for (const { edge, dep } of tasks) this.#placed(place(dep, edge, { ...this.#options, explicit: this.#explicit.has(edge) || this.#updates(edge.name) }));
    for (const { to } of node.edgesOut.values()) if (to?.link && to.link.root === this.#root && !this.#seen.has(to.link)) this.#queue.add(to.link);
  }

  #placed({ placed, edge, answer, peers, disturbed }: Placement): void {
    if (placed) {
      if (placed.failure !== undefined) this.#failed.add(placed);
      for (const seen of placed.edgesIn) {
        if (seen === edge || seen.conflicted || seen.valid) continue;
        if (answer === "REPLACE") this.#seen.delete(seen.from);
        this.#seen.delete(seen.from);
        this.#queue.add(seen.from);
      }
      this.#queue.add(placed);
      this.#askAhead(this.#problems(placed));
    }
    for (const node of disturbed) {
      this.#seen.delete(node);
      this.#queue.add(node);
    }
    for (const peer of peers) this.#placed(peer);
  }

  /** Documents are asked for as soon as they are known to be needed: many are on their way at once. */
  #askAhead(edges: readonly Edge[]): void {
    for (const { name, wanted } of edges) {
      if (/^(file:|https?:|git|\.|\/)/.test(wanted)) continue;
      const alias = /^npm:(.[^@]*)/.exec(wanted)?.[1];
      // A failure is told by whoever needs it.
      this.#source.document(alias ?? name).catch(() => undefined);
    }
  }

  #problems(node: TreeNode): Edge[] {
    const bundled = new Set(node.isRoot || node.isWorkspace ? [] : node.manifest.bundled);
    return [...node.edgesOut.values()].filter((edge) => {
      if (bundled.has(edge.name) || (edge.to && this.#failed.has(edge.to))) return false;
      if (edge.conflicted || (edge.peer && this.#options.legacyPeers)) return false;
      if (!edge.to) return edge.type !== "peerOptional" || this.#explicit.has(edge);
      if (!edge.valid) return true;
      if (edge.to.link?.isWorkspace) return false;
      return this.#explicit.has(edge) || (this.#updates(edge.name) && !this.#seen.has(edge.to));
    });
  }

  /** One that lies below and fits: better shared than fetched. */
  #below(node: TreeNode, edge: Edge): TreeNode | undefined {
    const queue = [...node.children.values()];
    for (const child of queue) {
      if (child.name === edge.name && !child.inBundle && edge.satisfiedBy(child)) return child;
      queue.push(...child.children.values());
    }
    return undefined;
  }

  /** A node with the same dependencies in which a set of peers can be tried out. */
  #standIn(node: TreeNode, reuse = false): TreeNode {
    const known = reuse ? this.#standIns.get(node) : undefined;
    if (known) return known;
    const standIn = new TreeNode({ name: node.name, manifest: node.manifest, path: node.path, source: node, overrides: node.overrides });
    standIn.loadEdges();
    this.#standIns.set(node, standIn);
    return standIn;
  }

  /** Fetches what an edge asks for, with its peers, into a stand-in. `second`: a peer edge that asks for the same name. */
  async #nodeFor(edge: Edge, into: TreeNode | undefined, second: Edge | undefined, required: Set<TreeNode>): Promise<TreeNode> {
    const parent = into ?? this.#standIn(edge.from);
    const first = await this.#fetch(edge, parent);
    parent.add(first);
    let node = first;
    if (second && !second.valid) {
      const other = await this.#fetch(second, parent);
      parent.add(other);
      node = edge.valid ? other : first;
    }
    parent.add(node);
    if ((required.has(edge.from) && edge.type !== "peerOptional") || (second && required.has(second.from) && second.type !== "peerOptional")) required.add(node);
    if (parent.source) this.#peerSource.set(node, parent.source);
    if (!this.#options.legacyPeers) await this.#loadPeers(node, required);
    return node;
  }

  async #loadPeers(node: TreeNode, required: Set<TreeNode>): Promise<void> {
    const edges = [...node.edgesOut.values()].filter((edge) => edge.peer && !(edge.valid && edge.to)).sort((a, b) => byName(a.name, b.name));
    for (const edge of edges) {
      const { parent } = node;
      if (!parent) return;
      if (edge.valid && edge.to) continue;
      const ownEdge = parent.edgesOut.get(edge.name);
      const isOwn = parent.source !== undefined && (parent.source.isRoot || parent.source.isWorkspace);
      const mayConflict = this.#options.force || (!isOwn && !this.#options.strictPeers);
      if (!edge.to) {
        if (edge.type === "peerOptional") continue;
        if (!ownEdge) {
          await this.#nodeFor(edge, parent, undefined, required);
          continue;
        }
        const dep = await this.#nodeFor(ownEdge, parent, edge, required);
        if (edge.valid) continue;
        if (mayConflict || !required.has(dep)) {
          edge.conflicted = true;
          continue;
        }
        throw conflictError({ from: parent.source ?? parent, found: edge.to, edge, top: undefined });
      }
      const current = edge.to;
      const dep = await this.#nodeFor(edge, undefined, undefined, required);
      if (dep.canReplace(current)) {
        await this.#nodeFor(edge, parent, undefined, required);
        continue;
      }
      if (mayConflict || !required.has(edge.from)) continue;
      throw conflictError({ from: parent.source ?? parent, found: current, edge, top: undefined });
    }
  }

  async #fetch(edge: Edge, parent: TreeNode): Promise<TreeNode> {
    const overrides = edge.rule;
    const { name } = edge;
    try {
      const spec = parseSpec(name, edge.wanted);
      switch (spec.type) {
        case "directory":
          return this.#linkTo(name, resolvePath(spec.path, (edge.from.source ?? edge.from).path));
        case "file": {
          const resolved = `file:${resolvePath(spec.path, (edge.from.source ?? edge.from).path)}`;
          const { manifest, integrity = "" } = await this.#source.tarball(resolved);
          return new TreeNode({ name, manifest, resolved, integrity, overrides });
        }
        case "remote": {
          const { manifest, integrity = "" } = await this.#source.tarball(spec.url);
          return new TreeNode({ name, manifest, resolved: spec.url, integrity, overrides });
        }
        case "git":
          throw new NpmError("EUNSUPPORTED", `${name}@${spec.url} is a git repository, which this container cannot fetch.`, { notes: ["Ask for a version on the registry, a tarball, or a folder of the project."] });
        default:
          return await this.#fromRegistry(name, spec, overrides);
      }
    } catch (failure) {
      if (!(failure instanceof NpmError) || failure.code === "ERESOLVE" || failure.code === "ENEEDCONSENT") throw failure;
      void parent;
      return new TreeNode({ name, manifest: readManifest({ name }), overrides, failure });
    }
  }

  async #fromRegistry(name: string, spec: Exclude<Spec, { readonly path: string } | { readonly url: string }>, overrides: TreeNode["overrides"]): Promise<TreeNode> {
    const target = spec.type === "alias" ? spec.target : spec;
    const document = await this.#source.document(target.name).catch((error: unknown) => {
      throw error instanceof NpmError ? error.wanting(target.name, target.wanted) : error;
    });
    const locked = this.#options.locked?.pick(target.name, target.wanted);
    const json = document.versions.get(locked ?? "") ?? pickVersion(document, target);
    const dist = record(json["dist"]);
    return new TreeNode({ name, manifest: readManifest(json), resolved: text(dist["tarball"]), integrity: integrityOf(dist), overrides });
  }

  /** A folder of the project is used where it is; its own dependencies are part of the tree. */
  #linkTo(name: string, path: string): TreeNode {
    const known = [...this.#root.all()].find((node) => node.isTop && node.path === path);
    const manifest = known?.manifest ?? this.#source.folder(path);
    const target = known ?? new TreeNode({ name: manifest.name || name, manifest, path });
    if (!known) {
      if (isWithin(path, this.#root.path)) this.#root.addFolder(target);
      else target.loadEdges();
    }
    return new TreeNode({ name, manifest, link: target });
  }

  async #openBundle(node: TreeNode): Promise<void> {
    if (node.manifest.bundled.length === 0 || node.resolved === "" || node.inBundle || this.#opened.has(node)) return;
    this.#opened.add(node);
    if ([...node.children.values()].some((child) => child.inBundle)) return; // locked
    const found = await this.#source.bundled(node);
    for (const [path, manifest] of [...found].sort(([a], [b]) => a.length - b.length)) {
      const names = path.split("node_modules/").slice(1).map((part) => part.replace(/\/$/, ""));
      let parent: TreeNode | undefined = node;
      for (const name of names.slice(0, -1)) parent = parent?.children.get(name);
      const name = names.at(-1);
      if (parent && name !== undefined) parent.add(new TreeNode({ name, manifest, inBundle: true }));
    }
  }

  /** A failure is fatal unless only optional dependencies need what failed: then they are left out together. */
  #settleFailures(): void {
    markNeeds(this.#root);
    for (const node of this.#failed) {
      if (node.root !== this.#root) continue;
      if (!node.optional) throw node.failure;
      leaveOut(node);
    }
  }
}

/** An optional dependency that cannot be had or run here, with what needs it. They stay in the lockfile, for other machines. */
export function leaveOut(node: TreeNode): void {
  const set = new Set([node]);
  for (const member of set) for (const edge of member.edgesIn) if (!edge.optional) set.add(edge.from);
  for (const member of onlyFor(set, (edge) => edge.to !== undefined && !set.has(edge.to) && !edge.from.inert)) member.inert = true;
}

/** The registry's hash of a tarball; very old versions have only a SHA-1, as hexadecimal. */
export function integrityOf(dist: Readonly<Record<string, unknown>>): string {
  const integrity = text(dist["integrity"]);
  if (integrity !== "") return integrity;
  const shasum = text(dist["shasum"]);
  return /^[0-9a-f]{40}$/i.test(shasum) ? `sha1-${btoa(String.fromCharCode(...(shasum.match(/../g) ?? []).map((byte) => parseInt(byte, 16))))}` : "";
}

/** Sets of each node who needs it: nobody (extraneous), only development, only something optional, only as a peer. */
export function markNeeds(root: TreeNode): void {
  const nodes = new Set(root.all());
  for (const node of nodes) if (node.link) for (const target of node.link.all()) nodes.add(target);
  for (const node of nodes) node.dev = node.optional = node.devOptional = node.peer = node.extraneous = node !== root;
  const stack = [root];
  const needs = ["dev", "optional", "devOptional", "peer", "extraneous"] as const;
  const reached = new Set<TreeNode>();
  for (let node = stack.pop(); node; node = stack.pop()) {
    reached.add(node);
    if (!node.extraneous) for (let up = node.up; up?.extraneous; up = up.up) up.extraneous = false;
    if (node.link) {
      const { link } = node;
      let changed = !reached.has(link);
      for (const need of needs) {
        if (link[need] && !node[need]) {
          link[need] = false;
          changed = true;
        }
      }
      if (changed) stack.push(link);
      continue;
    }
    for (const edge of node.edgesOut.values()) {
      const { to } = edge;
      if (!to) continue;
      const dev = edge.type === "dev";
      const clear = {
        extraneous: !node.extraneous && edge.type !== "peerOptional",
        dev: !node.dev && !dev,
        optional: !node.optional && !edge.optional,
        devOptional: !node.devOptional && !node.dev && !node.optional && !dev && !edge.optional,
        peer: !node.peer && !edge.peer,
      };
      let changed = false;
      for (const need of needs) {
        if (to[need] && clear[need]) {
          to[need] = false;
          changed = true;
        }
      }
      if (changed) stack.push(to);
    }
  }
  for (const node of reached) if (node.devOptional && (node.dev || node.optional)) node.devOptional = false;
}

/** Removes what nobody needs. */
export function pruneExtraneous(root: TreeNode): void {
  for (const node of root.all()) if (node.extraneous && node.parent) node.remove();
}
