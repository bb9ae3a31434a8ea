// What a process may say to the kernel, and the kernel to /headless, when either has been taken over: everything. Seeded:
// a failure names the message.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LIMITS } from "../../../src/base/limits.ts";
import { checkFromProcess } from "../../../src/headless/kernel/check-message.ts";
import type { ProcessSink } from "../../../src/headless/kernel/process.ts";
import { ProcessTable } from "../../../src/headless/kernel/process-table.ts";
import { RegistryCalls } from "../../../src/headless/kernel/registry-calls.ts";
import type { WorkerPool } from "../../../src/headless/kernel/worker-pool.ts";
import { checkFromKernel, checkResult } from "../../../src/headless/page/check-kernel.ts";
import type { FromProcess, ToProcess } from "../../../src/headless/protocol.ts";
import { Vfs } from "../../../src/headless/vfs.ts";
import { checkFromDocument, type FromDocument } from "../../../src/headless/preview/document-link.ts";
import type { FromKernel, KernelMethod } from "../../../src/headless/bridge.ts";
import { across, hostileMessage, hostileValue, inheritedNames } from "../../support/hostile.ts";

const SEED = { seed: 20261126, numRuns: 1000 };
const data = (): Uint8Array => new Uint8Array([1, 2, 3]);

const request = { command: "node", args: ["a.js"], cwd: "/home", env: { A: "1" }, stdin: true, ipc: true, terminal: { cols: 80, rows: 24 } };

const QUESTION = { kind: "document", registry: "https://registry.npmjs.org/", name: "left-pad", mode: "online" } as const;

/** One of each. */
const FROM_PROCESS: readonly FromProcess[] = [
  { type: "ready" },
  { type: "file", op: { op: "write", path: "/home/a", data: data(), mode: 0o644 } },
  { type: "file", op: { op: "append", path: "/home/a", data: data() } },
  { type: "file", op: { op: "mkdir", path: "/home/d", mode: 0o755 } },
  { type: "file", op: { op: "remove", path: "/home/a" } },
  { type: "file", op: { op: "rename", from: "/home/a", to: "/home/b" } },
  { type: "file", op: { op: "symlink", path: "/home/l", target: "a" } },
  { type: "file", op: { op: "chmod", path: "/home/a", mode: 0o600 } },
  { type: "file", op: { op: "utimes", path: "/home/a", mtimeMs: 5 } },
  { type: "output", fd: 1, data: data() },
  { type: "output", fd: 3, data: data() },
  { type: "pipe-end", fd: 3, broken: true },
  { type: "input-taken", fd: 0, bytes: 3 },
  { type: "exit", code: 0 },
  { type: "exit", code: 0, stays: 3 },
  { type: "handles-signal", signal: "SIGTERM", on: true },
  { type: "message", message: { any: ["thing"] } },
  { type: "spawn", child: 1, request },
  { type: "spawn", child: 2, request: { ...request, thread: { id: 1, data: null } } },
  { type: "spawn", child: 3, request: { ...request, leads: [1, "/home/log"], descriptors: [{ fd: 3 }, { fd: 4, file: { path: "/home/a", readable: true, writable: true, append: false, position: 0 } }] } },
  { type: "child-stdin", child: 1, data: data() },
  { type: "child-stdin", child: 1, data: data(), fd: 3 },
  { type: "child-broken", child: 1, fd: 3 },
  { type: "child-message", child: 1, message: "hello" },
  { type: "child-kill", child: 1, signal: "SIGKILL" },
  { type: "kill", pid: 1, signal: "SIGKILL" },
  { type: "registry", request: 1, question: QUESTION },
  { type: "files-seen", seq: 3 },
  { type: "spawn-sync", spawn: { request, input: data(), stdout: "keep", stderr: "inherit", timeoutMs: 50, killSignal: "SIGTERM", maxBytes: 100 }, seen: 0, memory: new SharedArrayBuffer(8, { maxByteLength: 65_536 }) },
  { type: "listen", server: 1, address: 3000 },
  { type: "listen", server: 2, address: "/tmp/socket" },
  { type: "unlisten", server: 1 },
  { type: "connect", socket: 1, address: 3000, port: 40_000 },
  { type: "socket-data", socket: 1, data: data() },
  { type: "socket-ack", socket: 1, bytes: 5 },
  { type: "socket-end", socket: 1 },
  { type: "socket-close", socket: 1, reset: true },
];

