// npm's commands against a local registry: what they install, write, refuse and say. Whether the tree is the one that
// real npm would make is npm-real.test.ts's question.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Files, NpmProject } from "../../support/npm-project.ts";
import { type Fault, RegistryServer } from "../../support/registry-server.ts";

let registry: RegistryServer;
beforeAll(async () => {
  registry = await RegistryServer.start(["semver", "idb"]);
  registry.add(
    { name: "left", version: "1.0.0", files: { "index.js": "module.exports = 1\n" } },
    { name: "left", version: "1.1.0", files: { "index.js": "module.exports = 1.1\n" } },
    { name: "left", version: "2.0.0", files: { "index.js": "module.exports = 2\n" } },
    { name: "old", version: "1.0.0", deprecated: "use left", dependencies: { left: "^1.0.0" } },
    { name: "needs-two", version: "1.0.0", dependencies: { left: "^2.0.0" } },
    { name: "tool", version: "1.0.0", bin: { tool: "./cli.js" }, files: { "cli.js": "#!/usr/bin/env node\r\nconsole.log('tool')\r\n" } },
    { name: "two-tools", version: "1.0.0", bin: { a: "a.js", b: "b.js" }, files: { "a.js": "", "b.js": "" } },
    { name: "builds", version: "1.0.0", scripts: { postinstall: "node build.js" } },
    { name: "peer-left-1", version: "1.0.0", peerDependencies: { left: "^1.0.0" } },
    { name: "escapes", version: "1.0.0", files: { "../../../../evil.js": "1" } },
    { name: "windows-only", version: "1.0.0", os: ["win32"] },
    { name: "future", version: "1.0.0", engines: { node: ">=99" } },
    { name: "@scope/pkg", version: "1.0.0" },
    { name: "@scope/cli", version: "1.0.0", bin: { other: "other.js" }, files: { "other.js": "" } },
    { name: "missing-dep", version: "1.0.0", dependencies: { "not-there": "^1.0.0" } },
  );
});
afterAll(() => registry.close());
afterEach(() => registry.faults.clear());

function project(json: object, more: Files = {}): NpmProject {
  return new NpmProject(registry.origin, { "package.json": { name: "demo", version: "1.0.0", ...json }, ...more });
}

