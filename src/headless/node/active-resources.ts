// What `process.getActiveResourcesInfo` tells of: the sockets, servers and children that are open and count, the file
// operations that are under way, and the timers and immediates of the loop.
import type { Watched } from "./loop-watch.ts";
import type { Runtime } from "./runtime.ts";

interface Handle {
  /** As Node's own classes are called: TCPSocketWrap. */
  readonly kind: string;
  readonly hasRef: () => boolean;
  readonly watched: Watched | undefined;
}

interface Resources {
  readonly handles: Map<object, Handle>;
  readonly requests: Set<object>;
}

const resourcesOf = new WeakMap<Runtime, Resources>();

function of(runtime: Runtime): Resources {
  const known = resourcesOf.get(runtime) ?? { handles: new Map<object, Handle>(), requests: new Set<object>() };
  resourcesOf.set(runtime, known);
  return known;
}

/** Until `closeHandle`; `owner` is what programs see. */
export function openHandle(runtime: Runtime, owner: object, kind: string, hasRef: () => boolean): void {
  const { handles } = of(runtime);
  handles.set(owner, { kind, hasRef, watched: handles.get(owner)?.watched ?? runtime.loop.watch?.begin(kind.replace("Socket", "").toUpperCase(), { owner, hasRef }) });
}

export function closeHandle(runtime: Runtime, owner: object): void {
  const { handles } = of(runtime);
  handles.get(owner)?.watched?.end();
  handles.delete(owner);
}

/** A file operation. Returns what ends it. */
export function openRequest(runtime: Runtime): () => void {
  const { requests } = of(runtime);
  const request = {};
  requests.add(request);
  return () => void requests.delete(request);
}

export function activeHandles(runtime: Runtime): object[] {
  return [...of(runtime).handles].filter(([, { hasRef }]) => hasRef()).map(([owner]) => owner);
}

export function activeRequests(runtime: Runtime): object[] {
  return [...of(runtime).requests];
}

export function activeResources(runtime: Runtime): string[] {
  const { handles, requests } = of(runtime);
  const { timers, immediates } = runtime.loop.counted();
  const times = (count: number, kind: string): string[] => Array.from({ length: count }, () => kind);
  return [...times(requests.size, "FSReqCallback"), ...[...handles.values()].filter(({ hasRef }) => hasRef()).map(({ kind }) => kind), ...times(timers, "Timeout"), ...times(immediates, "Immediate")];
}
