// The parts of npm that meet foreign data: questions to a registry, tarballs, options, .npmrc, names and ranges.
import { planLate } from "../../../src/headless/kernel/npm.ts";
import { packTar } from "modern-tar";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ProcessTable } from "../../../src/headless/kernel/process-table.ts";
import { RegistryCalls } from "../../../src/headless/kernel/registry-calls.ts";
import type { WorkerPool } from "../../../src/headless/kernel/worker-pool.ts";
import { makeConfig, parseOptions } from "../../../src/headless/npm/config.ts";
import { checkIntegrity, integrityOf, unpackTarball } from "../../../src/headless/npm/tarball.ts";
import { parseArgument, parseSpec } from "../../../src/headless/npm/spec.ts";
import { checkQuestion, urlOf } from "../../../src/headless/registry/question.ts";
import type { FromKernel } from "../../../src/headless/bridge.ts";
import { Vfs } from "../../../src/headless/vfs.ts";

const REGISTRY = "https://registry.npmjs.org/";
const HASH = "sha512-AAAA";

describe("a question to a registry", () => {
  it("is a package's document or its tarball on the registry's own host, and comes out without anything else", () => {
    const document = { kind: "document", registry: REGISTRY, name: "@scope/name", mode: "online", headers: { authorization: "x" }, __proto__: { method: "POST" } };
    expect(checkQuestion(document)).toEqual({ kind: "document", registry: REGISTRY, name: "@scope/name", mode: "online" });
    expect(urlOf(checkQuestion(document)!)).toBe("https://registry.npmjs.org/@scope%2fname");
    expect(checkQuestion({ kind: "tarball", registry: REGISTRY, url: `${REGISTRY}a/-/a-1.0.0.tgz`, integrity: HASH, mode: "offline" })).toMatchObject({ url: `${REGISTRY}a/-/a-1.0.0.tgz` });
    expect(checkQuestion({ ...document, registry: "http://127.0.0.1:4873/" })).toBeDefined();
  });

  it.each([
    [{ kind: "document", registry: REGISTRY, name: "../../etc", mode: "online" }],
    [{ kind: "document", registry: REGISTRY, name: "a?token=1", mode: "online" }],
    [{ kind: "document", registry: REGISTRY, name: "a/b/c", mode: "online" }],
    [{ kind: "document", registry: "http://evil.example/", name: "a", mode: "online" }],
    [{ kind: "document", registry: "https://user:secret@evil.example/", name: "a", mode: "online" }],
    [{ kind: "document", registry: "https://evil.example/?q=", name: "a", mode: "online" }],
    [{ kind: "document", registry: "https://evil.example", name: "a", mode: "online" }],
    [{ kind: "document", registry: "javascript:alert(1)/", name: "a", mode: "online" }],
    [{ kind: "document", registry: REGISTRY, name: "a", mode: "POST" }],
    [{ kind: "document", registry: REGISTRY, name: "a".repeat(300), mode: "online" }],
    [{ kind: "tarball", registry: REGISTRY, url: "https://evil.example/a/-/a-1.0.0.tgz", integrity: HASH, mode: "online" }],
    [{ kind: "tarball", registry: REGISTRY, url: `${REGISTRY}a/-/a-1.0.0.tgz?secret=1`, integrity: HASH, mode: "online" }],
    [{ kind: "tarball", registry: REGISTRY, url: `${REGISTRY}-/whoami`, integrity: HASH, mode: "online" }],
    [{ kind: "tarball", registry: REGISTRY, url: `${REGISTRY}a/-/a-1.0.0.tgz`, integrity: "<script>", mode: "online" }],
    [{ kind: "tarball", registry: REGISTRY, url: 5, integrity: HASH, mode: "online" }],
    ["document"],
    [null],
  ])("is never %j", (value) => {
    expect(checkQuestion(value)).toBeUndefined();
  });

  it("is passed on for npm alone; another program that asks is stopped, and one that ends takes its questions with it", async () => {
    const workers: { onmessage?: (event: { data: unknown }) => void; sent: unknown[] }[] = [];
    const pool = { plans: () => Promise.resolve({ planLate }), take: () => Promise.resolve({ terminate: () => undefined, sent: workers.at(workers.push({ sent: [] }) - 1)!.sent, postMessage(this: { sent: unknown[] }, m: unknown) { this.sent.push(m); }, set onmessage(f: (event: { data: unknown }) => void) { workers.at(-1)!.onmessage = f; } }) } as unknown as WorkerPool;
    const asked: FromKernel[] = [];
    const vfs = new Vfs();
    vfs.mkdir("/home/project", { recursive: true });
    const registry = new RegistryCalls((message) => void asked.push(message));
    const table = new ProcessTable(vfs, pool, registry, { port: () => undefined, network: () => undefined });
    const spawn = async (command: string, args: readonly string[]) => {
      const words: string[] = [];
      const ended: unknown[] = [];
      const pid = table.spawn({ command, args, cwd: "/home/project", env: {}, stdin: false, ipc: false, terminal: null }, { output: (_fd, data) => void words.push(new TextDecoder().decode(data)), backlogBytes: () => 0, message: () => true, exit: (code, signal) => void ended.push(code ?? signal) });
      await new Promise((resolve) => setTimeout(resolve, 5));
      return { pid, words, ended, worker: workers.at(-1)! };
    };
    const question = { kind: "document", registry: REGISTRY, name: "left-pad", mode: "online" };
    const node = await spawn("node", ["x.js"]);
    node.worker.onmessage?.({ data: { type: "registry", request: 1, question } });
    expect(node).toMatchObject({ ended: ["SIGKILL"], words: [expect.stringContaining("it asked for a package itself: only npm may")] });
    expect(asked).toEqual([]);

    const npm = await spawn("npm", ["install"]);
    npm.worker.onmessage?.({ data: { type: "registry", request: 7, question } });
    expect(asked).toEqual([{ type: "registry", request: 1, question }]);
    registry.answered(1, { ok: false, code: "E404", message: "" });
    expect(npm.worker.sent.at(-1)).toEqual({ type: "registry-answer", request: 7, answer: { ok: false, code: "E404", message: "" } });
    npm.worker.onmessage?.({ data: { type: "registry", request: 8, question } });
    table.kill(npm.pid);
    expect(asked.at(-1)).toEqual({ type: "registry-cancel", request: 2 });
    expect(npm.ended).toEqual(["SIGTERM"]);

    const ill = await spawn("npm", ["install"]);
    ill.worker.onmessage?.({ data: { type: "registry", request: 1, question: { ...question, registry: "http://evil.example/" } } });
    expect(ill.ended).toEqual(["SIGKILL"]);
  });
});

