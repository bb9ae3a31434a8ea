import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openGitHub, type GitHubOptions } from "../../src/project/github.ts";
import { readGitHubAddress } from "../../src/project/github-address.ts";
import { type GitHubFake, openGitHubFake, TOKEN } from "../support/github-server.ts";
import { textOf } from "../support/trees.ts";

const SHA = "0123456789abcdef0123456789abcdef01234567";

describe("an address of GitHub", () => {
  const head = [{ ref: "HEAD", folder: "" }];
  it.each([
    ["octo/demo", head],
    [" https://github.com/octo/demo/ ", head],
    ["http://www.github.com/octo/demo.git", head],
    ["git@github.com:octo/demo.git", head],
    ["github.com/octo/demo?tab=readme-ov-file#usage", head],
    ["octo/demo@v1.2", [{ ref: "v1.2", folder: "" }]],
    ["octo/demo#dev", [{ ref: "dev", folder: "" }]],
    [`https://github.com/octo/demo/commit/${SHA}`, [{ ref: SHA, folder: "" }]],
    [`https://github.com/octo/demo/tree/${SHA}/packages/core`, [{ ref: SHA, folder: "packages/core" }]],
    ["https://github.com/octo/demo/tree/main", [{ ref: "main", folder: "" }]],
    ["https://github.com/octo/demo/tree/feature/x/src", [{ ref: "feature", folder: "x/src" }, { ref: "feature/x", folder: "src" }, { ref: "feature/x/src", folder: "" }]],
    ["https://github.com/octo/demo/blob/main/src/a%20b.js", [{ ref: "main", folder: "src" }, { ref: "main/src", folder: "" }, { ref: "main/src/a b.js", folder: "" }]],
    ["https://github.com/octo/demo/issues/5", head],
  ])("%s is read", (text, readings) => {
    expect(readGitHubAddress(text)).toEqual({ owner: "octo", repo: "demo", readings });
  });

  it("gives way to a ref and a folder that are given beside it", () => {
    expect(readGitHubAddress("octo/demo", "dev", "/packages/core/")).toMatchObject({ readings: [{ ref: "dev", folder: "packages/core" }] });
    expect(readGitHubAddress("https://github.com/octo/demo/tree/main/src", "dev").readings).toEqual([{ ref: "dev", folder: "src" }]);
  });

  it.each(["", "octo", "octo/", "https://gitlab.com/octo/demo", "octo/..", "-x/demo", "octo/de mo", "javascript:alert(1)", "x".repeat(500)])("%j is refused", (text) => {
    expect(() => readGitHubAddress(text)).toThrow(/names no repository on GitHub/);
  });
});

