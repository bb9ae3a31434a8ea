import { describe, expect, test } from "vitest";
import { planLate } from "../../../src/headless/kernel/npm.ts";
import { plan, type ReadyStep } from "../../../src/headless/kernel/plan.ts";
import { Vfs } from "../../../src/headless/vfs.ts";

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

function project(manifest: unknown): Vfs {
  const vfs = new Vfs();
  vfs.mkdir("/home/p/sub", { recursive: true });
  vfs.writeFile("/home/p/package.json", encode(typeof manifest === "string" ? manifest : JSON.stringify(manifest)));
  return vfs;
}

function planned(vfs: Vfs, line: string, cwd = "/home/p"): readonly ReadyStep[] {
  const [command = "", ...args] = line.split(" ");
  return (plan(vfs, { command, args, cwd, env: { PATH: "/bin" } }) ?? []).flatMap((step) => ("late" in step ? planLate(vfs, step) : [step]));
}

const DEMO = { name: "demo", version: "1.2.3", scripts: { pretest: "node pre.js", test: "node --test", x: "node x.js | cat", posttest: "node post.js" } };

describe("npm", () => {
  test("runs a script between its pre and post scripts, each under npm's banner, without a shell where none is needed", () => {
    const steps = planned(project(DEMO), "npm test");
    expect(steps.map((step) => [step.program, step.program && step.argv, step.program && step.banner])).toEqual([
      ["node", ["pre.js"], "\n> demo@1.2.3 pretest\n> node pre.js\n\n"],
      ["node", ["--test"], "\n> demo@1.2.3 test\n> node --test\n\n"],
      ["node", ["post.js"], "\n> demo@1.2.3 posttest\n> node post.js\n\n"],
    ]);
  });

  test("hands a script with a pipe to the shell, with the arguments after --", () => {
    const [step] = planned(project(DEMO), "npm run x -- a b;c");
    expect(step).toMatchObject({ program: "sh", argv: ["-c", "node x.js | cat a 'b;c'"], banner: "\n> demo@1.2.3 x\n> node x.js | cat a b;c\n\n" });
  });

  test("finds package.json above the folder and runs there, with the binaries of node_modules on PATH", () => {
    const [step] = planned(project({ scripts: { test: "node t.js" } }), "npm t", "/home/p/sub");
    expect(step).toMatchObject({ cwd: "/home/p", env: { PATH: "/home/p/node_modules/.bin:/bin", npm_lifecycle_event: "test", INIT_CWD: "/home/p/sub" } });
  });

  test("says what real npm says when a script is missing, when nothing can be read, and when nothing is specified", () => {
    expect(planned(project({ name: "y" }), "npm test")).toEqual([
      { stdout: "", code: 1, stderr: 'npm error Missing script: "test"\nnpm error\nnpm error To see a list of scripts, run:\nnpm error   npm run\n' },
    ]);
    expect(planned(project("{bad"), "npm test")[0]).toMatchObject({ code: 1, stderr: expect.stringContaining("npm error code EJSONPARSE") as string });
    const empty = new Vfs();
    empty.mkdir("/home/p", { recursive: true });
    expect(planned(empty, "npm test")[0]).toMatchObject({ code: 254, stderr: expect.stringContaining("npm error enoent Could not read package.json") as string });
    const [step] = planned(project({ name: "y", scripts: { test: 'echo "Error: no test specified" && exit 1' } }), "npm test");
    expect(step).toMatchObject({ program: "sh", banner: '\n> test\n> echo "Error: no test specified" && exit 1\n\n' });
  });

  test("leaves workspaces, yarn and pnpm to the process that knows them", () => {
    for (const flag of ["-ws", "-w", "--workspace=a", "--workspaces"]) expect(planned(project(DEMO), `npm test ${flag} a`)).toMatchObject([{ program: "npm", argv: ["test", flag, "a"] }]);
    expect(planned(project(DEMO), "yarn run test -w")).toMatchObject([{ program: "npm", argv: ["yarn", "run", "test", "-w"] }]);
    expect(planned(project(DEMO), "/usr/bin/pnpm -r test")).toMatchObject([{ program: "npm", argv: ["pnpm", "-r", "test"] }]);
  });

  test("lists scripts as npm does", () => {
    expect(planned(project(DEMO), "npm run")).toEqual([
      {
        stdout:
          "Lifecycle scripts included in demo@1.2.3:\n  pretest\n    node pre.js\n  test\n    node --test\n  posttest\n    node post.js\navailable via `npm run`:\n  x\n    node x.js | cat\n",
        stderr: "",
        code: 0,
      },
    ]);
  });

  test("leaves installing, and commands that are not installed, to npm's own program", () => {
    expect(planned(project(DEMO), "npm --registry http://localhost:1 install left -D")).toMatchObject([{ program: "npm", argv: ["--registry", "http://localhost:1", "install", "left", "-D"], cwd: "/home/p" }]);
    expect(planned(project(DEMO), "npx -y left@1 a --b")).toMatchObject([{ program: "npm", argv: ["exec", "-y", "left@1", "a", "--b"] }]);
    expect(planned(project(DEMO), "npm test --help")).toMatchObject([{ program: "npm", argv: ["test", "--help"] }]);
  });
});

