// `npm ls`: the installed tree and what is wrong with it. What stands in several places is shown whole in the highest.
import { NpmError } from "./error.ts";
import type { Project } from "./host.ts";
import { installedTree } from "./installed.ts";
import { relativePath } from "./lockfile.ts";
import { nameOf } from "./place.ts";
import { markNeeds } from "./resolve.ts";
import { parseSpec } from "./spec.ts";
import { byName, type Edge, type TreeNode } from "./tree.ts";

interface Line {
  readonly key: string;
  readonly label: string;
  readonly json: Record<string, unknown>;
  /** Of its folder; empty when it is not there. */
  readonly path: string;
  below: Line[];
}

/** Prints; throws ELSPROBLEMS when something is missing, invalid or extraneous. */
export function list(project: Project, names: readonly string[]): void {
  const { host, config, path } = project;
  const root = installedTree(project);
  markNeeds(root);
  const depth = names.length > 0 || config.flag("all") ? Infinity : Number(config.get("depth") ?? 0);
  const problems: string[] = [];
  const top: Line = { key: "", label: "", json: {}, path, below: [] };
  const seen = new Set<TreeNode>([root]);
  const noDev = config.list("omit").includes("dev");
  const queue: { readonly node: TreeNode; readonly line: Line; readonly level: number }[] = [{ node: root, line: top, level: 0 }];
  for (const { node, line, level } of queue) {
    for (const edge of [...node.edgesOut.values()].sort((a, b) => byName(a.name, b.name))) {
      if ((edge.type === "dev" && noDev) || (!edge.to && edge.type === "peerOptional") || (!edge.to && edge.optional && level > 0)) continue;
      if (!edge.to) {
        line.below.push(missing(edge, problems));
        continue;
      }
      const repeated = seen.has(edge.to) && level > 0;
      const child = present(edge.to, edge, { repeated, root, problems });
      line.below.push(child);
      if (!repeated && level < depth) queue.push({ node: edge.to.target, line: child, level: level + 1 });
      seen.add(edge.to);
    }
    if (node !== root) continue;
    for (const child of node.children.values()) if (child.extraneous && !node.edgesOut.has(child.name)) line.below.push(present(child, undefined, { repeated: false, root, problems }));
    line.below.sort((a, b) => byName(a.key, b.key));
  }
  if (names.length > 0) top.below = only(top.below, names);

  const { name, version } = root.manifest;
  const folder = path.split("/").pop() ?? "";
  if (config.flag("json")) {
    const json = { ...(version === "" ? {} : { version }), name: name || folder, ...(problems.length > 0 ? { problems } : {}), ...dependenciesOf(top) };
    host.out(`${JSON.stringify(json, null, 2)}\n`);
  } else if (config.flag("parseable")) {
    const paths = (lines: readonly Line[]): string[] => lines.flatMap((line) => (line.path === "" ? [] : [line.path, ...paths(line.below)]));
    host.out(`${[...new Set([path, ...paths(top.below)])].join("\n")}\n`);
  } else {
    host.out(`${name === "" ? folder : nameOf(root)} ${path}\n${top.below.length > 0 ? draw(top.below, "") : "└── (empty)\n"}\n`);
  }
  if (problems.length > 0) throw new NpmError("ELSPROBLEMS", problems.join("\n"));
  if (names.length > 0 && top.below.length === 0) throw new NpmError("", "");
}

function missing(edge: Edge, problems: string[]): Line {
  const id = `${edge.name}@${edge.wanted}`;
  if (edge.type === "optional") return { key: edge.name, label: `UNMET OPTIONAL DEPENDENCY ${id}`, json: {}, path: "", below: [] };
  const problem = `missing: ${id}, required by ${nameOf(edge.from)}`;
  problems.push(problem);
  return { key: edge.name, label: `UNMET DEPENDENCY ${id}`, json: { required: edge.wanted, missing: true, problems: [problem] }, path: "", below: [] };
}

function present(node: TreeNode, edge: Edge | undefined, { repeated, root, problems }: { repeated: boolean; root: TreeNode; problems: string[] }): Line {
  const notes: string[] = [];
  const isAlias = node.manifest.name !== "" && node.manifest.name !== node.name && !node.link;
  if (repeated) notes.push("deduped");
  const invalid = edge && !edge.valid ? `"${edge.wanted}" from ${edge.from === root ? "the root project" : edge.from.path.slice(root.path.length + 1)}` : "";
  if (invalid !== "") {
    notes.push(`invalid: ${invalid}`);
    problems.push(`invalid: ${nameOf(node)} ${node.path}`);
  }
  if (!edge) {
    notes.push("extraneous");
    problems.push(`extraneous: ${nameOf(node)} ${node.path}`);
  }
  const isOverridden = edge !== undefined && edge.wanted !== edge.rawWanted;
  if (isOverridden) notes.push("overridden");
  if (node.link) notes.push(`-> ./${relativePath(root.path, node.link.path)}`);
  return {
    key: node.name,
    label: [isAlias ? `${node.name}@npm:${nameOf(node)}` : `${node.name}@${node.version}`, ...notes].join(" "),
    json: repeated && invalid === "" ? { version: node.version } : {
      version: node.version,
      ...(node.link ? { resolved: `file:../${relativePath(root.path, node.link.path)}` } : node.resolved === "" ? {} : { resolved: node.resolved }),
      overridden: isOverridden,
      ...(invalid === "" ? {} : { invalid, problems: [`invalid: ${nameOf(node)} ${node.path}`] }),
      ...(edge ? {} : { extraneous: true, problems: [`extraneous: ${nameOf(node)} ${node.path}`] }),
    },
    path: node.target.path,
    below: [],
  };
}

function dependenciesOf({ below }: Line): { dependencies?: Record<string, unknown> } {
  if (below.length === 0) return {};
  return { dependencies: Object.fromEntries(below.map((line) => [line.key, { ...line.json, ...dependenciesOf(line) }])) };
}

/** What has one of the names, and what leads to it. */
function only(lines: readonly Line[], names: readonly string[]): Line[] {
  const kept = lines.map((line) => ({ ...line, below: only(line.below, names) }));
  return kept.filter((line) => line.below.length > 0 || names.some((word) => isNamed(line, word)));
}

function isNamed(line: Line, word: string): boolean {
  const at = word.indexOf("@", 1);
  const name = at < 0 ? word : word.slice(0, at);
  if (line.key !== name) return false;
  const version = String(line.json["version"] ?? "");
  return at < 0 || parseSpec(name, word.slice(at + 1)).type === "tag" || version.startsWith(word.slice(at + 1).replace(/^[\^~]/, ""));
}

function draw(lines: readonly Line[], indent: string): string {
  return lines
    .map(({ label, below }, index) => {
      const last = index === lines.length - 1;
      return `${indent}${last ? "└" : "├"}─${below.length > 0 ? "┬" : "─"} ${label}\n${draw(below, `${indent}${last ? "  " : "│ "}`)}`;
    })
    .join("");
}
