// Which version of a package npm would take: the tag `latest` if it fits, else the best that fits, deprecated ones and
// those for another Node last.
import semver from "semver";
import type { Config } from "./config.ts";
import { NpmError } from "./error.ts";
import { type Json, type PackageDocument, text, textRecord } from "./manifest.ts";
import type { Spec } from "./spec.ts";

/** What packages are told they run on. */
export const PLATFORM = { node: "20.20.0", npm: "11.0.0", os: "linux", cpu: "x64", libc: "glibc" } as const;

type RegistrySpec = Extract<Spec, { readonly type: "version" | "range" | "tag" }>;

/** Throws ETARGET when nothing fits. */
export function pickVersion(document: PackageDocument, spec: RegistrySpec): Json {
  const found = pick(document, spec);
  if (found) return found;
  throw new NpmError("ETARGET", `No matching version found for ${document.name}@${spec.wanted}.`, {
    notes: ["In most cases you or one of your dependencies are requesting a package version that doesn't exist."],
  });
}

function pick({ versions, tags }: PackageDocument, { type, wanted }: RegistrySpec): Json | undefined {
  if (type === "tag") return versions.get(tags[wanted] ?? "");
  if (type === "version") return versions.get(wanted);
  const { latest } = tags;
  const newest = latest === undefined ? undefined : versions.get(latest);
  if (latest !== undefined && newest && (wanted === "*" || semver.satisfies(latest, wanted, true)) && runsHere(newest) && !isDeprecated(newest)) return newest;
  const fitting = [...versions].filter(([version]) => semver.satisfies(version, wanted, true));
  const rank = (json: Json): number => (runsHere(json) ? 2 : 0) + (isDeprecated(json) ? 0 : 1);
  fitting.sort(([a, aJson], [b, bJson]) => rank(bJson) - rank(aJson) || semver.rcompare(a, b, true));
  return fitting[0]?.[1];
}

function isDeprecated(json: Json): boolean {
  return json["deprecated"] !== undefined && json["deprecated"] !== false && text(json["deprecated"]) !== "";
}

function runsHere(json: Json): boolean {
  return enginesProblem(textRecord(json["engines"])) === undefined;
}

/** `engines` that this container does not satisfy. */
export function enginesProblem(engines: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
  const options = { includePrerelease: true, loose: true };
  const fits = (version: string, range: string | undefined): boolean => range === undefined || range === "" || semver.satisfies(version, range, options);
  return fits(PLATFORM.node, engines["node"]) && fits(PLATFORM.npm, engines["npm"]) ? undefined : engines;
}

export interface Platform {
  readonly os: string;
  readonly cpu: string;
  readonly libc: string;
  /** Packages for WebAssembly fit as well, and are taken before native ones (wasm-builds.ts). */
  readonly wasm: boolean;
}

/** This one, or the one that the configuration names. */
export function platformOf(config: Config): Platform {
  const cpu = config.get("cpu");
  return { os: config.get("os") ?? PLATFORM.os, cpu: cpu ?? PLATFORM.cpu, libc: config.get("libc") ?? PLATFORM.libc, wasm: cpu === undefined };
}

/** Whether `os`, `cpu` and `libc` of a package allow the platform. */
export function platformFits({ os, cpu, libc }: { readonly os: readonly string[]; readonly cpu: readonly string[]; readonly libc: readonly string[] }, platform: Platform): boolean {
  return allows(os, platform.os) && (allows(cpu, platform.cpu) || (platform.wasm && cpu.includes("wasm32"))) && allows(libc, platform.libc);
}

function allows(list: readonly string[], value: string): boolean {
  if (list.length === 0 || (list.length === 1 && list[0] === "any")) return true;
  if (list.includes(`!${value}`)) return false;
  return list.includes(value) || list.every((item) => item.startsWith("!"));
}