describe("a tarball", () => {
  const tar = async (...files: readonly (readonly [name: string, body: string, mode?: number, type?: "file" | "symlink" | "directory"])[]): Promise<Uint8Array> =>
    new Uint8Array(gzipSync(await packTar(files.map(([name, body, mode = 0o644, type = "file"]) => ({ header: { name, mode, type, size: type === "file" ? Buffer.byteLength(body) : 0, ...(type === "symlink" ? { linkname: body } : {}) }, ...(type === "file" ? { body } : {}) })))));

  it("gives files without their first folder, whatever that is called, with long and foreign names and modes", async () => {
    const long = `package/${"folder/".repeat(30)}${"n".repeat(120)}.js`;
    const files = await unpackTarball(await tar(["any name/package.json", "{}"], ["package/bin/x", "#!", 0o755], [long, "deep"], ["package/ü/☃.js", "snow"], ["package/dir", "", 0o755, "directory"], ["package/link", "/etc/passwd", 0o777, "symlink"]), "x@1");
    expect(files.map(({ path, mode }) => `${path} ${mode.toString(8)}`)).toEqual(["package.json 644", "bin/x 755", `${long.slice(8)} 644`, "ü/☃.js 644"]);
    expect(new TextDecoder().decode(files[3]!.data)).toBe("snow");
  });

  it.each(["package/../../evil", "/etc/passwd", "package/..\\..\\evil", "package/__proto__/x"])("with a file at %s is refused", async (name) => {
    await expect(unpackTarball(await tar(["package/package.json", "{}"], [name, "x"]), "bad@1.0.0")).rejects.toMatchObject({ code: "TAR_ENTRY_ERROR", message: expect.stringContaining("bad@1.0.0") as string });
  });

  it("that is cut off, empty or no tarball is refused by name", async () => {
    const whole = await tar(["package/package.json", "{}"], ["package/a.js", "a".repeat(5000)]);
    await expect(unpackTarball(whole.subarray(0, whole.length / 2), "cut@1.0.0")).rejects.toMatchObject({ code: "Z_DATA_ERROR", message: expect.stringContaining("cut@1.0.0") as string });
    for (const bytes of [await tar(), new TextEncoder().encode("<!doctype html>"), new Uint8Array()]) await expect(unpackTarball(bytes, "odd@1.0.0")).rejects.toMatchObject({ code: "TAR_BAD_ARCHIVE" });
  });

  it("has one of the hashes of the strongest kind that is asked for, or is refused", async () => {
    const bytes = new TextEncoder().encode("hello");
    const good = await integrityOf(bytes);
    expect(good).toBe("sha512-m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==");
    await checkIntegrity(bytes, `sha512-wrong== ${good}`, "x");
    await checkIntegrity(bytes, "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=", "x");
    for (const bad of [`${HASH} sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=`, "md5-x", "nothing"]) await expect(checkIntegrity(bytes, bad, "x@1")).rejects.toMatchObject({ code: "EINTEGRITY" });
  });
});