describe("npm install", () => {
  it("installs what package.json asks for, nested only where versions conflict, and says what it did", async () => {
    const demo = project({ dependencies: { old: "1", "needs-two": "1" } });
    const { code, out, err } = await demo.npm("install");
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^\nadded 4 packages in \d+m?s\n$/) as string });
    expect(err).toBe("npm warn deprecated old@1.0.0: use left\n");
    expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "2.0.0" });
    expect(demo.json("node_modules/old/node_modules/left/package.json")).toMatchObject({ version: "1.1.0" });
    expect(demo.commits).toBe(1);
    expect((await demo.npm("install")).out).toMatch(/^\nup to date in/);
  });

  it.each([
    [["left"], { dependencies: { left: "^2.0.0" } }],
    [["left@1"], { dependencies: { left: "^1.1.0" } }],
    [["left@1.0.0"], { dependencies: { left: "^1.0.0" } }],
    [["left", "-E"], { dependencies: { left: "2.0.0" } }],
    [["left@latest", "-D"], { devDependencies: { left: "^2.0.0" } }],
    [["left", "--save-optional"], { optionalDependencies: { left: "^2.0.0" } }],
    [["left@1", "--save-peer"], { peerDependencies: { left: "^1.1.0" } }],
    [["other@npm:left@1"], { dependencies: { other: "npm:left@^1.1.0" } }],
    [["@scope/pkg"], { dependencies: { "@scope/pkg": "^1.0.0" } }],
    [["left", "--no-save"], {}],
  ])("%j writes %j", async (words, wanted) => {
    const demo = project({});
    expect(await demo.npm("install", ...words)).toMatchObject({ code: 0 });
    expect(demo.json("package.json")).toEqual({ name: "demo", version: "1.0.0", ...wanted });
    expect(demo.exists(`node_modules/${words[0] === "other@npm:left@1" ? "other" : words[0]!.replace(/(?<=.)@.*/, "")}/package.json`)).toBe(true);
  });

  it("links commands into .bin, executable, without the carriage return that no shell takes", async () => {
    const demo = project({ dependencies: { tool: "1", semver: "*" } });
    await demo.npm("install");
    expect(demo.tree()).toMatchObject({ "node_modules/.bin/tool": "-> ../tool/cli.js", "node_modules/.bin/semver": "-> ../semver/bin/semver.js", "node_modules/tool/cli.js": expect.stringMatching(/^755/) as string });
    expect(demo.read("node_modules/tool/cli.js").split("\n")[0]).toBe("#!/usr/bin/env node");
  });

  it("takes the packages of a pnpm workspace, and links what names itself one of them", async () => {
    const demo = project({}, {
      "pnpm-workspace.yaml": "packages:\n  # ours\n  - 'packages/*'\n  - tools\n\ncatalog:\n  left: 1\n",
      "packages/a/package.json": { name: "a", version: "1.0.0", dependencies: { b: "workspace:^", tool: "workspace:*", left: "1" } },
      "packages/b/package.json": { name: "b", version: "2.0.0" },
      "tools/package.json": { name: "tool", version: "0.1.0" },
    });
    expect(await demo.npm("install", "--no-package-lock")).toMatchObject({ code: 0 });
    const tree = demo.tree();
    expect([tree["node_modules/a"], tree["node_modules/b"], tree["node_modules/tool"], demo.exists("package-lock.json")]).toEqual(["-> ../packages/a", "-> ../packages/b", "-> ../tools", false]);
    expect(demo.exists("node_modules/left/package.json")).toBe(true);
  });

  it("uses folders of the project where they are, tarballs of it unpacked, and links workspaces", async () => {
    const demo = project({ workspaces: ["packages/*"] }, { "lib/package.json": { name: "lib", version: "3.0.0" }, "packages/a/package.json": { name: "a", version: "1.0.0", dependencies: { left: "1", b: "*" } }, "packages/b/package.json": { name: "b", version: "1.0.0" } });
    demo.vfs.writeFile("/home/project/made.tgz", new Uint8Array(await registry.tarball("tool", "1.0.0")));
    expect(await demo.npm("install", "./lib", "file:made.tgz")).toMatchObject({ code: 0 });
    expect(demo.tree()).toMatchObject({ "node_modules/lib": "-> ../lib", "node_modules/a": "-> ../packages/a", "node_modules/b": "-> ../packages/b", "node_modules/.bin/tool": "-> ../tool/cli.js" });
    expect(demo.json("package.json")).toMatchObject({ dependencies: { lib: "file:lib", tool: "file:made.tgz" } });
    expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "1.1.0" });
  });

  it("leaves an optional package out that is for another system or cannot be fetched, and warns of engines", async () => {
    const demo = project({ optionalDependencies: { "windows-only": "1", "missing-dep": "1", nowhere: "1" }, dependencies: { future: "1", left: "1" } });
    const { code, err } = await demo.npm("install");
    expect(code).toBe(0);
    expect(err).toMatch(/EBADENGINE Unsupported engine \{ package: 'future@1\.0\.0', required: \{ node: '>=99' \}/);
    expect(Object.keys(demo.tree()).filter((path) => path.endsWith("package.json"))).toEqual(expect.arrayContaining(["node_modules/left/package.json", "node_modules/future/package.json"]));
    for (const name of ["windows-only", "missing-dep", "nowhere"]) expect(demo.exists(`node_modules/${name}`)).toBe(false);
    expect(demo.json("package-lock.json")["packages"]).toMatchObject({ "node_modules/windows-only": { optional: true, os: ["win32"] } });
    expect(await project({ dependencies: { "windows-only": "1" } }).npm("install")).toMatchObject({ code: 1, err: expect.stringContaining("EBADPLATFORM") as string });
  });

  it("puts versions by overrides in place of what packages ask for", async () => {
    const demo = project({ dependencies: { old: "1", "needs-two": "1" }, overrides: { old: { left: "1.0.0" }, "left@2": "$left" }, devDependencies: { left: "1.1.0" } });
    expect(await demo.npm("install")).toMatchObject({ code: 0 });
    expect(demo.json("node_modules/old/node_modules/left/package.json")).toMatchObject({ version: "1.0.0" });
    expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "1.1.0" });
    expect(demo.exists("node_modules/needs-two/node_modules")).toBe(false);
    expect((await demo.npm("install")).out).toMatch(/up to date/);
  });

  it("does not run install scripts unless it is told to, and names the ones that it did not run", async () => {
    const demo = project({ dependencies: { builds: "1" }, scripts: { postinstall: "node own.js" } });
    const { err, out } = await demo.npm("install");
    expect(out).not.toContain("[ran");
    expect(err).toBe("npm notice install scripts were not run: builds@1.0.0\nnpm notice this project's own postinstall did not run either\nnpm notice to allow them: npm install --foreground-scripts, or ignore-scripts=false in .npmrc\n");
    const allowed = project({ dependencies: { builds: "1" } }, { ".npmrc": "ignore-scripts=false\n" });
    expect((await allowed.npm("install")).out).toContain("> builds@1.0.0 postinstall\n> node build.js\n\n[ran sh -c node build.js]");
  });

  it("fetches scoped packages from their registry and sends no token anywhere", async () => {
    const demo = project({ dependencies: { "@scope/pkg": "1" } }, { ".npmrc": `@scope:registry=${registry.origin}\n//127.0.0.1/:_authToken=secret\n_auth=secret\n` });
    expect(await demo.npm("install")).toMatchObject({ code: 0 });
    expect(registry.headers.every((headers) => headers.authorization === undefined && headers.cookie === undefined)).toBe(true);
  });
});

