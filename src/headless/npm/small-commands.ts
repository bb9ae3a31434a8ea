// The commands that only read or change package.json, or ask the registry one thing.
import { inspect } from "node-inspect-extracted";
import semver from "semver";
import { baseName, joinPath } from "../posix-path.ts";
import { NpmError } from "./error.ts";
import { type Project, readPackageJson, readText, writePackageJson, writeText } from "./host.ts";
import { installedTree } from "./installed.ts";
import { type Json, readManifest, record, text } from "./manifest.ts";
import { Packages } from "./package-source.ts";
import { PLATFORM, pickVersion } from "./pick.ts";
import { parseArgument, parseSpec } from "./spec.ts";
import { byName } from "./tree.ts";

/** `npm init -y`. What is in package.json already stays. */
export function init({ host, config }: Project): void {
  const folder = host.cwd;
  const old = readText(host.vfs, joinPath(folder, "package.json")) === undefined ? {} : readPackageJson(host.vfs, folder);
  const defaults: Json = {
    name: baseName(folder).toLowerCase().replace(/\s+/g, "-"),
    version: config.get("init-version") ?? "1.0.0",
    description: "",
    main: "index.js",
    scripts: { test: 'echo "Error: no test specified" && exit 1' },
    keywords: [],
    author: config.get("init-author-name") ?? "",
    license: config.get("init-license") ?? "ISC",
    type: config.get("init-type") ?? "commonjs",
  };
  const json: Json = { ...old, ...Object.fromEntries(Object.entries(defaults).filter(([key]) => !(key in old))) };
  writePackageJson(host.vfs, folder, json);
  host.out(`Wrote to ${joinPath(folder, "package.json")}:\n\n${JSON.stringify(json, null, 2)}\n\n\n`);
}

/** `npm version`: what runs, or a new version in package.json and the lockfile. No git here, so no commit and no tag. */
export function version({ host, path, config }: Project, [wanted]: readonly string[]): void {
  const json = readPackageJson(host.vfs, path);
  const current = text(json["version"]);
  if (wanted === undefined) {
    const versions = { ...(text(json["name"]) === "" ? {} : { [text(json["name"])]: current }), npm: PLATFORM.npm, node: PLATFORM.node };
    if (config.flag("json")) host.out(`${JSON.stringify(versions, null, 2)}\n`);
    else host.out(`{\n${Object.entries(versions).map(([name, value]) => `  ${/^[a-z_$][\w$]*$/i.test(name) ? name : `'${name}'`}: '${value}'`).join(",\n")}\n}\n`);
    return;
  }
  const kinds = ["major", "minor", "patch", "premajor", "preminor", "prepatch", "prerelease"] as const;
  const kind = kinds.find((name) => name === wanted);
  const next = kind ? semver.inc(current, kind, config.get("preid") ?? "") : semver.valid(wanted, true);
  if (next === null) throw new NpmError("", `Invalid version: ${kind ? current : wanted}`);
  if (next === current && !config.flag("allow-same-version")) throw new NpmError("", "Version not changed");
  writePackageJson(host.vfs, path, { ...json, version: next });
  const lock = joinPath(path, "package-lock.json");
  const contents = readText(host.vfs, lock);
  if (contents !== undefined) {
    const locked = record(JSON.parse(contents));
    const packages = record(locked["packages"]);
    writeText(host.vfs, lock, `${JSON.stringify({ ...locked, version: next, packages: { ...packages, "": { ...record(packages[""]), version: next } } }, null, 2)}\n`);
  }
  host.out(`v${next}\n`);
}

