// `overrides` of the root's package.json: which range a dependency gets instead of its own, by where in the graph it is asked for.
import semver from "semver";
import { NpmError } from "./error.ts";
import { type Dependencies, record } from "./manifest.ts";
import { parseArgument, parseSpec } from "./spec.ts";

/** One key of `overrides` with what is nested in it. It holds for everything below the dependency it names. */
export class OverrideRule {
  readonly parent: OverrideRule | undefined;
  readonly key: string;
  readonly name: string;
  /** The key's own range: the rule is for dependencies whose range meets it. */
  readonly keyRange: string;
  /** What is asked for instead; `*` leaves it as it is. */
  readonly value: string;
  readonly children = new Map<string, OverrideRule>();

  /** `root`: what the project's package.json asks for, which `$name` stands for. */
  constructor(key: string, value: unknown, root: readonly Dependencies[], parent?: OverrideRule) {
    const nested = typeof value === "string" ? { ".": value } : record(value);
    const spec = parent ? parseArgument(key) : undefined;
    if (spec && !("wanted" in spec)) throw new NpmError("EOVERRIDE", `Override "${key}" must name a package.`);
    this.parent = parent;
    this.key = key;
    this.name = spec?.name ?? "";
    this.keyRange = spec?.wanted ?? "*";
    const own = nested["."];
    const given = typeof own === "string" && own !== "" ? own : own === "" ? "*" : this.keyRange;
    this.value = given.startsWith("$") ? referred(given, root) : given;
    for (const [name, child] of Object.entries(nested)) if (name !== ".") this.children.set(name, new OverrideRule(name, child, root, this));
  }

  /** The rule for a dependency, asked for by something that stands under this rule; this rule itself if none names it. */
  forDependency(name: string, wanted: string): OverrideRule {
    for (const rule of this.#inForce()) {
      if (rule.name === name && rule.#meets(name, wanted)) return rule;
    }
    return this;
  }

  /** The nearest rules win; a rule holds for its own package too. */
  #inForce(): Iterable<OverrideRule> {
    const rules = new Map<string, OverrideRule>();
    const add = (rule: OverrideRule): void => {
      for (const [key, child] of rule.children) if (!rules.has(key)) rules.set(key, child);
      if (!rule.parent) return;
      if (!rules.has(rule.key)) rules.set(rule.key, rule);
      add(rule.parent);
    };
    add(this);
    return rules.values();
  }

  #meets(name: string, wanted: string): boolean {
    if (this.keyRange === "*") return true;
    const spec = parseSpec(name, wanted);
    const target = spec.type === "alias" ? spec.target : spec;
    if (target.type !== "range" && target.type !== "version") return true;
    return semver.intersects(target.wanted, this.keyRange, true);
  }
}

function referred(reference: string, root: readonly Dependencies[]): string {
  const found = root.map((dependencies) => dependencies[reference.slice(1)]).find((value) => value !== undefined);
  if (found === undefined) throw new NpmError("EOVERRIDE", `Unable to resolve reference ${reference}`);
  return found;
}

/** What is asked for under a rule. */
export function overridden(rule: OverrideRule | undefined, name: string, wanted: string): string {
  return !rule || rule.name !== name || rule.value === "*" ? wanted : rule.value;
}
