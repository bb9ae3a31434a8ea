// The kernel's entry: runs in the opaque-origin frame, talks to /headless over one port and to its maker for Worker sources.
import type { FromFrame, FromKernel, ToFrame, ToKernel } from "../bridge.ts";
import type { ScriptName } from "../protocol.ts";
import { createKernel } from "./calls.ts";
import { WorkerPool } from "./worker-pool.ts";

const wanted = new Map<ScriptName, (source: string) => void>();
const sources = new Map<ScriptName, Promise<string>>();

function tellFrame(message: ToFrame): void {
  parent.postMessage(message, "*"); // its origin is not known here; the message holds no secret
}

function sourceOf(program: ScriptName): Promise<string> {
  let source = sources.get(program);
  if (!source) {
    source = new Promise((resolve) => wanted.set(program, resolve));
    sources.set(program, source);
    tellFrame({ type: "source-wanted", program });
  }
  return source;
}

function serve(port: MessagePort): void {
  const send = (message: FromKernel, transfer: Transferable[] = []): void => port.postMessage(message, transfer);
  const { calls, registry, ack, network } = createKernel(new WorkerPool(sourceOf), send);
  port.onmessage = ({ data }: MessageEvent<ToKernel>) => {
    if (data.type === "ping") return send({ type: "pong" });
    if (data.type === "ack") return ack(data.process, data.bytes);
    if (data.type === "network") return network(data.message);
    if (data.type === "registry-answer") return registry.answered(data.request, data.answer);
    const { id, method, args } = data;
    try {
      const value = (calls[method] as (...args: readonly unknown[]) => unknown)(...args);
      send({ type: "result", id, value: value ?? null }, value instanceof Uint8Array && method === "serialize" ? [value.buffer as ArrayBuffer] : []);
    } catch (error) {
      const { name, message } = error instanceof Error ? error : new Error(String(error));
      send({ type: "failure", id, name, message });
    }
  };
}

let connected = false;
addEventListener("message", ({ data, source, ports }: MessageEvent<FromFrame>) => {
  if (source !== parent) return;
  if (data.type === "connect" && ports[0] && !connected) {
    connected = true;
    serve(ports[0]);
  } else if (data.type === "source") {
    wanted.get(data.program)?.(data.source);
  }
});
tellFrame({ type: "kernel-ready" });

