// The entry of a Node process's Worker: loads everything while it waits warm, and starts on the first message.
import { prepareBufferMeter } from "./node/buffer-meter.ts";
import { startNode } from "./node/main.ts";
import { ProcessLink, type WorkerPort } from "./process-link.ts";
import type { ToProcess } from "./protocol.ts";

prepareBufferMeter();

let receive: ((message: ToProcess) => void) | undefined;

const link = new ProcessLink(self as unknown as WorkerPort, (message) => {
  if (message.type === "start") receive = startNode(link, message);
  else receive?.(message);
});
