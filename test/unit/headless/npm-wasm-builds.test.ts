// What an install takes in place of native code: the lockfile is the one that npm writes, the files are those that run here.
import { Script } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Files, NpmProject, RealNpm } from "../../support/npm-project.ts";
import { RegistryServer } from "../../support/registry-server.ts";

let registry: RegistryServer;
beforeAll(async () => {
  registry = await RegistryServer.start([]);
  const native = (prefix: string, version: string): void =>
    registry.add(
      { name: `${prefix}linux-x64-gnu`, version, os: ["linux"], cpu: ["x64"], libc: ["glibc"], files: { "x.node": "native" } },
      { name: `${prefix}darwin-arm64`, version, os: ["darwin"], cpu: ["arm64"], files: { "x.node": "native" } },
    );
  const options = (prefix: string, version: string, ...more: readonly string[]): Record<string, string> => Object.fromEntries(["linux-x64-gnu", "darwin-arm64", ...more].map((name) => [`${prefix}${name}`, version]));
  const napi = (packageName: string): object => ({ napi: { binaryName: "x", packageName, targets: ["x86_64-unknown-linux-gnu", "wasm32-wasip1-threads"] } });
  const wasm = (name: string, version: string, more: object = {}): void => registry.add({ name, version, files: { "x.wasm": version, "x.wasi.cjs": `module.exports = require("runtime") + " ${version}"` }, dependencies: { runtime: "^1" }, ...more });

  registry.add({ name: "runtime", version: "1.0.0", files: { "index.js": "module.exports = 'runs'" } }, { name: "runtime", version: "2.0.0" }, { name: "plain", version: "1.0.0", dependencies: { runtime: "^2" } });
  registry.add({ name: "listed", version: "1.0.0", optionalDependencies: options("@listed/binding-", "1.0.0", "wasm32-wasi"), ...napi("@listed/binding") });
  native("@listed/binding-", "1.0.0");
  wasm("@listed/binding-wasm32-wasi", "1.0.0", { cpu: ["wasm32"] });

  // Restricted to nothing, its needs in its own tarball.
  registry.add({ name: "bundling", version: "1.0.0", optionalDependencies: options("@bundling/oxide-", "1.0.0", "wasm32-wasi") });
  native("@bundling/oxide-", "1.0.0");
  registry.add({ name: "@bundling/oxide-wasm32-wasi", version: "1.0.0", dependencies: { runtime: "^1" }, bundleDependencies: ["runtime"], files: { "node_modules/runtime/package.json": '{"name":"runtime","version":"1.0.0"}', "node_modules/runtime/index.js": "" } });

  for (const version of ["1.2.0", "1.3.0", "2.0.0"]) {
    registry.add({ name: "unlisted", version, optionalDependencies: options("@unlisted/binding-", version), ...napi("@unlisted/binding") });
    native("@unlisted/binding-", version);
  }
  for (const version of ["1.1.0", "1.2.0", "1.4.0"]) wasm("@unlisted/binding-wasm32-wasi", version);

  registry.add({ name: "esbuild", version: "0.25.0", bin: { esbuild: "bin/esbuild" }, optionalDependencies: { "@esbuild/linux-x64": "0.25.0" }, scripts: { postinstall: "node install.js" }, files: { "bin/esbuild": "native" } });
  registry.add({ name: "@esbuild/linux-x64", version: "0.25.0", os: ["linux"], cpu: ["x64"], files: { "bin/esbuild": "native" } });
  registry.add({ name: "esbuild-wasm", version: "0.25.0", bin: { esbuild: "bin/esbuild" }, files: { "bin/esbuild": "#!/usr/bin/env node\n", "esbuild.wasm": "wasm" } });
  registry.add({ name: "lightningcss", version: "1.0.0", dependencies: { runtime: "^2" }, optionalDependencies: options("lightningcss-", "1.0.0") }, { name: "lightningcss", version: "1.1.0" }, { name: "lightningcss", version: "2.0.0" });
  registry.add({ name: "@swc/core-linux-x64-gnu", version: "1.0.0", os: ["linux"], cpu: ["x64"], libc: ["glibc"], main: "swc.node", files: { "swc.node": "native" } }, { name: "@swc/wasm", version: "1.0.0", main: "wasm.js", files: { "wasm.js": "" } });
  native("lightningcss-", "1.0.0");
  registry.add({ name: "lightningcss-wasm", version: "1.0.0", dependencies: { "napi-wasm": "^1" }, bundledDependencies: ["napi-wasm"], files: { "css.wasm": "wasm", "node_modules/napi-wasm/package.json": '{"name":"napi-wasm","version":"1.0.0"}', "node_modules/napi-wasm/index.js": "" } });
});
afterAll(() => registry.close());

