// package.json and the registry's documents, read as what they are: foreign JSON. What comes out has the promised shape.

export type Dependencies = Readonly<Record<string, string>>;

/** A package.json, or one version of a package document. Unknown fields are kept: `raw` is what was read. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies: Dependencies;
  readonly devDependencies: Dependencies;
  readonly optionalDependencies: Dependencies;
  readonly peerDependencies: Dependencies;
  /** Names of the peers that may be missing. */
  readonly optionalPeers: ReadonlySet<string>;
  readonly bundled: readonly string[];
  readonly bin: Readonly<Record<string, string>>;
  readonly engines: Dependencies;
  readonly os: readonly string[];
  readonly cpu: readonly string[];
  readonly libc: readonly string[];
  readonly deprecated: string;
  readonly hasInstallScript: boolean;
  readonly scripts: Dependencies;
  readonly raw: Json;
}
export type Json = Readonly<Record<string, unknown>>;

/** One package on a registry. */
export interface PackageDocument {
  readonly name: string;
  readonly tags: Dependencies;
  readonly versions: ReadonlyMap<string, Json>;
}

export function record(value: unknown): Json {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function texts(value: unknown): readonly string[] {
  const list = typeof value === "string" ? [value] : Array.isArray(value) ? value : [];
  return list.filter((item): item is string => typeof item === "string");
}

export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Without a prototype: a package may be called `constructor`, and `__proto__` is dropped. */
export function textRecord(value: unknown): Dependencies {
  const out = Object.create(null) as Record<string, string>;
  for (const [name, item] of Object.entries(record(value))) if (typeof item === "string" && name !== "__proto__") out[name] = item;
  return out;
}

const INSTALL_SCRIPTS = ["preinstall", "install", "postinstall"];

export function readManifest(value: unknown): Manifest {
  const raw = record(value);
  const optionalDependencies = textRecord(raw["optionalDependencies"]);
  // npm lists optional ones among the others too, for tools that know only those.
  const dependencies = textRecord(raw["dependencies"]);
  const required = Object.fromEntries(Object.entries(dependencies).filter(([name]) => !(name in optionalDependencies)));
  const scripts = textRecord(raw["scripts"]);
  const peersMeta = Object.entries(record(raw["peerDependenciesMeta"]));
  return {
    name: text(raw["name"]),
    version: text(raw["version"]),
    dependencies: textRecord(required),
    devDependencies: textRecord(raw["devDependencies"]),
    optionalDependencies,
    peerDependencies: textRecord(raw["peerDependencies"]),
    optionalPeers: new Set(peersMeta.filter(([, meta]) => record(meta)["optional"] === true).map(([name]) => name)),
    bundled: bundledNames(raw, dependencies),
    bin: binaries(raw),
    engines: textRecord(raw["engines"]),
    os: texts(raw["os"]),
    cpu: texts(raw["cpu"]),
    libc: texts(raw["libc"]),
    deprecated: text(raw["deprecated"]),
    hasInstallScript: raw["hasInstallScript"] === true || INSTALL_SCRIPTS.some((name) => name in scripts),
    scripts,
    raw,
  };
}

function bundledNames(raw: Json, dependencies: Dependencies): readonly string[] {
  const list = raw["bundleDependencies"] ?? raw["bundledDependencies"];
  return list === true ? Object.keys(dependencies) : texts(list);
}

/** Name to path inside the package, cleaned as npm does: no way out of the package, no path in a name. */
function binaries(raw: Json): Readonly<Record<string, string>> {
  const { bin } = raw;
  const entries: readonly (readonly [string, unknown])[] =
    typeof bin === "string" ? [[text(raw["name"]), bin]] : Array.isArray(bin) ? texts(bin).map((path) => [path, path] as const) : Object.entries(record(bin));
  const out = Object.create(null) as Record<string, string>;
  for (const [name, path] of entries) {
    const base = (name.split(/[/\\:]/).pop() ?? "").replace(/^@/, "");
    const parts: string[] = [];
    for (const part of text(path).split(/[/\\]/)) {
      if (part === "..") parts.pop();
      else if (part !== "" && part !== ".") parts.push(part);
    }
    if (base !== "" && base !== "." && base !== ".." && parts.length > 0) out[base] = parts.join("/");
  }
  return out;
}

/** Throws nothing: an odd document has no versions. */
export function readDocument(name: string, value: unknown): PackageDocument {
  const raw = record(value);
  const versions = Object.entries(record(raw["versions"])).filter(([, json]) => typeof json === "object" && json !== null);
  return { name, tags: textRecord(raw["dist-tags"]), versions: new Map(versions.map(([version, json]) => [version, record(json)])) };
}
