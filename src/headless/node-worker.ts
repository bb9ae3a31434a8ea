// The entry of a Node process's Worker: loads what every program needs, and starts on the first message. While it waits for
// that, what a program may need (node/later) is loaded, too, once nothing else seems to be wanted.
import { prepareBufferMeter } from "./node/buffer-meter.ts";
import { startNode } from "./node/main.ts";
import { ProcessLink, type WorkerPort } from "./process-link.ts";
import type { ToProcess } from "./protocol.ts";

prepareBufferMeter();

/** Several commands in a row take a Worker sooner, and shall not wait for each other's. */
const QUIET_MS = 100;

let receive: ((message: ToProcess) => void) | undefined;

const link = new ProcessLink(self as unknown as WorkerPort, (message) => {
  if (message.type === "start") receive = startNode(link, message);
  else receive?.(message);
});

const waiting = [...__tabwright_part.names];
/** One part a turn: a start comes between two. */
function loadNext(): void {
  const part = waiting.shift();
  if (part === undefined || receive) return;
  __tabwright_part(part);
  setTimeout(loadNext, 0);
}
setTimeout(loadNext, QUIET_MS);