describe("a repository on GitHub", () => {
  let fake: GitHubFake;
  const files = {
    "package.json": "{}\n",
    "src/a b.js": "export {};\r\n",
    "src/größe.js": "1\n",
    "src/deep/x#y%z?.js": "odd\n",
    "logo.png": new Uint8Array([0, 255, 1]),
    "empty.txt": "",
    "link.js": "link:src/a b.js",
    "big.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n",
    "node_modules/x/index.js": "x\n",
  };

  beforeEach(async () => {
    fake = await openGitHubFake(files);
  });
  afterEach(() => fake.close());

  const open = (address: string, options: GitHubOptions = {}, ref?: string, folder?: string, signal?: AbortSignal) => openGitHub(readGitHubAddress(address, ref, folder), { host: fake.host, ...options }, signal);
  const failure = async (address: string, options: GitHubOptions = {}, ref?: string, folder?: string) => open(address, options, ref, folder).then(() => ({ code: "none", message: "nothing was refused" }), (error: { code: string; message: string }) => error);

  it("comes in at its commit, byte for byte; links, submodules and LFS pointers are left out and said", async () => {
    fake.git("update-index", "--add", "--cacheinfo", `160000,${SHA},vendor/lib`);
    fake.git("commit", "-qm", "submodule");
    const seen: number[] = [];
    const project = await open("octo/demo", { onProgress: ({ doneFiles, totalFiles }) => seen.push(doneFiles / totalFiles) });
    const commit = fake.git("rev-parse", "HEAD").trim();
    expect(project).toMatchObject({ name: `octo/demo@${commit.slice(0, 7)}`, commit });
    expect([...project.files.keys()].sort()).toEqual(["empty.txt", "logo.png", "package.json", "src/a b.js", "src/deep/x#y%z?.js", "src/größe.js"]);
    expect(textOf(project.files, "src/a b.js")).toBe("export {};\r\n");
    expect(project.files.get("logo.png")).toEqual(new Uint8Array([0, 255, 1]));
    expect(project.skipped).toEqual([{ path: "link.js", why: "link" }, { path: "vendor/lib", why: "submodule" }, { path: "big.bin", why: "lfs" }]);
    expect(seen.at(-1)).toBe(1);
    expect(fake.requests.filter((url) => url.startsWith("/api"))).toHaveLength(2);
    expect(fake.requests.some((url) => url.includes("node_modules"))).toBe(false);
  });

  it("comes in as it was at a commit, a tag, or a branch with slashes, whole or a folder of it", async () => {
    const first = fake.git("rev-parse", "HEAD").trim();
    fake.git("tag", "-a", "v1", "-m", "v1");
    fake.git("checkout", "-qb", "feature/x");
    fake.git("rm", "-qr", "src/deep");
    fake.git("commit", "-qm", "less");
    expect([...(await open("octo/demo@v1")).files.keys()]).toContain("src/deep/x#y%z?.js");
    expect((await open(`https://github.com/octo/demo/commit/${first}`)).commit).toBe(first);
    const folder = await open("https://github.com/octo/demo/tree/feature/x/src");
    expect([...folder.files.keys()].sort()).toEqual(["a b.js", "größe.js"]);
    expect(folder.name).toMatch(/^octo\/demo@[0-9a-f]{7}\/src$/);
    expect(await failure("octo/demo", {}, "v1", "src/Deep")).toMatchObject({ code: "project/not-found", message: expect.stringContaining('no folder "src/Deep"') });
  });

  it("that is private or does not exist is told in a sentence, and comes in with a token", async () => {
    fake.mood.private = true;
    expect(await failure("octo/demo")).toMatchObject({ code: "project/not-found", message: "GitHub shows no repository octo/demo. Check the name; if it is private, give a token that may read it." });
    expect(await failure("octo/demo", { token: "wrong" })).toMatchObject({ code: "download/failed", message: expect.stringContaining("does not accept the token") });
    expect((await open("octo/demo", { token: TOKEN })).files.size).toBe(6);
    expect(fake.requests.some((url) => url.startsWith("/raw"))).toBe(false);
    fake.mood.private = false;
    expect(await failure("octo/demo@nowhere")).toMatchObject({ code: "project/not-found", message: expect.stringContaining("no “nowhere” in octo/demo") });
  });

  it("behind a used-up limit says when it may be asked again", async () => {
    fake.mood.remaining = 1;
    fake.mood.reset = 1_000_000 + 25 * 60;
    expect(await failure("octo/demo", { now: () => 1_000_000_000 })).toMatchObject({ code: "download/failed", data: { retrySeconds: 1500 }, message: expect.stringContaining("Try again in 25 min, or give a token") });
    expect((await open("octo/demo", { token: TOKEN })).files.size).toBe(6);
    fake.mood.status = 429;
    expect(await failure("octo/demo")).toMatchObject({ message: expect.stringContaining("Try again in a while") });
    fake.mood.status = 500;
    expect(await failure("octo/demo")).toMatchObject({ message: expect.stringContaining("(500)") });
  });

  it("whose bytes arrive changed is asked once more, then refused", async () => {
    fake.mood.damaged.set("package.json", 1);
    expect(textOf((await open("octo/demo")).files, "package.json")).toBe("{}\n");
    fake.mood.damaged.set("package.json", 2);
    expect(await failure("octo/demo")).toMatchObject({ code: "download/integrity", message: expect.stringContaining('"package.json" is not what the commit names') });
  });

  it("fault 27: with too many files or bytes is refused before any is downloaded", async () => {
    expect(await failure("octo/demo", { limits: { files: 3, bytes: 1_000 } })).toMatchObject({ code: "project/archive", message: "The repository holds more than 3 files. Leave out build output and data." });
    fake.mood.sizes.set("logo.png", 300_000_000);
    expect(await failure("octo/demo")).toMatchObject({ code: "project/archive", message: expect.stringContaining('larger than 268 MB unpacked (reached at "logo.png")') });
    expect(fake.requests.some((url) => url.startsWith("/raw"))).toBe(false);
  });

  it("that GitHub lists only in part is refused, a folder of it is not", async () => {
    fake.mood.truncated = true;
    expect(await failure("octo/demo")).toMatchObject({ code: "project/archive", message: expect.stringContaining("Name a folder of it") });
    fake.mood.truncated = false;
    expect((await open("octo/demo", {}, "", "src/deep")).files.size).toBe(1);
  });

  it("can be stopped, and says so when there is no network", async () => {
    fake.mood.delayMs = 40;
    const stop = new AbortController();
    const opening = open("octo/demo", { onProgress: () => stop.abort() }, undefined, undefined, stop.signal);
    await expect(opening).rejects.toMatchObject({ code: "aborted" });
    const asked = fake.requests.length;
    await new Promise((done) => setTimeout(done, 120));
    expect(fake.requests.length).toBe(asked);
    expect(await failure("octo/demo", { fetch: () => Promise.reject(new TypeError("Failed to fetch")) })).toMatchObject({ code: "download/failed", message: expect.stringContaining("GitHub cannot be reached") });
  });
});