const FROM_KERNEL: readonly FromKernel[] = [
  { type: "result", id: 1, value: null },
  { type: "failure", id: 1, name: "Error", message: "ENOENT" },
  { type: "pong" },
  { type: "registry", request: 1, question: QUESTION },
  { type: "registry-cancel", request: 1 },
  { type: "output", process: 1, fd: 1, data: data() },
  { type: "exit", process: 1, code: 0 },
  { type: "port", port: 3000, open: true },
  { type: "network", message: { type: "connected", socket: 1 } },
  { type: "network", message: { type: "socket-data", socket: 1, data: data() } },
  { type: "network", message: { type: "socket-close", socket: 1, reset: true } },
  { type: "watch", watch: 1, events: [["change", "a"]] },
];

/** Bytes alone in a fixed buffer, and nothing with a prototype of its own. */
function isPlain(value: unknown): boolean {
  if (value instanceof SharedArrayBuffer) return true; // where the kernel writes an answer; it never reads there
  if (value instanceof Uint8Array) return value.buffer instanceof ArrayBuffer && value.buffer.byteLength === value.byteLength;
  if (typeof value !== "object" || value === null) return true;
  return (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) && Reflect.ownKeys(value).every((key) => key !== "__proto__" && isPlain(Reflect.get(value, key)));
}

describe("the check of a process's message", () => {
  it("lets through only what a process may say, whole and plain, and throws for nothing", () => {
    const before = inheritedNames();
    let passed = 0;
    fc.assert(
      fc.property(hostileMessage(FROM_PROCESS), (message) => {
        const arrived = across(message);
        if (!arrived.sent) return;
        const checked = checkFromProcess(arrived.value);
        if (!checked) return;
        passed++;
        const { message: _passedOn, ...rest } = checked as unknown as Record<string, unknown>;
        expect(isPlain(rest)).toBe(true);
        expect(checkFromProcess(checked)).toEqual(checked);
      }),
      SEED,
    );
    expect(passed).toBeGreaterThan(80);
    expect(inheritedNames()).toBe(before);
  });

  it("copies bytes that share, or keep alive, more memory than they are", () => {
    const small = checkFromProcess({ type: "file", op: { op: "write", path: "/a", data: new Uint8Array(new ArrayBuffer(1e6), 5, 1) } });
    expect(small).toMatchObject({ op: { data: new Uint8Array(1) } });
    expect((small as unknown as { op: { data: Uint8Array } }).op.data.buffer.byteLength).toBe(1);
  });
});

/** Stands where a Worker would: the test is the program in it. */
class Puppet {
  onmessage: ((event: { data: unknown }) => void) | undefined;
  readonly received: ToProcess[] = [];
  ended = false;

  postMessage(message: ToProcess): void {
    this.received.push(structuredClone(message));
  }

  terminate(): void {
    this.ended = true;
  }

  say(message: unknown): void {
    const arrived = across(message);
    if (arrived.sent && !this.ended) this.onmessage?.({ data: arrived.value });
  }
}

interface Seen {
  readonly sink: ProcessSink;
  readonly words: string[];
  readonly ends: unknown[];
}

function listener(): Seen {
  const words: string[] = [];
  const ends: unknown[] = [];
  return {
    words,
    ends,
    sink: { output: (_fd, bytes) => void words.push(new TextDecoder().decode(bytes)), backlogBytes: () => 0, message: () => true, exit: (code, signal) => void ends.push(code ?? signal) },
  };
}

