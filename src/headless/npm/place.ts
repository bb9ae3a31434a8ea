// Puts a package, with the peers it brings, as high in the tree as it can go, and takes away what that makes needless.
import { NpmError } from "./error.ts";
import { type Answer, CanPlace, deepestPlace, peerSets } from "./can-place.ts";
import { byName, type Edge, onlyFor, TreeNode } from "./tree.ts";

export interface PlaceOptions {
  readonly explicit: boolean;
  /** `--force`: a peer that cannot be met is let be. */
  readonly force: boolean;
  readonly strictPeers: boolean;
  warn(message: string): void;
}

export interface Placement {
  /** What was put; undefined if what is there will do. */
  readonly placed: TreeNode | undefined;
  readonly edge: Edge;
  readonly answer: Answer;
  readonly peers: readonly Placement[];
  /** Lost what they had: to be looked at again. */
  readonly disturbed: ReadonlySet<TreeNode>;
}

interface Context extends PlaceOptions {
  readonly parent?: { readonly check: CanPlace; readonly start: TreeNode; readonly edge: Edge } | undefined;
  readonly top: Edge;
}

const NOTHING: Omit<Placement, "edge"> = { placed: undefined, answer: "KEEP", peers: [], disturbed: new Set() };

/** `dep` with its peers stands in a stand-in for where it will be. Throws ERESOLVE for a conflict that is the project's own. */
export function place(dep: TreeNode, edge: Edge, options: PlaceOptions): Placement {
  return placeIn(dep, edge, { ...options, top: edge });
}

function placeIn(dep: TreeNode, edge: Edge, context: Context): Placement {
  if (edge.to && edge.valid && !context.explicit) return { ...NOTHING, edge };
  const start = deepestPlace(context.parent?.start ?? edge.from, edge.name);
  let best: CanPlace | undefined;
  let bestAlone: CanPlace | undefined;
  let lowest: CanPlace | undefined;
  for (const target of start.ancestry()) {
    if (!target.isTop && target.edgesOut.get(edge.name)?.peer) continue;
    const check = new CanPlace({ dep, edge, target, explicit: context.explicit, parent: context.parent?.check });
    lowest ??= check;
    if (check.alone !== "CONFLICT") bestAlone = check;
    if (check.answer === "CONFLICT") break;
    best = check;
    if (dep.failure !== undefined) break;
  }
  if (!best) {
    if (!context.force && (context.strictPeers || isOwn(context.top))) throw conflict(dep, edge, lowest, context);
    warnConflict(dep, edge, context);
    if (!bestAlone) return { ...NOTHING, edge };
    best = bestAlone;
  }
  return put(dep, edge, best, start, context);
}

function put(dep: TreeNode, edge: Edge, check: CanPlace, start: TreeNode, context: Context): Placement {
  const { target } = check;
  const answer = check.answer === "CONFLICT" ? check.alone : check.answer;
  if (answer === "KEEP") {
    if (edge.peer && !edge.valid) warnConflict(dep, edge, context);
    prune(target, context.explicit, true);
    return { ...NOTHING, edge };
  }
  // a → b → a' → b' → a → …: a link to the one above ends the descent.
  for (let above: TreeNode | undefined = target; above; above = above.up) {
    if (!above.isTop && above.matches(dep)) {
      const link = new TreeNode({ name: dep.name, manifest: above.manifest, link: above });
      target.add(link);
      return { ...NOTHING, edge, answer };
    }
  }
  const set = dep.parent;
  const placed = copyOf(dep);
  const old = target.children.get(edge.name);
  const disturbed = new Set<TreeNode>();
  const before = edge.to;
  const wasValid = edge.valid;
  if (old) replaceOld(old, placed, target, disturbed, dep, context);
  else target.add(placed);
  if (edge.peer && !edge.satisfiedBy(placed)) warnConflict(dep, edge, context);
  if (wasValid && before && before !== placed && before.parent) prune(before, context.explicit, false);
  // Copies further down that this one can stand for.
  for (const node of target.all()) {
    if (node === placed || node.name !== edge.name || node.isTop || !node.isWithin(target)) continue;
    prune(node, context.explicit, false);
    if (node.parent) for (const kid of node.children.values()) prune(kid, context.explicit, false);
  }
  const peers: Placement[] = [];
  for (const peerEdge of placed.edgesOut.values()) {
    if (!peerEdge.peer || peerEdge.valid || peerEdge.conflicted) continue;
    const peer = set?.children.get(peerEdge.name);
    if (!peer || !peerEdge.satisfiedBy(peer)) continue;
    peers.push(placeIn(peer, peerEdge, { ...context, parent: { check, start, edge } }));
  }
  return { placed, edge, answer, peers, disturbed };
}

function copyOf(dep: TreeNode): TreeNode {
  const { name, manifest, resolved, integrity, overrides, link, failure } = dep;
  return new TreeNode({ name, manifest, resolved, integrity, overrides, link, failure });
}

