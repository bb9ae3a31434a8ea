// Runs a linked graph: the standard's Evaluate, InnerModuleEvaluation and what follows when modules await.
// (https://tc39.es/ecma262/#sec-moduleevaluation) Names are the standard's where there is one.
import type { EsmRecord } from "./esm-record.ts";

/** The body of a module in a cycle that has published its exports already. */
export type CyclicBody = Generator<unknown, unknown, unknown> | AsyncGenerator<unknown, unknown, unknown>;

let asyncOrders = 0;

/** Resolves when the graph below has run; rejects with what a module threw. Runs at once what needs not wait. */
export function evaluateGraph(record: EsmRecord): Promise<void> {
  const root = record.status === "evaluating-async" || record.status === "evaluated" ? (record.cycleRoot ?? record) : record;
  if (root.capability) return root.capability.promise;
  const capability = makeCapability();
  root.capability = capability;
  // Whoever imports it handles the failure; the graph's own promise must not count as unhandled.
  capability.promise.catch(() => undefined);
  const stack: EsmRecord[] = [];
  try {
    innerEvaluation(root, stack, 0);
    if (root.asyncOrder === undefined || root.status === "evaluated") capability.resolve();
  } catch (error) {
    for (const module of stack) {
      module.status = "evaluated";
      module.failure = { error };
    }
    root.failure ??= { error };
    capability.reject(error);
  }
  return capability.promise;
}

function makeCapability(): NonNullable<EsmRecord["capability"]> {
  let resolve = (): void => undefined;
  let reject = (_error: unknown): void => undefined;
  const promise = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

function innerEvaluation(module: EsmRecord, stack: EsmRecord[], start: number): number {
  if (module.status === "evaluating-async" || module.status === "evaluated") {
    if (module.failure) throw module.failure.error;
    return start;
  }
  if (module.status === "evaluating") return start;
  module.status = "evaluating";
  module.dfsIndex = start;
  module.dfsAncestorIndex = start;
  module.pendingDependencies = 0;
  let index = start + 1;
  stack.push(module);
  for (let required of module.dependencies) {
    index = innerEvaluation(required, stack, index);
    if (required.status === "evaluating") {
      module.dfsAncestorIndex = Math.min(module.dfsAncestorIndex, required.dfsAncestorIndex);
    } else {
      required = required.cycleRoot ?? required;
      if (required.failure) throw required.failure.error;
    }
    if (required.asyncOrder !== undefined && required.status !== "evaluated") {
      module.pendingDependencies++;
      required.asyncParents.push(module);
    }
  }
  if (module.pendingDependencies > 0 || module.shape?.topLevelAwait === true) {
    module.asyncOrder = asyncOrders++;
    if (module.pendingDependencies === 0) executeAsync(module);
  } else {
    module.body?.();
  }
  if (module.dfsAncestorIndex === module.dfsIndex) {
    for (let last = stack.pop(); last; last = stack.pop()) {
      last.status = last.asyncOrder === undefined ? "evaluated" : "evaluating-async";
      last.cycleRoot = module;
      if (last === module) break;
    }
  }
  return index;
}

function executeAsync(module: EsmRecord): void {
  Promise.resolve(module.body?.()).then(() => fulfilled(module), (error: unknown) => rejected(module, error));
}

function fulfilled(module: EsmRecord): void {
  if (module.status === "evaluated") return;
  module.status = "evaluated";
  module.capability?.resolve();
  const ready = new Set<EsmRecord>();
  gatherAvailable(module, ready);
  for (const next of [...ready].sort((a, b) => (a.asyncOrder as number) - (b.asyncOrder as number))) {
    if (next.status === "evaluated") continue;
    if (next.shape?.topLevelAwait === true) {
      executeAsync(next);
      continue;
    }
    try {
      next.body?.();
    } catch (error) {
      rejected(next, error);
      continue;
    }
    next.status = "evaluated";
    next.capability?.resolve();
  }
}

/** Modules that waited for nothing else any more. */
function gatherAvailable(module: EsmRecord, ready: Set<EsmRecord>): void {
  for (const parent of module.asyncParents) {
    if (ready.has(parent) || parent.cycleRoot?.failure) continue;
    if (--parent.pendingDependencies > 0) continue;
    ready.add(parent);
    if (parent.shape?.topLevelAwait !== true) gatherAvailable(parent, ready);
  }
}

function rejected(module: EsmRecord, error: unknown): void {
  if (module.status === "evaluated") return;
  module.failure = { error };
  module.status = "evaluated";
  for (const parent of module.asyncParents) rejected(parent, error);
  module.capability?.reject(error);
}

/** Runs a body whose `yield`s are awaits. An async generator awaits by itself and yields nothing more. */
export async function driveBody(body: CyclicBody): Promise<void> {
  let step = body.next();
  for (;;) {
    if (step instanceof Promise) {
      await step;
      return;
    }
    if (step.done) return;
    let value: unknown;
    let failure: { error: unknown } | undefined;
    try {
      value = await step.value;
    } catch (error) {
      failure = { error };
    }
    step = failure ? body.throw(failure.error) : (body as Generator<unknown, unknown, unknown>).next(value);
  }
}