/** A kernel with two processes of the page; the second has a child. */
async function kernel(): Promise<{ table: ProcessTable; vfs: Vfs; puppets: Puppet[]; hostile: Seen; bystander: Seen }> {
  const vfs = new Vfs();
  vfs.mkdir("/home");
  vfs.writeFile("/home/a.js", data());
  const puppets: Puppet[] = [];
  const pool = {
    take: async () => {
      const puppet = new Puppet();
      puppets.push(puppet);
      return puppet as unknown as Worker;
    },
    url: async () => "blob:none",
  } as unknown as WorkerPool;
  const table = new ProcessTable(vfs, pool, new RegistryCalls(() => undefined), { port: () => undefined, network: () => undefined });
  const [hostile, bystander] = [listener(), listener()];
  table.spawn(request, hostile.sink);
  table.spawn({ ...request, ipc: false }, bystander.sink);
  await settle();
  puppets[1]?.say({ type: "spawn", child: 1, request });
  await settle();
  return { table, vfs, puppets, hostile, bystander };
}

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

describe("a hostile process", () => {
  it("does nothing to another, whatever it says: only changed files reach the others", async () => {
    const before = inheritedNames();
    await fc.assert(
      fc.asyncProperty(fc.array(hostileMessage(FROM_PROCESS), { minLength: 1, maxLength: 25 }), async (messages) => {
        const { puppets, bystander, vfs } = await kernel();
        const [attacker, other, child] = puppets;
        for (const message of messages) attacker?.say(message);
        await settle();
        for (const puppet of [other, child]) {
          expect(puppet?.ended).toBe(false);
          expect(puppet?.received.filter(({ type }) => type !== "file").map(({ type }) => type)).toEqual(puppet === other ? ["start", "child-started"] : ["start"]);
        }
        expect([bystander.words, bystander.ends]).toEqual([[], []]);
        expect(vfs.usedBytes).toBeLessThan(LIMITS.fileSystemBytes);
      }),
      { seed: SEED.seed, numRuns: 100 },
    );
    expect(inheritedNames()).toBe(before);
  });

  it("cannot signal what is no kin of it, nor feed or end another's child by its number", async () => {
    const { puppets, bystander } = await kernel();
    const [attacker, other, child] = puppets;
    for (let pid = -9; pid < 10; pid++) if (pid !== 0 && Math.abs(pid) !== 1) attacker?.say({ type: "kill", pid, signal: "SIGKILL" });
    for (const type of ["child-kill", "child-stdin", "child-message"]) attacker?.say({ type, child: 1, signal: "SIGKILL", data: data(), message: 1 });
    attacker?.say({ type: "kill", pid: 3, signal: "SIGKILL" });
    expect([attacker?.ended, other?.ended, child?.ended, bystander.ends]).toEqual([false, false, false, []]);
    expect(child?.received.map(({ type }) => type)).toEqual(["start"]);
  });

  it("is stopped with the reason when its message is none, and what it sends after its end is not heard", async () => {
    const { puppets, hostile, table, vfs } = await kernel();
    puppets[0]?.say({ type: "output", fd: 1, data: "text" });
    expect(hostile.words.join("")).toContain("it sent a message that no process sends");
    expect(hostile.ends).toEqual(["SIGKILL"]);
    puppets[0]?.onmessage?.({ data: { type: "file", op: { op: "remove", path: "/home/a.js" } } });
    expect(vfs.exists("/home/a.js")).toBe(true);
    table.kill(1);
    expect(hostile.ends).toEqual(["SIGKILL"]);
  });

  it("is stopped when it sends its parent what cannot be passed on, such as a port", async () => {
    const { puppets } = await kernel();
    const [, parent, child] = puppets;
    const { port1 } = new MessageChannel();
    child?.onmessage?.({ data: { type: "message", message: { port: port1 } } });
    port1.close();
    expect(child?.ended).toBe(true);
    expect(parent?.ended).toBe(false);
    expect(parent?.received.at(-1)).toMatchObject({ type: "child-exit", signal: "SIGKILL" });
  });

  it("gets E2BIG, as from Linux, for more arguments and variables than one process may be given", async () => {
    const { puppets } = await kernel();
    puppets[0]?.say({ type: "spawn", child: 7, request: { ...request, args: Array.from({ length: 3 }, () => "x".repeat(1e6)) } });
    await settle();
    expect(puppets[0]?.received.at(-1)).toMatchObject({ type: "child-error", child: 7, code: "E2BIG" });
    expect(puppets).toHaveLength(3);
  });
});

