// `vm.Module`: a module that a program makes itself, over the loader's own linking and running. A time limit of `evaluate`
// is not kept.
import { inspect } from "node-inspect-extracted";
import { checkFunction, invalidArgType, nodeError, received } from "../errors.ts";
import { evaluateGraph } from "../loader/esm-evaluate.ts";
import type { GraphLinker } from "../loader/esm-link.ts";
import type { EsmRecord } from "../loader/esm-record.ts";
import type { AnyFunction, Dict } from "../runtime.ts";

export type ScriptImport = (specifier: unknown, options?: unknown) => Promise<unknown>;

export const notModule = (): Error => nodeError(Error, "ERR_VM_MODULE_NOT_MODULE", "Provided module is not an instance of Module");

type Status = "unlinked" | "linking" | "linked" | "evaluating" | "evaluated" | "errored";

export interface VmModuleState {
  readonly record: EsmRecord;
  readonly linker: GraphLinker;
  readonly identifier: string;
  readonly context: object | undefined;
  readonly importer: ScriptImport;
  readonly fillMeta: ((meta: Dict) => void) | undefined;
  status: Status;
  failure: { readonly error: unknown } | undefined;
  specifiers: readonly string[] | undefined;
}

export const states = new WeakMap<object, VmModuleState>();
export const owners = new WeakMap<EsmRecord, VmModule>();

export function stateOf(module: unknown, kind: string): VmModuleState {
  const state = typeof module === "object" && module !== null ? states.get(module) : undefined;
  if (!state) throw nodeError(TypeError, "ERR_INVALID_ARG_TYPE", `The "this" argument must be an instance of ${kind}. ${received(module)}`);
  return state;
}

export const badStatus = (message: string): Error => nodeError(Error, "ERR_VM_MODULE_STATUS", `Module status ${message}`);

/** `Module` of node:vm, abstract. */
export class VmModule {
  constructor() {
    if (new.target === VmModule) throw new TypeError("Module is not a constructor");
  }

  /** Also for what is no object at all. */
  static is(value: unknown): value is VmModule {
    return typeof value === "object" && value !== null && states.has(value);
  }

  get identifier(): string {
    return stateOf(this, "Module").identifier;
  }

  get context(): object | undefined {
    return stateOf(this, "Module").context;
  }

  get namespace(): Dict {
    const { status, linker, record } = stateOf(this, "Module");
    if (status === "unlinked" || status === "linking") throw badStatus("must not be unlinked or linking");
    return linker.namespace(record);
  }

  get status(): Status {
    const state = stateOf(this, "Module");
    if (state.record.failure) return "errored";
    if (state.status === "linked" && state.record.status === "evaluated") return "evaluated";
    return state.status === "linked" && state.record.status.startsWith("evaluating") ? "evaluating" : state.status;
  }

  get error(): unknown {
    const { failure, record } = stateOf(this, "Module");
    if (this.status !== "errored") throw badStatus("must be errored");
    return (failure ?? record.failure)?.error;
  }

  async link(linker: unknown): Promise<void> {
    const state = stateOf(this, "Module");
    checkFunction(linker, "linker");
    if (state.status === "linked") throw nodeError(Error, "ERR_VM_MODULE_ALREADY_LINKED", "Module has already been linked");
    if (state.status !== "unlinked") throw badStatus("must be unlinked");
    const graph: VmModule[] = [];
    try {
      await gather(this, linker as AnyFunction, graph);
      state.linker.connect(graph.map((module) => stateOf(module, "Module").record).filter(({ status }) => status === "new"));
      for (const module of graph) stateOf(module, "Module").status = "linked";
    } catch (error) {
      state.status = "errored";
      state.failure = { error };
      throw error;
    }
  }

  async evaluate(options: unknown = {}): Promise<void> {
    const { record } = stateOf(this, "Module");
    if (typeof options !== "object" || options === null) throw invalidArgType("options", "object", options);
    const { breakOnSigint = false, timeout } = options as Dict;
    if (timeout !== undefined && (typeof timeout !== "number" || !(timeout > 0))) throw invalidArgType("options.timeout", "number", timeout);
    if (typeof breakOnSigint !== "boolean") throw invalidArgType("options.breakOnSigint", "boolean", breakOnSigint);
    const { status } = this;
    if (status !== "linked" && status !== "evaluated" && status !== "errored") throw badStatus("must be one of linked, evaluated, or errored");
    if (status === "errored") throw this.error;
    await evaluateGraph(record);
  }

  [inspect.custom](depth: number, options: object): string {
    stateOf(this, "Module");
    const { name } = this.constructor;
    if (depth < 0) return `[${name}]`;
    return `${name} ${inspect({ status: this.status, identifier: this.identifier, context: this.context }, options)}`;
  }
}
Object.defineProperty(VmModule, "name", { value: "Module" });

/** What a module imports, and what that imports, in turn: made, and of one context. */
async function gather(module: VmModule, linker: AnyFunction, graph: VmModule[]): Promise<void> {
  const state = stateOf(module, "Module");
  state.status = "linking";
  graph.push(module);
  const { record } = state;
  record.dependencies = await Promise.all((record.shape?.requests ?? []).map(async ({ specifier, attributes }): Promise<EsmRecord> => {
    const given = Object.assign(Object.create(null) as Dict, attributes);
    const found = await linker(specifier, module, { attributes: given, assert: given });
    if (!VmModule.is(found)) throw notModule();
    if (found.context !== state.context) throw nodeError(Error, "ERR_VM_MODULE_DIFFERENT_CONTEXT", "Linked modules must use the same context");
    if (found.status === "errored") throw nodeError(Error, "ERR_VM_MODULE_LINK_FAILURE", `request for '${specifier}' resolved to an errored module`, { cause: found.error });
    if (found.status === "unlinked") await gather(found, linker, graph);
    return stateOf(found, "Module").record;
  }));
  record.loaded = true;
}
