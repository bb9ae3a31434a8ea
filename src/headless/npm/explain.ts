// `npm explain`: why a package is there, from what needs it up to the project. Where packages need each other npm's own says
// the less the later it comes to one; here each is explained whole.
import semver from "semver";
import { resolvePath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import type { Project } from "./host.ts";
import { installedTree } from "./installed.ts";
import { relativePath } from "./lockfile.ts";
import { markNeeds } from "./resolve.ts";
import type { Edge, TreeNode } from "./tree.ts";


/** Prints; throws when no package is meant or none is found. */
export function explain(project: Project, words: readonly string[]): void {
  const { host, path, config } = project;
  if (words.length === 0) throw new NpmError("EUSAGE", "\nExplain installed packages\n\nUsage:\nnpm explain <package-spec>\n\nalias: why");
  if (config.flag("json")) throw new NpmError("EUNSUPPORTED", "npm explain --json is not available in this container; npm ls NAME --json is.");
  const root = installedTree(project);
  markNeeds(root);
  const found = words.flatMap((word) => [...root.all()].filter((node) => node !== root && isMeant(node, word, path)));
  if (found.length === 0) throw new NpmError("", `No dependencies found matching ${words.join(", ")}`);
  host.out(`${[...new Set(found)].map((node) => shown(node, path) + dependents(node, path, [node])).join("\n\n")}\n`);
}

function isMeant(node: TreeNode, word: string, path: string): boolean {
  if (word.includes("node_modules/")) return resolvePath(word, path) === node.path;
  const at = word.indexOf("@", 1);
  return node.name === (at < 0 ? word : word.slice(0, at)) && (at < 0 || semver.satisfies(node.version, word.slice(at + 1), true));
}

function shown(node: TreeNode, path: string): string {
  const marks = (["extraneous", "dev", "optional", "peer"] as const).filter((mark) => node[mark] && (!node.extraneous || mark === "extraneous"));
  return `${[`${node.name}@${node.version}`, ...marks].join(" ")}\n${relativePath(path, node.path)}`;
}

function dependents(node: TreeNode, path: string, seen: readonly TreeNode[]): string {
  const edges = [...node.edgesIn].filter((edge) => edge.valid || edge.from.isRoot);
  return edges.map((edge) => `\n${explained(edge, path, seen)}`).join("").replaceAll("\n", "\n  ");
}

function explained(edge: Edge, path: string, seen: readonly TreeNode[]): string {
  const { from, type, name, wanted } = edge;
  const kind = type === "prod" ? "" : `${type === "peerOptional" ? "peerOptional" : type} `;
  const whose = from.isRoot ? "the root project" : seen.includes(from) ? `${from.name}@${from.version}` : shownFrom(from, path) + dependents(from, path, [...seen, from]);
  return `${kind}${name}@"${wanted}" from ${whose}`;
}

const shownFrom = (node: TreeNode, path: string): string => `${node.name}@${node.version}\n${relativePath(path, node.path)}`;