describe("a failing install", () => {
  const cases: readonly (readonly [what: string, path: string, fault: Fault | undefined, json: object, code: RegExp])[] = [
    ["a package that does not exist", "", undefined, { dependencies: { "not-there": "1" } }, /code E404\nnpm error 404 Not Found - GET .*not-there - Not found\nnpm error 404\nnpm error 404 {2}The requested resource 'not-there@1' could not be found/],
    ["a version that does not exist", "", undefined, { dependencies: { left: "9" } }, /code ETARGET\nnpm error notarget No matching version found for left@9\./],
    ["a dependency's dependency that does not exist", "", undefined, { dependencies: { "missing-dep": "1" } }, /code E404/],
    ["bytes that are not the published ones", "/left/-/left-1.1.0.tgz", "other bytes", { dependencies: { left: "1" } }, /code EINTEGRITY\nnpm error sha512-\S+ integrity checksum failed when using sha512: wanted sha512-\S+ but got sha512-\S+\. \(\d+ bytes\)\nnpm error package left@1\.1\.0/],
    ["an answer that breaks off", "/left/-/left-1.1.0.tgz", "cut", { dependencies: { left: "1" } }, /code ENETWORK/],
    ["a page that asks to sign in instead of a document", "/left", "html", { dependencies: { left: "1" } }, /code FETCH_ERROR\nnpm error invalid json response body at .*left/],
    ["a document without end", "/left", "huge", { dependencies: { left: "1" } }, /code ETOOLARGE/],
    ["a tarball that leads out of its folder", "", undefined, { dependencies: { escapes: "1" } }, /code TAR_ENTRY_ERROR\n.*escapes@1\.0\.0: the tarball has a file outside/],
    ["peers that cannot both be met", "", undefined, { dependencies: { "peer-left-1": "1", left: "2" } }, /code ERESOLVE\nnpm error ERESOLVE unable to resolve dependency tree\n[\s\S]*While resolving: demo@1\.0\.0\n[\s\S]*Found: left@2\.0\.0[\s\S]*peer left@"\^1\.0\.0" from peer-left-1@1\.0\.0/],
    ["a git address", "", undefined, { dependencies: { repo: "github:user/repo" } }, /code EUNSUPPORTED\n.*is a git repository/],
  ];
  it.each(cases)("with %s says so by npm's code and leaves everything as it was", async (_what, path, fault, json, wanted) => {
    const demo = project({ dependencies: { tool: "1" } });
    await demo.npm("install");
    demo.write({ "package.json": { name: "demo", version: "1.0.0", ...json } });
    const before = demo.tree();
    if (fault) registry.faults.set(path, fault);
    const { code, err } = await demo.npm("install");
    expect(code).toBe(1);
    expect(err).toMatch(wanted);
    expect(demo.tree()).toEqual(before);
  });

  it("takes peers that conflict when it is told to", async () => {
    for (const flag of ["--force", "--legacy-peer-deps"]) {
      const demo = project({ dependencies: { "peer-left-1": "1", left: "2" } });
      expect(await demo.npm("install", flag)).toMatchObject({ code: 0 });
      expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "2.0.0" });
    }
  });
});

