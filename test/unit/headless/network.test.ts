// The kernel's network: who listens, who is connected to whom, and what a hostile process cannot do with it.
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { Network } from "../../../src/headless/kernel/network.ts";
import { SOCKET_WINDOW_BYTES } from "../../../src/headless/protocol.ts";

interface Owner {
  readonly name: string;
  readonly got: { readonly type: string; readonly [field: string]: unknown }[];
}

function setUp(): { network: Network<Owner>; server: Owner; client: Owner; ports: string[] } {
  const ports: string[] = [];
  const network = new Network<Owner>({ post: (to, message) => to.got.push({ ...message }), port: (port, open) => ports.push(`${port} ${open ? "open" : "close"}`) });
  return { network, server: { name: "server", got: [] }, client: { name: "client", got: [] }, ports };
}

function connected(): ReturnType<typeof setUp> & { readonly far: number } {
  const all = setUp();
  all.network.listen(all.server, 1, 3000);
  all.network.connect(all.client, 7, 3000, 40_000);
  const far = all.server.got.find(({ type }) => type === "connection")?.["socket"] as number;
  all.server.got.length = all.client.got.length = 0;
  return { ...all, far };
}

describe("the network of the container", () => {
  test("joins a client to whoever listens, and carries bytes, ends and acknowledgements both ways", () => {
    const { network, server, client, far } = connected();
    expect(far).toBeLessThan(0);
    const data = new Uint8Array([1]);
    expect(network.carry(client, { type: "socket-data", socket: 7, data })).toBe(true);
    network.carry(server, { type: "socket-ack", socket: far, bytes: 1 });
    network.carry(server, { type: "socket-end", socket: far });
    network.carry(client, { type: "socket-close", socket: 7, reset: true });
    expect(server.got).toEqual([{ type: "socket-data", socket: far, data }, { type: "socket-close", socket: far, reset: true }]);
    expect(client.got).toEqual([{ type: "socket-ack", socket: 7, bytes: 1 }, { type: "socket-end", socket: 7 }]);
    network.carry(server, { type: "socket-data", socket: far, data });
    expect(client.got).toHaveLength(2);
  });

  test("refuses a port in use, a port where nobody listens and a path where nobody does", () => {
    const { network, server, client } = setUp();
    network.listen(server, 1, 3000);
    network.listen(client, 1, 3000);
    network.connect(client, 2, 3001, 1);
    network.connect(client, 3, "/tmp/s", 1);
    expect(client.got).toEqual([
      { type: "listen-error", server: 1, code: "EADDRINUSE" }, { type: "connect-error", socket: 2, code: "ECONNREFUSED" }, { type: "connect-error", socket: 3, code: "ENOENT" },
    ]);
  });

  test("closes what a process leaves open, and tells of its ports", () => {
    const { network, server, client, ports, far } = connected();
    network.left(server);
    expect(client.got).toEqual([{ type: "socket-close", socket: 7, reset: false }]);
    expect(ports).toEqual(["3000 open", "3000 close"]);
    network.carry(server, { type: "socket-data", socket: far, data: new Uint8Array(1) });
    network.connect(client, 8, 3000, 1);
    expect(client.got.slice(1)).toEqual([{ type: "connect-error", socket: 8, code: "ECONNREFUSED" }]);
  });

  test("finds out who sends without waiting, acknowledges what never came, or sends after its end", () => {
    const flood = connected();
    const data = new Uint8Array(64 * 1024);
    let sent = 0;
    while (flood.network.carry(flood.client, { type: "socket-data", socket: 7, data })) sent += data.length;
    expect(sent).toBe(2 * SOCKET_WINDOW_BYTES);
    const liar = connected();
    expect(liar.network.carry(liar.server, { type: "socket-ack", socket: liar.far, bytes: 1 })).toBe(false);
    const late = connected();
    late.network.carry(late.client, { type: "socket-end", socket: 7 });
    expect(late.network.carry(late.client, { type: "socket-data", socket: 7, data })).toBe(false);
  });

  test("does not let a process speak for another's connection, nor use a number twice", () => {
    const { network, server, client, far } = connected();
    const other: Owner = { name: "other", got: [] };
    expect(network.carry(other, { type: "socket-data", socket: far, data: new Uint8Array(1) })).toBe(true);
    network.carry(other, { type: "socket-close", socket: 7, reset: true });
    network.unlisten(other, 1);
    network.connect(client, 7, 3000, 1);
    expect([server.got, client.got, other.got]).toEqual([[], [], []]);
  });

  test("has a limit on servers and on connections, and says which was met", () => {
    const { network, server, client } = setUp();
    for (let i = 0; i <= LIMITS.listeners; i++) network.listen(server, i, 1000 + i);
    expect(server.got.at(-1)).toEqual({ type: "listen-error", server: LIMITS.listeners, code: "EMFILE" });
    for (let i = 1; i <= LIMITS.connections + 1; i++) network.connect(client, i, 1000, 1);
    expect(client.got.at(-1)).toEqual({ type: "connect-error", socket: LIMITS.connections + 1, code: "EMFILE" });
    network.left(client);
    client.got.length = 0;
    network.connect(client, 1, 1000, 1);
    expect(client.got).toEqual([{ type: "connected", socket: 1 }]);
  });
});