describe("what npm is told", () => {
  it("is read as npm reads it: short options, values, negations, what is after --", () => {
    const { words, options, rest } = parseOptions(["install", "a", "-DE", "--no-save", "--omit=dev", "--omit", "optional", "--registry", "https://r.example", "-w", "pkg", "--", "--x"]);
    expect({ words, rest }).toEqual({ words: ["install", "a"], rest: ["--x"] });
    expect(Object.fromEntries(options)).toEqual({ "save-dev": ["true"], "save-exact": ["true"], save: ["false"], omit: ["dev", "optional"], registry: ["https://r.example"], workspace: ["pkg"] });
  });

  it("comes from the command line, the environment, the project's .npmrc, the home's, in this order, and holds no credentials", () => {
    const project = "; comment\nregistry = https://project.example/npm\n@mine:registry=https://mine.example\n//mine.example/:_authToken=${TOKEN}\nsave-prefix='~'\n";
    const config = makeConfig(new Map([["tag", ["next"]]]), { npm_config_save_prefix: "", npm_config_offline: "true", TOKEN: "secret" }, [project, "registry=https://home.example\nfund=false\n"]);
    expect([config.get("tag"), config.flag("offline"), config.get("save-prefix"), config.flag("fund", true)]).toEqual(["next", true, "~", false]);
    expect([config.registryOf("a"), config.registryOf("@mine/a"), config.registryOf("@other/a")]).toEqual(["https://project.example/npm/", "https://mine.example/", "https://project.example/npm/"]);
    expect(config.get("//mine.example/:_authToken")).toBeUndefined();
    for (const registry of ["nonsense", "ftp://x/", "https://me:secret@x/"]) expect(() => makeConfig(new Map([["registry", [registry]]]), {}, []).registryOf("a")).toThrow(expect.objectContaining({ code: "EINVALIDREGISTRY" }) as Error);
  });

  it.each([
    ["a", "", "range"], ["a", "^1.2.0", "range"], ["a", "1.2.3", "version"], ["a", "v1.2.3", "version"], ["a", "latest", "tag"], ["a", "npm:b@^2", "alias"], ["a", "file:../b", "directory"], ["a", "./b.tgz", "file"],
    ["a", "https://x.example/a.tgz", "remote"], ["a", "github:u/r", "git"], ["a", "u/r", "git"], ["a", "git+ssh://git@x/r.git", "git"], ["a", ">=1 <2 || 3", "range"],
  ])("%s@%s is a %s", (name, wanted, type) => {
    expect(parseSpec(name, wanted).type).toBe(type);
  });

  it("names of packages and tags are npm's, and nothing else", () => {
    expect(parseArgument("@scope/a@1")).toMatchObject({ name: "@scope/a", wanted: "1" });
    expect(parseArgument("u/r")).toMatchObject({ type: "git" });
    for (const bad of ["../x y", "a b", "node_modules", "@/x"]) expect(() => parseSpecOf(bad)).toThrow();
  });
  const parseSpecOf = (word: string) => {
    const spec = parseArgument(word);
    if (spec.type === "directory") throw new Error("a folder");
    return spec;
  };
});
