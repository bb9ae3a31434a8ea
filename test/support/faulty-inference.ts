// The real inference worker with faults on order: a message `{ fault }` makes it throw, post what no engine posts, or send
// such a thing over the port of the next generation. Termination needs no help from inside.
import { expose } from "comlink";
import { installErrorWire } from "../../src/base/wire.ts";
import type { GenerateRequest } from "../../src/engine/api.ts";
import { LabInference } from "../../src/engine/lab.ts";

export type Fault = "throw" | "reply" | "token";

let inTokens = false;

class FaultyInference extends LabInference {
  override generate(request: GenerateRequest, port: MessagePort): Promise<void> {
    if (inTokens) port.postMessage({ type: "txet", text: 7 });
    return super.generate(request, port);
  }
}

installErrorWire();
expose(new FaultyInference());
addEventListener("message", ({ data }: MessageEvent<{ readonly fault?: Fault } | undefined>) => {
  if (data?.fault === "reply") postMessage({ nonsense: true });
  if (data?.fault === "token") inTokens = true;
  if (data?.fault === "throw") {
    setTimeout(() => {
      throw new Error("a fault on order");
    });
  }
});
