// Entry of the registry worker: the one place of the container from which the network can be reached.
import { answerFetched, answerStored } from "../src/headless/registry/desk.ts";
import type { RegistryRequest, RegistryResult } from "../src/headless/registry/worker-api.ts";

const running = new Map<number, AbortController>();

addEventListener("message", ({ data: { id, call } }: MessageEvent<RegistryRequest>) => {
  if (call.type === "abort") return running.get(id)?.abort();
  const abort = new AbortController();
  running.set(id, abort);
  void (call.type === "stored" ? answerStored(call.question) : answerFetched(call.question, abort.signal)).then((answer) => {
    running.delete(id);
    const result: RegistryResult = { id, answer };
    postMessage(result, { transfer: answer?.ok ? [answer.bytes.buffer] : [] });
  });
});