describe("the lockfile", () => {
  it("holds versions that package.json would let go on, until npm update", async () => {
    const demo = project({ dependencies: { left: "1.0.0" } });
    await demo.npm("install");
    demo.write({ "package.json": { name: "demo", version: "1.0.0", dependencies: { left: "^1.0.0" } } });
    await demo.npm("install");
    expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "1.0.0" });
    await demo.npm("update");
    expect(demo.json("node_modules/left/package.json")).toMatchObject({ version: "1.1.0" });
  });

  it("is all that npm ci goes by: no document is asked for, and nothing else stays in node_modules", async () => {
    const demo = project({ dependencies: { old: "1", "needs-two": "1" } });
    await demo.npm("install");
    const wanted = demo.tree();
    demo.write({ "node_modules/stray/index.js": "1" });
    registry.requests.length = 0;
    expect(await demo.npm("ci")).toMatchObject({ code: 0 });
    expect(registry.requests.every((path) => path.endsWith(".tgz"))).toBe(true);
    expect(demo.tree()).toEqual(wanted);
  });

  it("must agree with package.json for npm ci, and must be there", async () => {
    const demo = project({ dependencies: { left: "1" } });
    expect(await demo.npm("ci")).toMatchObject({ code: 1, err: expect.stringContaining("can only install with an existing package-lock.json") as string });
    await demo.npm("install");
    demo.write({ "package.json": { name: "demo", version: "1.0.0", dependencies: { left: "2", tool: "1" } } });
    const { code, err } = await demo.npm("ci");
    expect(code).toBe(1);
    expect(err).toContain("npm error Invalid: lock file's left@1.1.0 does not satisfy left@2\nnpm error Missing: tool@1 from lock file\n");
  });
});

