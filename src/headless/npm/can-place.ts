// May a package be put into a given node_modules? It may when nothing that is there, and nothing below that sees it, is
// broken by it; the peers it brings must find a place beside it as well. The answers are npm's (its arborist, v7 on), so
// that one lockfile serves both.
import semver from "semver";
import { type Edge, type TreeNode } from "./tree.ts";

/** OK: the place is free. REPLACE: in place of what is there. KEEP: what is there will do. */
export type Answer = "OK" | "REPLACE" | "KEEP" | "CONFLICT";

/** The deepest folder that `from` sees and in which `name` could be put for it: itself, or above those that want it as a peer. */
export function deepestPlace(from: TreeNode, name: string): TreeNode {
  let last = from;
  for (const node of from.ancestry()) {
    last = node;
    if (node.isRoot || !node.edgesOut.get(name)?.peer) break;
  }
  return last;
}

export interface Question {
  /** With its peers, in a stand-in for the folder it will be put below. */
  readonly dep: TreeNode;
  readonly edge: Edge;
  readonly target: TreeNode;
  readonly explicit: boolean;
  /** What brought it as a peer. */
  readonly parent?: CanPlace | undefined;
  readonly peerPath?: readonly TreeNode[];
}

export class CanPlace {
  readonly dep: TreeNode;
  readonly edge: Edge;
  readonly target: TreeNode;
  readonly parent: CanPlace | undefined;
  readonly children: CanPlace[] = [];
  /** For it and the peers it brings. */
  readonly answer: Answer;
  /** For it alone. */
  readonly alone: Answer;
  readonly #explicit: boolean;
  readonly #peerPath: readonly TreeNode[];
  readonly #current: TreeNode | undefined;
  #alone: Answer | undefined;
  #peers: Answer | undefined;

  constructor({ dep, edge, target, explicit, parent, peerPath = [] }: Question) {
    this.dep = dep;
    this.edge = edge;
    this.target = target;
    this.parent = parent;
    this.#explicit = explicit;
    this.#peerPath = peerPath;
    this.#current = target.children.get(edge.name);
    this.answer = this.#check();
    this.alone = this.#alone ?? this.answer;
  }

  /** The dependency that the whole set of peers is placed for. */
  get topEdge(): Edge {
    return this.parent ? this.parent.topEdge : this.edge;
  }

  get #deepest(): TreeNode {
    return deepestPlace(this.parent ? this.parent.#deepest : this.edge.from, this.edge.name);
  }

  #check(): Answer {
    const { target, dep, edge } = this;
    const current = this.#current;
    const wantedHere = target.edgesOut.get(edge.name);
    if (dep.failure !== undefined) return current ? "REPLACE" : "OK";
    // Beside it, not in it: a package never holds its own peer.
    if (wantedHere?.peer && !target.isTop) return "CONFLICT";
    if (current) return this.#checkTaken(current);
    if (wantedHere && wantedHere !== edge && !wantedHere.satisfiedBy(dep)) return "CONFLICT";
    return this.#checkFree();
  }

  #checkFree(): Answer {
    const { target, dep, edge } = this;
    // What is found further up now would be hidden from everything below.
    const above = target === this.topEdge.from ? undefined : target.resolve(edge.name);
    for (const seen of above?.edgesIn ?? []) {
      if (seen.from.isWithin(target) && seen.valid && !seen.satisfiedBy(dep)) return "CONFLICT";
    }
    return this.#withPeers("OK");
  }

  #checkTaken(current: TreeNode): Answer {
    const { target, dep, edge } = this;
    if (dep.matches(current) && (edge.satisfiedBy(current) || !edge.satisfiedBy(dep))) return this.#explicit ? "REPLACE" : "KEEP";
    const comparable = semver.valid(current.version, true) !== null && semver.valid(dep.version, true) !== null;
    const newer = comparable && semver.gte(dep.version, current.version, true);
    if (newer && dep.canReplace(current)) {
      const answer = this.#withPeers("REPLACE");
      if (answer !== "CONFLICT") return answer;
    }
    const shares = edge.peer;
    if (edge.satisfiedBy(current) && (!this.#explicit || shares)) return "KEEP";
    if (shares && !newer && dep.canReplace(current)) {
      const answer = this.#withPeers("REPLACE");
      if (answer !== "CONFLICT") return answer;
    }
    // Not here, but it may still fit further down.
    if (target !== this.#deepest) return "CONFLICT";
    if (!edge.peer && target === edge.from) return this.#withPeers("REPLACE");
    if (!this.parent && !edge.peer) return "CONFLICT";
    return this.#othersCanMove(current) ? this.#withPeers("REPLACE") : "CONFLICT";
  }

  /** Whether each set of peers that holds `current` can do with the new set, or be nested deeper. */
  #othersCanMove(current: TreeNode): boolean {
    const set = this.dep.parent;
    let canMove = true;
    for (const [entry, peers] of peerSets(current)) {
      const { to } = entry;
      if (entry === this.edge || entry === this.topEdge || !to) continue;
      const replacement = set?.children.get(to.name);
      if (replacement?.canReplace(to, new Set(set?.children.keys()))) continue;
      if (!replacement && set && meetsPeersOf(to, set)) continue;
      for (const peer of peers) {
        const deepest = deepestPlace(entry.from, peer.name);
        if (deepest === this.target || this.target.isWithin(deepest)) canMove = false;
      }
    }
    return canMove;
  }

  #withPeers(answer: Answer): Answer {
    this.#alone = answer;
    if (this.#peers !== undefined) return this.#peers;
    const peerPath = [...this.#peerPath, this.dep];
    for (const edge of this.dep.edgesOut.values()) {
      if (!edge.peer || !edge.to || peerPath.includes(edge.to)) continue;
      const target = deepestPlace(this.target, edge.name);
      this.children.push(new CanPlace({ dep: edge.to, edge, target, explicit: false, parent: this, peerPath }));
    }
    this.#peers = this.children.some((child) => child.answer === "CONFLICT") ? "CONFLICT" : answer;
    return this.#peers;
  }
}

/** Whether the new set meets the peer dependencies of what entered the old one through `entry`. */
function meetsPeersOf(entry: TreeNode, set: TreeNode): boolean {
  const walk = new Set([entry]);
  for (const node of walk) {
    for (const edge of node.edgesOut.values()) {
      if (!edge.peer || !edge.valid) continue;
      const replacement = set.children.get(edge.name);
      if (replacement && !edge.satisfiedBy(replacement)) return false;
      if (!replacement && edge.to) walk.add(edge.to);
    }
  }
  return true;
}

/** The sets of peers that hold a node, by the dependency through which each came into the tree. */
export function peerSets(node: TreeNode): Map<Edge, Set<TreeNode>> {
  const connected = new Set([node]);
  for (const member of connected) {
    for (const edge of member.edgesOut.values()) if (edge.valid && edge.peer && edge.to) connected.add(edge.to);
    for (const edge of member.edgesIn) if (edge.valid && edge.peer) connected.add(edge.from);
  }
  const sets = new Map<Edge, Set<TreeNode>>();
  for (const member of connected) {
    for (const entry of member.edgesIn) {
      if (!entry.valid || (entry.peer && !entry.from.isTop)) continue;
      const set = new Set([member]);
      for (const peer of set) for (const edge of peer.edgesOut.values()) if (edge.valid && edge.peer && edge.to) set.add(edge.to);
      if (set.has(node)) sets.set(entry, set);
    }
  }
  return sets;
}
