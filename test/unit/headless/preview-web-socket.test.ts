// The preview's WebSocket against a real server, ws under Node, over a real connection.
import type { IncomingMessage } from "node:http";
import { connect } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { DeskLink } from "../../../src/headless/preview/desk-link.ts";
import { WebSocketClient } from "../../../src/headless/preview/web-socket.ts";
import { FrameError, FrameReader, frameBytes, OPCODES } from "../../../src/headless/preview/web-socket-frames.ts";

/** Node's sockets in the place of the container's; `cut` is how many bytes come at a time. */
const desk = (cut: number): Pick<DeskLink, "connect"> => ({
  connect(port, bytes, events) {
    const socket = connect(port, "127.0.0.1");
    socket.write(bytes);
    socket.on("data", (data) => {
      for (let at = 0; at < data.length; at += cut) events.data(new Uint8Array(data.subarray(at, at + cut)));
    });
    socket.on("end", () => events.ended()).on("error", (error: NodeJS.ErrnoException) => events.failed(error.code ?? ""));
    return { send: (more) => (socket.write(more), true), close: () => void socket.end() };
  },
});

let server: WebSocketServer | undefined;
afterEach(() => {
  for (const client of server?.clients ?? []) client.terminate();
  server?.close();
});

/** A server that does this with each client; resolves with what the client was told until it closed. */
async function talk(serve: (socket: WebSocket) => void, options: { readonly server?: Partial<ServerOptions>; readonly protocols?: readonly string[]; readonly cut?: number; readonly opened?: (client: WebSocketClient) => void } = {}): Promise<unknown[]> {
  server = new WebSocketServer({ port: 0, host: "127.0.0.1", ...options.server });
  server.on("connection", serve);
  await new Promise((resolve) => server!.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve) => {
    const told: unknown[] = [];
    const client = new WebSocketClient(desk(options.cut ?? 1e9), { url: new URL(`http://127.0.0.1:${port}/chat?x=1`), protocols: options.protocols ?? [], headers: [["Origin", "http://localhost:3000"]] }, {
      opened: (protocol) => {
        told.push(["open", protocol]);
        options.opened?.(client);
      },
      message: (data) => told.push(typeof data === "string" ? data : [...data.subarray(0, 4), data.length]),
      closed: (code, reason, isClean) => resolve([...told, [code, reason, isClean]]),
    });
  });
}

describe("a WebSocket of a preview, against ws", () => {
  it("opens, says and hears text and bytes of every length, in pieces cut anywhere", async () => {
    for (const cut of [1, 7, 1e9]) {
      const told = await talk(
        (socket) => socket.on("message", (data, isBinary) => {
          if (String(data) === "bye") socket.close(4001, "as asked");
          else socket.send(data, { binary: isBinary });
        }),
        { cut, opened: (client) => ["", "ü 😀", "x".repeat(125), "x".repeat(126), "y".repeat(70_000), new Uint8Array([1, 2, 3]), new Uint8Array(65_536).fill(9), "bye"].forEach((data) => client.send(data)) },
      );
      expect(told).toEqual([["open", ""], "", "ü 😀", "x".repeat(125), "x".repeat(126), "y".repeat(70_000), [1, 2, 3, 3], [9, 9, 9, 9, 65_536], [4001, "as asked", true]]);
    }
  });

  it("puts messages together from fragments, and answers a ping between them", async () => {
    const told = await talk((socket) => {
      socket.send("one ", { fin: false });
      socket.ping("still there?");
      socket.send("two", { fin: true });
      socket.on("pong", (data) => socket.close(1000, `pong ${String(data)}`));
    });
    expect(told).toEqual([["open", ""], "one two", [1000, "pong still there?", true]]);
  });

  it("sends its address, origin and protocols, and takes the one that the server has chosen", async () => {
    const heads: unknown[] = [];
    const told = await talk((socket) => socket.close(), {
      protocols: ["a", "vite-hmr"],
      server: { handleProtocols: () => "vite-hmr", verifyClient: ({ req, origin }: { req: IncomingMessage; origin: string }) => (heads.push(req.url, origin), true) },
    });
    expect(told).toEqual([["open", "vite-hmr"], [1005, "", true]]);
    expect(heads).toEqual(["/chat?x=1", "http://localhost:3000"]);
  });

  it("closes with a code and a reason, which the server hears", async () => {
    let heard: unknown;
    const told = await talk((socket) => socket.on("close", (code, reason) => (heard = [code, String(reason)])), { opened: (client) => client.close(3000, "ünd tschüss") });
    expect(told).toEqual([["open", ""], [3000, "ünd tschüss", true]]);
    await expect.poll(() => heard).toEqual([3000, "ünd tschüss"]);
  });

  it("is lost when the server refuses, ends without a goodbye, or is not there", async () => {
    expect(await talk(() => undefined, { server: { verifyClient: () => false } })).toEqual([[1006, "", false]]);
    expect(await talk((socket) => setTimeout(() => socket.terminate(), 20))).toEqual([["open", ""], [1006, "", false]]);
    const told = await new Promise((resolve) => new WebSocketClient(desk(9), { url: new URL("http://127.0.0.1:1/"), protocols: [], headers: [] }, { opened: () => undefined, message: () => undefined, closed: (...all) => resolve(all) }));
    expect(told).toEqual([1006, "", false]);
  });
});

describe("frames of a server", () => {
  const read = (...bytes: number[]): number => {
    try {
      new FrameReader(() => undefined).push(Uint8Array.from(bytes));
      return 0;
    } catch (error) {
      if (error instanceof FrameError) return error.code;
      throw error;
    }
  };

  it("that break the standard are refused with its codes", () => {
    expect([read(0x81, 1, 65), read(0xc1, 1, 65), read(0x83, 0), read(0x81, 0x81, 0, 0, 0, 0, 65), read(0x09, 0), read(0x89, 126, 0, 126), read(0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0)]).toEqual([0, 1002, 1002, 1002, 1002, 1002, 1009]);
  });

  it("of a client are masked, with a length in as few bytes as it needs", () => {
    expect([0, 125, 126, 65_535, 65_536].map((length) => frameBytes(OPCODES.binary, new Uint8Array(length)).length - length)).toEqual([6, 6, 8, 8, 14]);
    const frame = frameBytes(OPCODES.text, Uint8Array.from([1, 2, 3]));
    expect([...frame.subarray(6)].map((byte, i) => byte ^ frame[2 + i]!)).toEqual([1, 2, 3]);
  });
});
