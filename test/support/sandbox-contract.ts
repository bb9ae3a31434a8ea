// What every Sandbox promises, as one suite: it runs over the container in a real browser and over the stand-ins of
// other tests, so that what passes on a stand-in passes in the page.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { AppError } from "../../src/base/errors.ts";
import type { Sandbox } from "../../src/container/sandbox.ts";
import type { FileTree } from "../../src/project/tree.ts";

export interface OpenSandbox {
  readonly sandbox: Sandbox;
  close(): Promise<void>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => (data ? new TextDecoder().decode(data) : undefined);

const START: FileTree = new Map([
  ["package.json", bytes('{"name":"demo","scripts":{"test":"node --test"}}')],
  ["src/sum.js", bytes("exports.sum = (a, b) => a - b;\n")],
  ["test/sum.test.js", bytes('const test = require("node:test");\nconst assert = require("node:assert");\nconst { sum } = require("../src/sum.js");\ntest("adds", () => assert.equal(sum(1, 2), 3));\n')],
  ["blob.bin", new Uint8Array([0, 255, 128, 10])],
]);

async function codeOf(action: Promise<unknown>): Promise<string> {
  return action.then(() => "nothing was thrown", (error: unknown) => (error as AppError).code);
}

export function describeSandbox(name: string, open: () => Promise<OpenSandbox>): void {
  describe(`a sandbox (${name})`, () => {
    let opened: OpenSandbox;
    let sandbox: Sandbox;
    beforeAll(async () => {
      opened = await open();
      sandbox = opened.sandbox;
    });
    afterAll(() => opened?.close());
    beforeEach(() => sandbox.restore(START));

    it("gives files back byte for byte and lists them sorted", async () => {
      expect(await sandbox.list()).toEqual(["blob.bin", "package.json", "src/sum.js", "test/sum.test.js"]);
      expect([...(await sandbox.readFile("blob.bin"))]).toEqual([0, 255, 128, 10]);
      expect(text(await sandbox.readFile("./src/sum.js"))).toContain("a - b");
    });

    it("creates folders for a file, replaces it, and removes it", async () => {
      await sandbox.writeFile("a/b/c.txt", bytes("1"));
      await sandbox.writeFile("a/b/c.txt", bytes("2"));
      expect(text(await sandbox.readFile("a/b/c.txt"))).toBe("2");
      await sandbox.remove("a/b/c.txt");
      expect(await sandbox.list()).not.toContain("a/b/c.txt");
    });

    it("names a missing file and refuses a path outside the project", async () => {
      expect(await codeOf(sandbox.readFile("nowhere.txt"))).toBe("project/not-found");
      expect(await codeOf(sandbox.readFile("../secret"))).toBe("project/path");
      expect(await codeOf(sandbox.writeFile("/etc/passwd", bytes("x")))).toBe("project/path");
    });

    it("runs commands in the project's root and tells their exit code", async () => {
      const result = await sandbox.run("node -e \"console.log(require('node:fs').readdirSync('src').join()); process.exit(7)\"");
      expect(result).toMatchObject({ exitCode: 7, end: "exit", output: "sum.js\n" });
      expect(result.durationMs).toBeGreaterThan(0);
    });

    it("sees a failing test fail, and pass once the code is right", async () => {
      expect((await sandbox.run("npm test")).exitCode).toBe(1);
      await sandbox.writeFile("src/sum.js", bytes("exports.sum = (a, b) => a + b;\n"));
      const green = await sandbox.run("npm test");
      expect(green.exitCode).toBe(0);
      expect(green.output).toMatch(/pass 1$/m);
    });

    it("understands pipes, redirections, && and ||, and says 127 for a command that is not there", async () => {
      const piped = await sandbox.run("cat src/sum.js | wc -l > lines.txt && cat lines.txt || echo broken");
      expect([piped.exitCode, piped.output.trim()]).toEqual([0, "1"]);
      expect(text(await sandbox.readFile("lines.txt"))?.trim()).toBe("1");
      expect((await sandbox.run("no-such-command")).exitCode).toBe(127);
    });

    it("streams output before the command has ended", async () => {
      let first = 0;
      const result = await sandbox.run("node -e \"console.log('one'); setTimeout(() => console.log('two'), 400)\"", {
        onOutput: () => (first ||= performance.now()),
      });
      expect(performance.now() - first).toBeGreaterThan(200);
      expect(result.output).toBe("one\ntwo\n");
    });

    it("kills a command that takes too long", async () => {
      const result = await sandbox.run('node -e "for (;;);"', { timeoutMs: 600 });
      expect(result).toMatchObject({ end: "timeout", exitCode: 143 });
      expect(result.durationMs).toBeLessThan(2500);
    });

    it("stops within a second of being told, even an infinite loop, and runs the next command (fault 14)", async () => {
      const stop = new AbortController();
      const running = sandbox.run("node -e \"console.log('spinning'); for (;;);\"", { onOutput: () => stop.abort() }, stop.signal);
      let aborted = 0;
      stop.signal.addEventListener("abort", () => (aborted = performance.now()));
      expect(await running).toMatchObject({ end: "aborted", exitCode: 143 });
      expect(performance.now() - aborted).toBeLessThan(1000);
      expect((await sandbox.run("node -e \"console.log('alive')\"")).output).toBe("alive\n");
    });

    it("ends a command that prints without end, and keeps the beginning", async () => {
      const result = await sandbox.run("node -e \"(function flood() { for (let i = 0; i < 200; i++) console.log('x'.repeat(1000)); setImmediate(flood); })()\"", { timeoutMs: 60_000 });
      expect(result.end).toBe("output-limit");
      expect(result.output.length).toBeGreaterThan(1_000_000);
    });

    it("restores a snapshot: what commands made is gone, what they removed is back, node_modules stays", async () => {
      await sandbox.run("mkdir -p node_modules/a made && echo 1 > node_modules/a/i.js && echo 2 > made/by-shell.txt && rm src/sum.js");
      const during = await sandbox.snapshot();
      expect([...during.keys()].sort()).toEqual(["blob.bin", "made/by-shell.txt", "package.json", "test/sum.test.js"]);
      await sandbox.restore(START);
      const after = await sandbox.snapshot();
      expect([...after].map(([path, data]) => [path, [...data]]).sort()).toEqual([...START].map(([path, data]) => [path, [...data]]).sort());
      expect((await sandbox.run("cat node_modules/a/i.js")).output).toBe("1\n");
    });
  });
}
