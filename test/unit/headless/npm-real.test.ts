// The second opinion: npm of this machine and the container's, on the same package.json and the same registry. Their
// lockfiles are equal to the byte, and so are the trees of files, links and modes below node_modules.
import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Files, NpmProject, RealNpm } from "../../support/npm-project.ts";
import { RegistryServer } from "../../support/registry-server.ts";

let registry: RegistryServer;
beforeAll(async () => {
  registry = await RegistryServer.start();
  // A made-up family in which versions and peers pull in different directions.
  const plain = (name: string, ...versions: readonly string[]): void => versions.forEach((version) => registry.add({ name, version, files: { "index.js": `// ${version}\n` } }));
  plain("d", "1.0.0", "1.1.0", "2.0.0");
  registry.add(
    { name: "core", version: "1.0.0" },
    { name: "core", version: "2.0.0", dependencies: { d: "^2" } },
    { name: "plugin", version: "1.0.0", peerDependencies: { core: "^1" }, dependencies: { d: "^1" } },
    { name: "plugin", version: "2.0.0", peerDependencies: { core: "^2", host: "*" }, peerDependenciesMeta: { host: { optional: true } } },
    { name: "host", version: "1.0.0", dependencies: { core: "^1", plugin: "^1" } },
    { name: "kit", version: "1.0.0", dependencies: { plugin: "^2", d: "1.0.0" }, bin: { kit: "kit.js" }, files: { "kit.js": "#!/usr/bin/env node\n" } },
    { name: "chain-a", version: "1.0.0", dependencies: { "chain-b": "1", d: "^1" } },
    { name: "chain-b", version: "1.0.0", dependencies: { "chain-a": "1", d: "^2" } },
    { name: "holds", version: "1.0.0", dependencies: { inner: "1", d: "1" }, bundleDependencies: ["inner"], files: { "node_modules/inner/package.json": '{"name":"inner","version":"1.0.0","license":"MIT"}', "node_modules/inner/index.js": "" } },
  );
});
afterAll(() => registry.close());

const isNew = Number(execFileSync("npm", ["--version"], { encoding: "utf8" }).split(".")[0]) >= 11;

async function both(files: Files, ...commands: readonly (readonly string[])[]): Promise<void> {
  const ours = new NpmProject(registry.origin, files);
  const real = await RealNpm.open(registry.origin, files);
  try {
    for (const command of commands) {
      const [a, b] = [await ours.npm(...command), await real.npm(...command)];
      expect(a, `npm ${command.join(" ")}\nours: ${a.err}\nreal: ${b.err}`).toMatchObject({ code: b.code });
      if (ours.exists("package-lock.json")) expect(ours.read("package-lock.json")).toBe(await real.read("package-lock.json"));
      expect(ours.read("package.json")).toBe(await real.read("package.json"));
      expect(ours.tree()).toEqual(await real.tree());
    }
  } finally {
    await real.close();
  }
}
/** What each package is explained by, in any order: theirs is the order in which they came. */
const paragraphs = (text: string): string[] => text.split("\n\n").map((paragraph) => paragraph.split(/\n(?=  \S)/).sort().join("\n")).sort();
const demo = (json: object): Files => ({ "package.json": { name: "demo", version: "1.0.0", ...json } });

describe.skipIf(!isNew)("like npm 11", { timeout: 60_000 }, () => {
  it.each([
    ["the packages of a web page", { dependencies: { lit: "^3.0.0", idb: "*", "readable-stream": "^4" }, devDependencies: { marked: "*", "fast-check": "*" } }],
    ["a test runner with peers, on a bundler with optional binaries", { devDependencies: { vitest: "^4", "@vitest/browser-playwright": "^4" } }],
  ])("installs %s", (_what, json) => both(demo(json), ["install"]));

  it("explains why a package is there, and prunes what nothing needs", async () => {
    const files = demo({ dependencies: { tape: "*", kit: "1", host: "1" }, devDependencies: { "chain-a": "1", mocha: "*" } });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    try {
      for (const npm of [ours, real]) await npm.npm("install");
      for (const command of [["explain", "minimist"], ["why", "wrap-ansi"], ["explain", "node_modules/kit"], ["explain", "core", "plugin"], ["explain", "mocha"], ["why", "nothing"], ["why"]]) {
        const [a, b] = [await ours.npm(...command), await real.npm(...command)];
        expect([command, a.code, paragraphs(a.out)]).toEqual([command, b.code, paragraphs(b.out)]);
      }
      await ours.npm("uninstall", "kit", "--no-save");
      for (const npm of [ours, real]) await npm.npm("pkg", "delete", "dependencies.host");
      for (const npm of [ours, real]) expect((await npm.npm("prune")).code).toBe(0);
      expect(ours.tree()).toEqual(await real.tree());
    } finally {
      await real.close();
    }
  });

  it.each([
    ["a peer that decides for an older version", { dependencies: { core: "*", plugin: "^1" } }],
    ["a peer set nested below what brings it", { dependencies: { core: "1", kit: "1" } }],
    ["an optional peer beside its own needs", { dependencies: { plugin: "2", host: "1" } }],
    ["two packages that need each other and different versions of a third", { dependencies: { "chain-a": "1" }, devDependencies: { d: "1.0.0" } }],
    ["bundled packages", { dependencies: { holds: "1" } }],
    ["an alias beside its package", { dependencies: { d: "2", "d-old": "npm:d@1" } }],
    ["overrides", { dependencies: { host: "1", d: "1" }, overrides: { plugin: { d: "2.0.0" }, core: "1.0.0" } }],
  ])("places %s", (_what, json) => both(demo(json), ["install"]));

  it("links folders and workspaces", () =>
    both(
      { ...demo({ workspaces: ["packages/*"], dependencies: { lib: "file:lib" } }), "lib/package.json": { name: "lib", version: "1.0.0", dependencies: { d: "1" } }, "packages/a/package.json": { name: "a", version: "1.0.0", dependencies: { d: "2", b: "^1" }, bin: "a.js" }, "packages/a/a.js": "", "packages/b/package.json": { name: "@x/b", version: "1.0.0", devDependencies: { core: "1" } } },
      ["install"],
    ));

  it("says what it says, of a tree and of what cannot be installed", async () => {
    const files = demo({ dependencies: { kit: "1", host: "1", "d-old": "npm:d@1" }, devDependencies: { lit: "*" } });
    const ours = new NpmProject(registry.origin, files);
    const real = await RealNpm.open(registry.origin, files);
    await Promise.all([ours.npm("install"), real.npm("install")]);
    const lines = (text: string): string => text.replaceAll(real.folder, "/home/project").replace(/npm error( For a full report see:| A complete log of)[\s\S]*/, "").replace(/(npm error\n)+$/, "").trimEnd();
    for (const command of [["ls", "--all"], ["ls", "d", "--json"], ["outdated"], ["install", "not-there"], ["install", "d@9"], ["install", "plugin@2", "core@1"]]) {
      const [a, b] = [await ours.npm(...command), await real.npm(...command)];
      expect([command, a.code, lines(a.out), lines(a.err)]).toEqual([command, b.code, lines(b.out), lines(b.err)]);
    }
    await real.close();
  });

  it("adds, updates, removes and installs again", () =>
    both(demo({}), ["install", "d@1.0.0"], ["install", "-D", "kit"], ["install", "core@1"], ["update"], ["uninstall", "d"], ["install", "-E", "d@2", "chain-b"], ["ci", "--omit=dev"]));
});