describe("a command", () => {
  test("is found in node_modules/.bin, by path, or not at all", () => {
    const vfs = project(DEMO);
    vfs.mkdir("/home/p/node_modules/.bin", { recursive: true });
    vfs.mkdir("/home/p/node_modules/tap", { recursive: true });
    vfs.writeFile("/home/p/node_modules/tap/bin.js", encode("#!/usr/bin/env node\n"));
    vfs.symlink("../tap/bin.js", "/home/p/node_modules/.bin/tap");
    vfs.writeFile("/home/p/run.sh", encode("#!/bin/sh\necho hi\n"));
    expect(planned(vfs, "tap -v", "/home/p/sub")[0]).toMatchObject({ program: "node", argv: ["/home/p/node_modules/tap/bin.js", "-v"] });
    expect(planned(vfs, "npx tap")[0]).toMatchObject({ program: "node", argv: ["/home/p/node_modules/tap/bin.js"] });
    expect(planned(vfs, "./run.sh a")[0]).toMatchObject({ program: "sh", argv: ["/home/p/run.sh", "a"] });
    expect(planned(vfs, "/usr/bin/node x.js")[0]).toMatchObject({ program: "node", argv: ["x.js"] });
    expect(plan(vfs, { command: "nosuch", args: [], cwd: "/home/p", env: {} })).toBeUndefined();
    expect(planned(vfs, "npx nosuch")[0]).toMatchObject({ program: "npm" });
  });

  test("that is a file is run by what its first line names, or as a shell runs it", () => {
    const vfs = project(DEMO);
    const file = (name: string, text: string): void => vfs.writeFile(`/home/p/${name}`, encode(text), { mode: 0o755 });
    file("plain", "echo hi\n");
    file("plain.mjs", "console.log(1)\n");
    file("flagged", "#!/usr/bin/env -S A=1 node --no-warnings\n");
    file("zsh", "#!/bin/zsh -e\n");
    expect(planned(vfs, "./plain a")[0]).toMatchObject({ program: "sh", argv: ["/home/p/plain", "a"] });
    expect(planned(vfs, "./plain.mjs")[0]).toMatchObject({ program: "node", argv: ["/home/p/plain.mjs"] });
    expect(planned(vfs, "./flagged x")[0]).toMatchObject({ program: "sh", argv: ["--run", "/home/p/flagged", "x"] });
    expect(planned(vfs, "./zsh")[0]).toMatchObject({ program: "sh", argv: ["/home/p/zsh"] });
  });
});