describe("the check of the kernel's message", () => {
  it("lets through only numbers, strings and bytes of their own, and throws for nothing", () => {
    const before = inheritedNames();
    let passed = 0;
    fc.assert(
      fc.property(hostileMessage(FROM_KERNEL), (message) => {
        const arrived = across(message);
        const checked = arrived.sent ? checkFromKernel(arrived.value) : undefined;
        if (!checked) return;
        passed++;
        const { value: _value, ...rest } = checked as unknown as Record<string, unknown>;
        expect(isPlain(rest)).toBe(true);
      }),
      SEED,
    );
    expect(passed).toBeGreaterThan(80);
    expect(inheritedNames()).toBe(before);
  });

  it("turns any result into what its method promises, or into an error that names the method", () => {
    const methods: readonly KernelMethod[] = ["init", "readFile", "writeFile", "readdir", "mkdir", "rm", "rename", "watch", "unwatch", "spawn", "stdin", "kill", "resize", "serialize", "loadFiles"];
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.oneof(hostileValue, fc.array(fc.tuple(hostileValue, hostileValue), { maxLength: 3 })), (method, value) => {
        const arrived = across(value);
        if (!arrived.sent) return;
        try {
          expect(isPlain(checkResult(method, arrived.value))).toBe(true);
        } catch (error) {
          expect((error as Error).message).toContain(`The container answered ${method}`);
        }
      }),
      SEED,
    );
    expect(() => checkResult("readdir", [["../../up", "file"]])).toThrow("readdir");
    expect(checkResult("readdir", [["__proto__", "dir"]])).toEqual([["__proto__", "dir"]]);
  });
});

describe("what a served page says to the page around it", () => {
  const FROM_DOCUMENT: readonly FromDocument[] = [
    { type: "ready" }, { type: "loaded" }, { type: "reload" }, { type: "go", by: -1 }, { type: "cancel", id: 1 }, { type: "cookie", text: "a=1" },
    { type: "request", id: 1, url: "http://localhost:3000/", method: "POST", headers: [["a", "b"]], body: data() },
    { type: "navigate", to: { url: "http://localhost:3000/", method: "GET", headers: [], body: null, replace: false } },
    { type: "at", url: "http://localhost:3000/", push: true, key: 1 },
  ];

  it("passes as it is when it keeps to the protocol", () => {
    for (const message of FROM_DOCUMENT) expect(checkFromDocument(message)).toEqual(message);
  });

  it("is numbers, strings and bytes of their own, and no line of a request more than it has", () => {
    const before = inheritedNames();
    let passed = 0;
    fc.assert(
      fc.property(hostileMessage(FROM_DOCUMENT), (message) => {
        const arrived = across(message);
        const checked = arrived.sent ? checkFromDocument(arrived.value) : undefined;
        if (!checked) return;
        passed++;
        expect(isPlain(checked)).toBe(true);
      }),
      SEED,
    );
    expect(passed).toBeGreaterThan(80);
    expect(inheritedNames()).toBe(before);
    const odd = (change: object): unknown => checkFromDocument({ type: "request", id: 1, url: "http://localhost:3000/", method: "GET", headers: [], body: null, ...change });
    for (const change of [{ method: "GET / HTTP/1.1\r\nX: 1" }, { headers: [["a\r\nb", "c"]] }, { headers: [["a b", "c"]] }, { url: 1 }, { id: "1" }, { body: "x" }]) expect(odd(change), JSON.stringify(change)).toBeUndefined();
    expect(odd({ headers: [["a", "b\r\nc: d"]] })).toMatchObject({ headers: [["a", "b  c: d"]] });
  });
});