describe("the other commands", () => {
  it("npm uninstall removes a package, what only it needed, and its line in package.json", async () => {
    const demo = project({ dependencies: { old: "1", tool: "1" } });
    await demo.npm("install");
    expect((await demo.npm("uninstall", "old")).out).toMatch(/removed 2 packages in/);
    expect(demo.json("package.json")).toMatchObject({ dependencies: { tool: "1" } });
    expect(Object.keys(demo.tree()).filter((path) => /left|old/.test(path))).toEqual([]);
  });

  it("npm ls draws the tree and fails when something is missing, wrong or too much", async () => {
    const demo = project({ dependencies: { old: "1", "needs-two": "1" } });
    await demo.npm("install");
    expect((await demo.npm("ls")).out).toBe("demo@1.0.0 /home/project\n├── needs-two@1.0.0\n└── old@1.0.0\n\n");
    expect((await demo.npm("ls", "--all")).out).toBe("demo@1.0.0 /home/project\n├─┬ needs-two@1.0.0\n│ └── left@2.0.0\n└─┬ old@1.0.0\n  └── left@1.1.0\n\n");
    demo.write({ "package.json": { name: "demo", version: "1.0.0", dependencies: { tool: "1" } } });
    const { code, out, err } = await demo.npm("ls");
    expect(code).toBe(1);
    expect(out).toContain("├── UNMET DEPENDENCY tool@1\n".replace("├", "└"));
    expect(err).toMatch(/code ELSPROBLEMS\n[\s\S]*missing: tool@1, required by demo@1\.0\.0/);
  });

  it("npx runs an installed command, else fetches one; a package with several must be told which", async () => {
    const demo = project({ dependencies: { tool: "1" } });
    await demo.npm("install");
    expect((await demo.npm("exec", "tool", "--flag")).out).toBe("[ran /home/project/node_modules/tool/cli.js --flag]\n");
    await demo.npm("install", "--no-save", "@scope/cli");
    expect(await demo.npm("exec", "@scope/cli", "a")).toMatchObject({ code: 0, err: "", out: "[ran /home/project/node_modules/.bin/other a]\n" });
    const fetched = await demo.npm("exec", "tool@1.0.0", "x");
    expect(fetched).toMatchObject({ code: 0, err: "npm warn exec The following package was not found and will be installed: tool@1.0.0\n" });
    expect(fetched.out).toMatch(/^\[ran \/home\/\.npm\/_npx\/\w+\/node_modules\/\.bin\/tool x\]\n$/);
    expect(demo.json("package.json")).toEqual({ name: "demo", version: "1.0.0", dependencies: { tool: "1" } });
    expect(await demo.npm("exec", "two-tools")).toMatchObject({ code: 1, err: expect.stringContaining("could not determine executable to run") as string });
    expect((await demo.npm("exec", "-p", "two-tools", "b")).out).toMatch(/\.bin\/b\]\n$/);
    expect(await demo.npm("exec", "--no", "idb@8")).toMatchObject({ code: 1, err: expect.stringContaining("npx canceled due to missing packages") as string });
  });

  it("npm init -y, version, pkg, view and outdated read and change what they are asked to", async () => {
    const demo = new NpmProject(registry.origin, {});
    expect((await demo.npm("init", "-y")).out).toContain("Wrote to /home/project/package.json:");
    expect(demo.json("package.json")).toMatchObject({ name: "project", version: "1.0.0", main: "index.js" });
    expect((await demo.npm("version", "minor")).out).toBe("v1.1.0\n");
    await demo.npm("pkg", "set", "scripts.hello=echo hi");
    expect((await demo.npm("pkg", "get", "scripts.hello", "version")).out).toBe('{\n  "scripts.hello": "echo hi",\n  "version": "1.1.0"\n}\n');
    expect((await demo.npm("view", "left", "version")).out).toBe("2.0.0\n");
    expect((await demo.npm("view", "left@1", "dist.tarball")).out).toBe(`${registry.origin}/left/-/left-1.1.0.tgz\n`);
    await demo.npm("install", "left@1.0.0", "-E");
    expect(await demo.npm("outdated")).toMatchObject({ code: 1, out: expect.stringMatching(/^Package +Current +Wanted +Latest .*\nleft +1\.0\.0 +1\.0\.0 +2\.0\.0/) as string });
  });

  it("what is not there says so", async () => {
    expect(await project({}).npm("publish")).toMatchObject({ code: 1, err: expect.stringContaining('"npm publish" is not available in this container') as string });
    expect(await project({}).npm("install", "-g", "left")).toMatchObject({ code: 1, err: expect.stringContaining("code EGLOBAL") as string });
    expect((await project({}).npm("install", "--help")).out).toContain("npm install [PACKAGE…]");
  });
});