const project = (dependencies: Readonly<Record<string, string>>, more: object = {}, files: Files = {}): Files => ({ "package.json": { name: "demo", version: "1.0.0", dependencies, ...more }, ...files });
const paths = (npm: NpmProject): string[] => Object.keys(npm.tree()).filter((path) => path.startsWith("node_modules/") && !path.endsWith("package.json") && !path.includes(".package-lock") && !path.includes(".bin"));

describe("an install", { timeout: 60_000 }, () => {
  it("takes a listed build for wasm32 in place of native code, and writes the lockfile that npm writes", async () => {
    const files = project({ listed: "1", bundling: "1", plain: "1" });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    try {
      expect(await ours.npm("install")).toMatchObject({ code: 0, err: "" });
      expect(await real.npm("install")).toMatchObject({ code: 0 });
      expect(ours.read("package-lock.json")).toBe(await real.read("package-lock.json"));
      const lock = ours.read("package-lock.json");
      expect(paths(ours)).toEqual(["node_modules/@bundling/oxide-wasm32-wasi/node_modules/runtime/index.js", "node_modules/@listed/binding-wasm32-wasi/x.wasi.cjs", "node_modules/@listed/binding-wasm32-wasi/x.wasm", "node_modules/runtime/index.js"]);
      expect((await ours.npm("install")).out).toMatch(/up to date/);
      expect(await ours.npm("ci")).toMatchObject({ code: 0 });
      expect(ours.read("package-lock.json")).toBe(lock);
      expect((await ours.npm("ls")).code).toBe(0);
    } finally {
      await real.close();
    }
  });

  it("installs one that the lockfile has lost, and leaves the lockfile as it is for npm ci", async () => {
    const ours = new NpmProject(registry.origin, project({ listed: "1" }));
    await ours.npm("install", "--package-lock-only");
    const lock = ours.json("package-lock.json") as { packages: Record<string, unknown> };
    delete lock.packages["node_modules/@listed/binding-wasm32-wasi"];
    delete lock.packages["node_modules/runtime"];
    const text = JSON.stringify(lock);
    const pruned = new NpmProject(registry.origin, project({ listed: "1" }, {}, { "package-lock.json": text }));
    expect(await pruned.npm("ci")).toMatchObject({ code: 0, err: "" });
    expect(pruned.exists("node_modules/@listed/binding-wasm32-wasi/x.wasm")).toBe(true);
    expect(pruned.read("package-lock.json")).toBe(text);
  });

  it.each([["x64"], ["wasm32"]])("with a cpu of %s does what npm does", async (cpu) => {
    const files = project({ listed: "1", unlisted: "1", esbuild: "*", plain: "1" });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    try {
      for (const npm of [ours, real]) expect(await npm.npm("install", `--cpu=${cpu}`)).toMatchObject({ code: 0 });
      expect(ours.read("package-lock.json")).toBe(await real.read("package-lock.json"));
      expect(ours.tree()).toEqual(await real.tree());
    } finally {
      await real.close();
    }
  });

  it("puts a build that is loaded but not listed inside its package, with its needs, and no lockfile tells of it", async () => {
    const files = project({ unlisted: "1.2.0", runtime: "2" });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    const inside = "node_modules/unlisted/node_modules/@unlisted/binding-wasm32-wasi";
    try {
      expect(await ours.npm("install")).toMatchObject({ code: 0, err: "", out: expect.stringContaining("added 5 packages") as string });
      await real.npm("install");
      expect(ours.read("package-lock.json")).toBe(await real.read("package-lock.json"));
      expect(ours.json(`${inside}/package.json`)).toMatchObject({ version: "1.2.0" });
      expect(ours.json(`${inside}/node_modules/runtime/package.json`)).toMatchObject({ version: "1.0.0" });
      expect(ours.json("node_modules/runtime/package.json")).toMatchObject({ version: "2.0.0" });
      expect((await ours.npm("ls", "--all")).code).toBe(0);
      expect((await ours.npm("install")).out).toMatch(/up to date/);
      expect((await ours.npm("prune")).out).toMatch(/up to date/);
      expect(await ours.npm("ci")).toMatchObject({ code: 0 });
      expect(ours.exists(`${inside}/x.wasm`)).toBe(true);
      expect((await ours.npm("uninstall", "unlisted")).code).toBe(0);
      expect(ours.exists("node_modules/unlisted")).toBe(false);
    } finally {
      await real.close();
    }
  });

  it("takes an older build of the same major when there is none of the version, says so, and says when there is none at all", async () => {
    const older = new NpmProject(registry.origin, project({ unlisted: "1.3.0" }));
    expect((await older.npm("install")).err).toBe("npm warn wasm @unlisted/binding-wasm32-wasi@1.2.0 runs in place of unlisted@1.3.0's native code: there is no build of its version\n");
    expect(older.json("node_modules/unlisted/node_modules/@unlisted/binding-wasm32-wasi/package.json")).toMatchObject({ version: "1.2.0" });
    const none = new NpmProject(registry.origin, project({ unlisted: "2.0.0" }));
    expect(await none.npm("install")).toMatchObject({ code: 0, err: "npm warn wasm unlisted@2.0.0 cannot run here: of its WebAssembly build @unlisted/binding-wasm32-wasi there is no 2.0.0 and none that it could stand for on the registry. Ask for a version that has one\n" });
    expect(none.exists("node_modules/unlisted/node_modules")).toBe(false);
  });

  it("puts a build of another name in a package's place, under its name, and without its native code and install script", async () => {
    const files = project({ esbuild: "*", lightningcss: "1.0.0" });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    try {
      expect(await ours.npm("install")).toMatchObject({ code: 0, err: "" });
      await real.npm("install");
      expect(ours.read("package-lock.json")).toBe(await real.read("package-lock.json"));
      expect(paths(ours)).toEqual(["node_modules/esbuild/bin/esbuild", "node_modules/esbuild/esbuild.wasm", "node_modules/lightningcss/css.wasm", "node_modules/lightningcss/node_modules/napi-wasm/index.js"]);
      expect(ours.json("node_modules/esbuild/package.json")).toMatchObject({ name: "esbuild", version: "0.25.0" });
      expect(ours.tree()["node_modules/.bin/esbuild"]).toBe("-> ../esbuild/bin/esbuild");
      expect((await ours.npm("ls", "--all")).code).toBe(0);
      expect((await ours.npm("install")).out).toMatch(/up to date/);
    } finally {
      await real.close();
    }
    const later = new NpmProject(registry.origin, project({ lightningcss: "1.1.0" }));
    expect(await later.npm("install")).toMatchObject({ code: 0, err: "npm warn wasm lightningcss-wasm@1.0.0 runs in place of lightningcss@1.1.0's native code: there is no build of its version\n" });
    expect(later.exists("node_modules/lightningcss/css.wasm")).toBe(true);
    expect((await later.npm("install")).out).toMatch(/up to date/);
    const alone = new NpmProject(registry.origin, project({ lightningcss: "2.0.0" }));
    expect(await alone.npm("install")).toMatchObject({ code: 0, err: "npm warn wasm lightningcss-wasm@2.0.0, which runs here, is not to be had: lightningcss@2.0.0 is installed and cannot run its native code. Ask for a version that has one\n" });
  });

  it("puts functions of our own beside a build whose interface is another", async () => {
    const ours = new NpmProject(registry.origin, project({ "@swc/core-linux-x64-gnu": "1.0.0" }));
    expect(await ours.npm("install")).toMatchObject({ code: 0, err: "" });
    const folder = "node_modules/@swc/core-linux-x64-gnu";
    expect(ours.json(`${folder}/package.json`)).toMatchObject({ name: "@swc/core-linux-x64-gnu", main: "functions.cjs" });
    const source = ours.read(`${folder}/functions.cjs`);
    // @swc/core gives programs as JSON, alone or with what it was made of, and options as JSON in a buffer.
    const calls: unknown[] = [];
    const run = (...args: unknown[]): object => ({ code: calls.push(args) > 0 ? "" : "never" });
    const module = { exports: {} as Record<string, (...args: unknown[]) => unknown> };
    const required = (name: string): unknown => (name === "./wasm.js" ? { transformSync: run, parseSync: run, printSync: run, minifySync: run } : { readFileSync: (path: string) => `text of ${path}` });
    new Script(`(function (require, module, Buffer) { ${source} })`).runInThisContext()(required, module, Buffer);
    const { transformSync, transform, transformFileSync, parseSync, print, minifySync, analyze, getTargetTriple } = module.exports;
    const options = Buffer.from('{"a":1}');
    transformSync?.("let x", false, options);
    await transform?.('{"type":"Module"}', true, options);
    transformFileSync?.("f.ts", false, options);
    expect(parseSync?.("x", options, "x.js")).toBe('{"code":""}');
    await print?.('{"program":{"type":"Script"},"sourceContext":{}}', options);
    minifySync?.(Buffer.from("long"), options);
    expect(calls).toEqual([["let x", { a: 1 }], [{ type: "Module" }, { a: 1 }], ["text of f.ts", { filename: "f.ts", a: 1 }], ["x", { a: 1 }], [{ type: "Script" }, { a: 1 }], ["long", { a: 1 }]]);
    expect(getTargetTriple?.()).toBe("wasm32-unknown-unknown");
    expect(() => analyze?.()).toThrow(/@swc\/core's analyze needs native code/);
  });
});
