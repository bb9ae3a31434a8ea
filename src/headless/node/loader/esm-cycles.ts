// Which modules of a freshly loaded graph import each other: Tarjan's strongly connected components.
import type { EsmRecord } from "./esm-record.ts";

/** Sets `inCycle`. Modules loaded earlier cannot import fresh ones, so the fresh ones are all there is to look at. */
export function markCycles(fresh: readonly EsmRecord[]): void {
  const among = new Set(fresh);
  const index = new Map<EsmRecord, number>();
  const low = new Map<EsmRecord, number>();
  const stack: EsmRecord[] = [];
  const onStack = new Set<EsmRecord>();

  const visit = (record: EsmRecord): void => {
    index.set(record, index.size);
    low.set(record, index.get(record) as number);
    stack.push(record);
    onStack.add(record);
    for (const next of record.dependencies) {
      if (!among.has(next)) continue;
      if (next === record) record.inCycle = true;
      if (!index.has(next)) {
        visit(next);
        low.set(record, Math.min(low.get(record) as number, low.get(next) as number));
      } else if (onStack.has(next)) {
        low.set(record, Math.min(low.get(record) as number, index.get(next) as number));
      }
    }
    if (low.get(record) !== index.get(record)) return;
    const component = stack.splice(stack.indexOf(record));
    for (const member of component) {
      onStack.delete(member);
      if (component.length > 1) member.inCycle = true;
    }
  };
  for (const record of fresh) if (!index.has(record)) visit(record);
}
