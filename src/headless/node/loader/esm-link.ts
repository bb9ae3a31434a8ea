// Connects the modules of a loaded graph: checks that every import exists, and makes of each module's code a function that
// publishes its exports and runs its body.
import type { Dict, Runtime } from "../runtime.ts";
import { scopeFunctions } from "./async-scope.ts";
import type { DynamicImport } from "./compile.ts";
import { markCycles } from "./esm-cycles.ts";
import { missingExport } from "./esm-errors.ts";
import { type CyclicBody, driveBody } from "./esm-evaluate.ts";
import { exportGetters, getterOf, resolveExport } from "./esm-exports.ts";
import { type EsmRecord, type Getter, makeNamespace, namedAs } from "./esm-record.ts";
import { NAMES } from "./code-names.ts";
import type { ImportBinding, ModuleCode, ModuleShape } from "./esm-transform.ts";
import { withEvalCode } from "./rewrite-imports.ts";

/** What differs between the modules of a program and those that a program makes (`vm.SourceTextModule`). */
export interface LinkParts {
  readonly importer: (record: EsmRecord) => DynamicImport;
  readonly meta: (record: EsmRecord) => Dict;
  /** The function that the code is. */
  readonly evaluate: (code: ModuleCode, record: EsmRecord) => unknown;
}

export class GraphLinker {
  readonly #runtime: Runtime;
  readonly #parts: LinkParts;

  constructor(runtime: Runtime, parts: LinkParts) {
    this.#runtime = runtime;
    this.#parts = parts;
  }

  /** `fresh`: what is loaded since the last time, with all that it imports. Throws where an import leads nowhere. */
  connect(fresh: readonly EsmRecord[]): void {
    markCycles(fresh);
    for (const record of fresh) this.#check(record);
    for (const record of fresh) this.#publish(record);
  }

  /** What programs see of a module that is connected; one for each. */
  namespace(record: EsmRecord): Dict {
    return (record.namespace ??= makeNamespace(exportGetters(record, (x) => this.namespace(x)), () => record.required));
  }

  #check(record: EsmRecord): void {
    for (const [k, request] of (record.shape?.requests ?? []).entries()) {
      const dependency = record.dependencies[k] as EsmRecord;
      for (const { name, offset } of request.names) {
        const found = resolveExport(dependency, name);
        if (found !== undefined && found !== "ambiguous") continue;
        throw missingExport(record, { specifier: request.specifier, name, offset }, dependency, found === "ambiguous", this.#runtime.sources);
      }
    }
  }

  #publish(record: EsmRecord): void {
    if (record.status !== "new") return;
    record.status = "linked";
    const { shape } = record;
    if (!shape) return;
    const { live, fixed, isLive } = this.#imports(record, shape);
    const make = this.#parts.evaluate(shape.write(record.inCycle, isLive), record) as (...args: unknown[]) => unknown;
    const publish = (getters: Record<string, Getter>): void => {
      for (const entry of shape.exports) if (entry.kind === "local") record.locals.set(entry.local, getters[entry.name] as Getter);
    };
    const run = (): unknown => Reflect.apply(make, undefined, [publish, withEvalCode(this.#parts.importer(record), NAMES.import), this.#parts.meta(record), live, fixed, ...scopeFunctions(this.#runtime.loop)]);
    if (!record.inCycle) {
      record.body = run;
      return;
    }
    const generator = run() as CyclicBody;
    void generator.next();
    record.body = shape.topLevelAwait ? () => driveBody(generator) : () => generator.next();
  }

  /** The module's imports as its code reads them: those that may still change through getters, the rest once. */
  #imports(record: EsmRecord, shape: ModuleShape): { live: Dict; fixed: Dict; isLive: (local: string) => boolean } {
    const live = Object.create(null) as Dict;
    const fixed = Object.create(null) as Dict;
    const changing = new Set<string>();
    for (const [local, { request, imported }] of shape.bindings) {
      const dependency = record.dependencies[request] as EsmRecord;
      const { getter, mayChange } = this.#binding(dependency, imported);
      if (record.inCycle || mayChange) changing.add(local);
      const read = (): unknown => {
        try {
          return getter();
        } catch (error) {
          throw namedAs(error, local);
        }
      };
      if (changing.has(local) || shape.reassigns(local)) Object.defineProperty(live, local, { get: read, set: refuseAssignment });
      else Object.defineProperty(fixed, local, { get: read });
    }
    return { live, fixed, isLive: (local) => changing.has(local) };
  }

  #binding(dependency: EsmRecord, imported: ImportBinding["imported"]): { getter: Getter; mayChange: boolean } {
    if (imported === "*") return { getter: () => this.namespace(dependency), mayChange: false };
    const target = resolveExport(dependency, imported);
    if (!target || target === "ambiguous") throw new Error(`unchecked import ${imported}`);
    const { record, local } = target;
    const mayChange = local !== "*" && (record.kind === "synthetic" || record.kind === "builtin" ? record.kind === "synthetic" || local !== "default" : record.shape?.reassigns(local) === true);
    return { getter: getterOf(target, (x) => this.namespace(x)), mayChange };
  }
}

function refuseAssignment(): never {
  throw new TypeError("Assignment to constant variable.");
}