/** `npm view name[@version] [field…]`. */
export async function view(project: Project, [word, ...fields]: readonly string[]): Promise<void> {
  const { host, config } = project;
  const asked = parseArgument(word ?? text(readPackageJson(host.vfs, project.path)["name"]));
  const spec = asked.type === "alias" ? asked.target : asked;
  if (!("wanted" in spec)) throw new NpmError("", `npm view needs the name of a package, not ${word ?? ""}`);
  const packages = new Packages(project);
  const document = await packages.document(spec.name);
  const found: Json = { ...pickVersion(document, spec), "dist-tags": { ...document.tags }, versions: [...document.versions.keys()] };
  const at = (field: string, json: Json): unknown => field.split(".").reduce<unknown>((value, key) => record(value)[key], json);
  // The short document leaves out what an install does not need; the package itself has it.
  const whole = fields.length === 0 || fields.some((field) => at(field, found) === undefined);
  const dist = record(found["dist"]);
  const packed = whole ? (await packages.unpack({ resolved: text(dist["tarball"]), integrity: text(dist["integrity"]), name: spec.name, version: text(found["version"]), what: spec.name })).manifest.raw : {};
  const json: Json = { ...packed, ...found };
  const value = (field: string): unknown => at(field, json);
  if (fields.length > 0) {
    for (const field of fields) {
      const said = value(field);
      if (said === undefined) continue;
      const plain = config.flag("json") ? JSON.stringify(said, null, 2) : typeof said === "string" && fields.length === 1 ? said : inspect(said);
      host.out(fields.length > 1 ? `${field} = ${plain}\n` : `${plain}\n`);
    }
    return;
  }
  if (config.flag("json")) return host.out(`${JSON.stringify(json, null, 2)}\n`);
  const dependencies = Object.entries(readManifest(json).dependencies);
  const commands = Object.keys(readManifest(json).bin);
  host.out(
    `\n${text(json["name"])}@${text(json["version"])} | ${text(json["license"]) || "Proprietary"} | deps: ${dependencies.length || "none"} | versions: ${document.versions.size}\n` +
      (text(json["description"]) === "" ? "" : `${text(json["description"])}\n`) +
      (text(json["deprecated"]) === "" ? "" : `\nDEPRECATED - ${text(json["deprecated"])}\n`) +
      (commands.length === 0 ? "" : `\nbin: ${commands.join(", ")}\n`) +
      `\ndist\n.tarball: ${text(dist["tarball"])}\n.shasum: ${text(dist["shasum"])}\n.integrity: ${text(dist["integrity"])}\n` +
      (dependencies.length === 0 ? "" : `\ndependencies:\n${dependencies.map(([name, range]) => `${name}: ${range}`).join(", ")}\n`) +
      `\ndist-tags:\n${Object.entries(document.tags).map(([tag, tagged]) => `${tag}: ${tagged}`).join("\n")}\n`,
  );
}

/** `npm pkg get|set|delete`. */
export function pkg({ host, config, path }: Project, [action, ...args]: readonly string[]): void {
  const json = structuredClone(readPackageJson(host.vfs, path)) as Record<string, unknown>;
  const keysOf = (query: string): string[] => query.replace(/\[([^\]]*)\]/g, ".$1").split(".").filter((key) => key !== "");
  const safe = (keys: readonly string[]): readonly string[] => {
    if (keys.some((key) => key === "__proto__" || key === "constructor" || key === "prototype")) throw new NpmError("EUSAGE", "npm pkg: that name cannot be set.");
    return keys;
  };
  if (action === "get") {
    const found = args.map((query) => [query, keysOf(query).reduce<unknown>((at, key) => (Array.isArray(at) ? (at as unknown[])[Number(key)] : record(at)[key]), json)] as const);
    const out: unknown = args.length === 0 ? json : args.length === 1 ? (found[0]?.[1] ?? {}) : Object.fromEntries(found.filter(([, value]) => value !== undefined));
    return host.out(`${JSON.stringify(out, null, 2)}\n`);
  }
  if ((action !== "set" && action !== "delete") || args.length === 0) throw new NpmError("EUSAGE", "npm pkg set KEY=VALUE, npm pkg get [KEY], npm pkg delete KEY");
  for (const arg of args) {
    const equals = arg.indexOf("=");
    if (action === "set" && equals < 0) throw new NpmError("EUSAGE", `npm pkg set expects a key=value pair, not ${arg}`);
    const keys = safe(keysOf(action === "set" ? arg.slice(0, equals) : arg));
    const last = keys.at(-1) ?? "";
    let at: Record<string, unknown> = json;
    for (const [index, key] of keys.slice(0, -1).entries()) at = (typeof at[key] === "object" && at[key] !== null ? at[key] : (at[key] = /^\d+$/.test(keys[index + 1] ?? "") ? [] : {})) as Record<string, unknown>;
    if (action === "delete") delete at[last];
    else at[last] = config.flag("json") ? (JSON.parse(arg.slice(equals + 1)) as unknown) : arg.slice(equals + 1);
  }
  writePackageJson(host.vfs, path, json);
}

/** `npm outdated`; false when something is. */
export async function outdated(project: Project): Promise<boolean> {
  const root = installedTree(project);
  const packages = new Packages(project);
  const rows: string[][] = [];
  for (const edge of [...root.edgesOut.values()].sort((a, b) => byName(a.name, b.name))) {
    const spec = parseSpec(edge.name, edge.wanted);
    const target = spec.type === "alias" ? spec.target : spec;
    if (!("wanted" in target)) continue;
    const document = await packages.document(target.name);
    const wanted = text(pickVersion(document, target)["version"]);
    const latest = document.tags["latest"] ?? wanted;
    const current = edge.to?.version ?? "MISSING";
    if (current !== wanted || current !== latest) rows.push([spec.type === "alias" ? `${edge.name}:${target.name}@${target.wanted}` : edge.name, current, wanted, latest, `node_modules/${edge.name}`, baseName(root.path)]);
  }
  if (rows.length === 0) return true;
  const table = [["Package", "Current", "Wanted", "Latest", "Location", "Depended by"], ...rows];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => (row[column] ?? "").length)));
  for (const row of table) project.host.out(`${row.map((cell, column) => (column === 0 || column > 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join("  ").trimEnd()}\n`);
  return false;
}