function replaceOld(old: TreeNode, placed: TreeNode, target: TreeNode, disturbed: Set<TreeNode>, dep: TreeNode, context: Context): void {
  // What only the old version needed goes with it.
  const names = new Set([...Object.keys(placed.manifest.dependencies), ...Object.keys(placed.manifest.optionalDependencies), ...Object.keys(placed.manifest.peerDependencies)]);
  const orphans: TreeNode[] = [];
  for (const edge of old.edgesOut.values()) {
    if (edge.to && !names.has(edge.name)) orphans.push(...onlyFor([edge.to], (other) => other.to !== edge.to));
  }
  const leaving: TreeNode[] = [];
  for (const edge of old.edgesIn) {
    if (edge.satisfiedBy(placed) || !edge.peer || edge.from.parent !== target || edge.conflicted) continue;
    for (const entry of peerSets(edge.from).keys()) {
      const node = entry.to;
      if (!node) continue;
      const nestable = deepestPlace(node, node.name) !== target && !entry.from.isRoot && !entry.from.isWorkspace;
      if (nestable) leaving.push(...onlyFor([node], (other) => other.to !== node && !other.conflicted));
      else warnConflict(dep, edge, context);
    }
  }
  placed.replace(old);
  const broken = new Set<TreeNode>();
  for (const edge of placed.edgesOut.values()) if (edge.to && !edge.valid) broken.add(edge.to);
  for (const orphan of orphans) for (const node of onlyFor([orphan], (edge) => edge.to !== orphan && edge.valid)) broken.add(node);
  for (const node of onlyFor(broken, (edge) => edge.from !== placed && edge.to !== placed && edge.valid)) node.remove();
  for (const node of leaving) {
    for (const edge of node.edgesIn) disturbed.add(edge.from);
    node.remove();
  }
}

/** Removes a node that what lies above can stand for; else, if asked, looks below it. */
function prune(node: TreeNode, explicit: boolean, descend: boolean): void {
  if (node.canDedupe(explicit)) {
    for (const gone of onlyFor([node], (edge) => edge.to !== node && edge.valid)) gone.remove();
    return;
  }
  if (!descend) return;
  const below = (top: TreeNode): TreeNode[] => [...top.children.values()].sort((a, b) => byName(a.path, b.path));
  for (const child of below(node)) prune(child, explicit, true);
  for (const folder of [...node.folderChildren].sort((a, b) => byName(a.path, b.path))) for (const child of below(folder)) prune(child, explicit, true);
}

/** Whether the project itself asks for it, so that only its author can settle the conflict. */
function isOwn(top: Edge): boolean {
  const { from } = top;
  if (from.isRoot || from.isWorkspace) return true;
  if (!top.peer) return false;
  const own = (edge: Edge): boolean => edge.from.isRoot || edge.from.isWorkspace;
  return [...from.edgesIn].some((edge) => !edge.peer && own(edge)) || ([...from.edgesIn].some((edge) => edge.peer) && [...peerSets(from).keys()].some(own));
}

function warnConflict(dep: TreeNode, edge: Edge, context: Context): void {
  if (edge.conflicted) return;
  edge.conflicted = true;
  const found = edge.from.resolve(edge.name);
  context.warn(`ERESOLVE overriding peer dependency: ${nameOf(edge.from)} wants ${edge.type === "peerOptional" ? "optional " : ""}peer ${edge.name}@"${edge.wanted}", ${found ? `found ${nameOf(found)}` : `placed ${nameOf(dep)}`}`);
}

export function nameOf(node: TreeNode): string {
  if (node.isRoot) return node.manifest.name === "" ? "the root project" : node.manifest.version === "" ? node.manifest.name : `${node.manifest.name}@${node.manifest.version}`;
  return `${node.manifest.name || node.name}@${node.version}`;
}

function conflict(dep: TreeNode, edge: Edge, check: CanPlace | undefined, context: Context): NpmError {
  const { top } = context;
  const inner = check?.children.find((child) => child.answer === "CONFLICT");
  const blamed = inner ? { edge: inner.edge, dep: inner.dep } : { edge, dep };
  const found = top.from.resolve(blamed.edge.name);
  return conflictError({ from: top.from, found, edge: blamed.edge, top });
}

/** ERESOLVE in npm's words: what was resolved, what was found, what cannot be. */
export function conflictError({ from, found, edge, top }: { from: TreeNode; found: TreeNode | undefined; edge: Edge; top: Edge | undefined }): NpmError {
  const by = (node: TreeNode): string => ((node.source ?? node).isRoot ? "the root project" : nameOf(node));
  const asked = (seen: Edge): string => `${seen.type === "prod" ? "" : `${seen.type} `}${seen.name}@"${seen.wanted}" from ${by(seen.from)}`;
  const foundBy = found ? [...found.edgesIn].filter((seen) => seen.valid).map((seen) => `  ${asked(seen)}`) : [];
  const askers = [...edge.from.edgesIn].filter((seen) => seen !== edge).map((seen) => `  ${asked(seen)}`);
  return new NpmError("ERESOLVE", "unable to resolve dependency tree", {
    notes: [
      "",
      `While resolving: ${nameOf(from)}`,
      ...(found ? [`Found: ${nameOf(found)}`, `${found.path.slice(found.root.path.length + 1)}`, ...foundBy] : []),
      "",
      "Could not resolve dependency:",
      asked(edge),
      ...(edge.from.isTop ? [] : [edge.from.path.slice(edge.from.root.path.length + 1), ...(askers.length > 0 ? askers : top ? [`  ${asked(top)}`] : [])]),
      "",
      "Fix the upstream dependency conflict, or retry this command with --force or --legacy-peer-deps to accept an incorrect (and potentially broken) dependency resolution.",
    ],
  });
}
