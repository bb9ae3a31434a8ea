// Which binding an export is, through re-exports and stars: the standard's ResolveExport and GetExportedNames.
import type { EsmRecord, Getter } from "./esm-record.ts";

export interface ExportTarget {
  readonly record: EsmRecord;
  /** The binding's name in its module; "*" is the module's namespace. */
  readonly local: string;
}

/** Undefined: there is none. "ambiguous": two stars disagree. */
export function resolveExport(record: EsmRecord, name: string, seen = new Map<EsmRecord, Set<string>>()): ExportTarget | undefined | "ambiguous" {
  if (!record.shape) return record.locals.has(name) ? { record, local: name } : undefined;
  const asked = seen.get(record) ?? new Set();
  if (asked.has(name)) return undefined;
  seen.set(record, asked.add(name));
  for (const entry of record.shape.exports) {
    if (entry.kind === "star" || entry.name !== name) continue;
    if (entry.kind === "local") return { record, local: entry.local };
    const target = record.dependencies[entry.request] as EsmRecord;
    return entry.imported === "*" ? { record: target, local: "*" } : resolveExport(target, entry.imported, seen);
  }
  if (name === "default") return undefined;
  let found: ExportTarget | undefined;
  for (const entry of record.shape.exports) {
    if (entry.kind !== "star") continue;
    const target = resolveExport(record.dependencies[entry.request] as EsmRecord, name, seen);
    if (target === "ambiguous") return target;
    if (!target) continue;
    if (found && (found.record !== target.record || found.local !== target.local)) return "ambiguous";
    found ??= target;
  }
  return found;
}

export function exportedNames(record: EsmRecord, seen = new Set<EsmRecord>()): Set<string> {
  if (seen.has(record)) return new Set();
  seen.add(record);
  if (!record.shape) return new Set(record.locals.keys());
  const names = new Set<string>();
  for (const entry of record.shape.exports) {
    if (entry.kind !== "star") names.add(entry.name);
    else for (const name of exportedNames(record.dependencies[entry.request] as EsmRecord, seen)) if (name !== "default") names.add(name);
  }
  return names;
}

/** Reads the binding; `namespaceOf` makes a module's namespace when that is what it is. */
export function getterOf({ record, local }: ExportTarget, namespaceOf: (record: EsmRecord) => unknown): Getter {
  if (local === "*") return () => namespaceOf(record);
  return () => (record.locals.get(local) as Getter)();
}

/** All exports that can be told apart, as a namespace shows them. */
export function exportGetters(record: EsmRecord, namespaceOf: (record: EsmRecord) => unknown): Map<string, Getter> {
  const getters = new Map<string, Getter>();
  for (const name of exportedNames(record)) {
    const target = resolveExport(record, name);
    if (target && target !== "ambiguous") getters.set(name, getterOf(target, namespaceOf));
  }
  return getters;
}
