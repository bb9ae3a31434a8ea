// `npm run container` as a person at a shell uses it.
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
let project = "";

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "container-command-"));
  mkdirSync(join(project, ".git"));
  mkdirSync(join(project, "node_modules/.bin"), { recursive: true });
  writeFileSync(join(project, ".git/HEAD"), "ref");
  writeFileSync(join(project, "package.json"), '{"name":"p","version":"1.0.0","scripts":{"hi":"greet you"}}');
  writeFileSync(join(project, "node_modules/greet.js"), '#!/usr/bin/env node\nconsole.log("hi", process.argv[2]);\nprocess.exitCode = 3;\n');
  symlinkSync("../greet.js", join(project, "node_modules/.bin/greet"));
  writeFileSync(join(project, "upper.js"), "process.stdin.on('data', (d) => process.stdout.write(String(d).toUpperCase()));\n");
});
afterAll(() => rmSync(project, { recursive: true }));

function container(args: readonly string[], input = ""): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, ["--import", "tsx", "src/cli/container.ts", ...args], { cwd: ROOT });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdin.end(input);
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stdout, stderr })));
}

describe("npm run container", () => {
  it("runs a script of the project with its binaries and exits with its code", async () => {
    expect(await container(["--project", project, "--", "npm", "run", "hi"])).toEqual({ code: 3, stdout: "\n> p@1.0.0 hi\n> greet you\n\nhi you\n", stderr: "" });
  });

  it("passes its input on, leaves .git out and the folder as it was", async () => {
    expect(await container(["--project", project, "--", "node", "upper.js"], "héllo\n")).toEqual({ code: 0, stdout: "HÉLLO\n", stderr: "" });
    const seen = await container(["--project", project, "--", "sh", "-c", "ls -A && echo x > made.txt && rm upper.js"]);
    expect(seen).toMatchObject({ code: 0, stdout: "node_modules\npackage.json\nupper.js\n" });
    expect((await container(["--project", project, "--", "ls", "made.txt"])).code).not.toBe(0);
  });

  it("says 127 for a command that is not there", async () => {
    expect(await container(["--project", project, "--", "no-such-command"])).toEqual({ code: 127, stdout: "", stderr: "no-such-command: command not found\n" });
  });

  it("explains itself, and every wrong argument in one sentence with exit code 2", async () => {
    expect((await container(["--help"])).stdout).toContain("Usage: npm run container");
    for (const [args, said] of [
      [[], "--project is required"],
      [["--project", "/nowhere-at-all", "--", "ls"], "/nowhere-at-all is not a folder"],
      [["--project", project], "No command was given"],
      [["--project", project, "--host", "moon", "--", "ls"], '--host must be local or stackblitz, not "moon"'],
      [["--project", project, "--allow-registry", "http://far.example", "--", "ls"], '--allow-registry must be a registry\'s https address, not "http://far.example"'],
      [["--colour", "--", "ls"], "Unknown option '--colour'"],
    ] as const) {
      const { code, stdout, stderr } = await container(args);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toContain(said);
    }
  });
});
