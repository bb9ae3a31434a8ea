// What JavaScript keeps of a worker of the page: its heap after a collection, and the array buffers behind it.
import type { Page } from "playwright-core";

/** One dedicated worker of a page, looked at through the browser's own protocol: workers cannot measure themselves. */
export interface WorkerHeap {
  /** Bytes alive after a garbage collection: objects, and buffers outside the heap. */
  measure(): Promise<{ readonly heapBytes: number; readonly bufferBytes: number }>;
}

interface Attached {
  readonly sessionId: string;
  readonly targetInfo: { readonly type: string; readonly url: string };
}

interface Answer {
  readonly id: number;
  readonly result?: Readonly<Record<string, number>>;
}

/** The protocol as this needs it: Playwright's types have no messages to nested targets. */
interface RawSession {
  send(method: string, params: unknown): Promise<unknown>;
  on(event: string, listener: (event: never) => void): void;
}

/** The page's worker whose address has `name` in it. */
export async function workerHeap(page: Page, name: string): Promise<WorkerHeap> {
  const session = (await page.context().newCDPSession(page)) as unknown as RawSession;
  const waiting = new Map<number, (answer: Answer) => void>();
  let calls = 0;
  const attached = new Promise<Attached>((resolve) => {
    session.on("Target.attachedToTarget", (target: Attached) => {
      if (target.targetInfo.type === "worker" && target.targetInfo.url.includes(name)) resolve(target);
    });
  });
  session.on("Target.receivedMessageFromTarget", ({ message }: { readonly message: string }) => {
    const answer = JSON.parse(message) as Answer;
    waiting.get(answer.id)?.(answer);
  });
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const { sessionId } = await attached;
  const ask = (method: string): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const id = ++calls;
      waiting.set(id, resolve);
      session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params: {} }) }).catch(reject);
    });
  await ask("HeapProfiler.enable");
  return {
    async measure() {
      await ask("HeapProfiler.collectGarbage");
      const { result } = await ask("Runtime.getHeapUsage");
      return { heapBytes: result?.["usedSize"] ?? Number.NaN, bufferBytes: result?.["backingStorageSize"] ?? Number.NaN };
    },
  };
}
