// Every recorded program gives the exit code and the output that real Node 20 gave (see test/fixtures/node/record.ts).
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { keys } from "../../src/headless/libraries/keys.ts";
import { terminal } from "../../src/headless/libraries/terminal.ts";
import { runNode } from "../../src/headless/node/run.ts";
import { Vfs } from "../../src/headless/vfs.ts";
import { FOLDER, normalise, normaliseStderr, type Outcome } from "../fixtures/node/normalise.ts";
import { type NodeProgram, PROGRAMS } from "../fixtures/node/programs.ts";
import { NETWORK_PROGRAMS } from "../fixtures/node/programs-network.ts";
import { VALUE_PROGRAMS } from "../fixtures/node/programs-values.ts";
import { makeCodeMemory, useCodeMemory } from "../../src/headless/known-code.ts";

const read = (file: string): Record<string, Outcome> => (JSON.parse(readFileSync(new URL(`../fixtures/node/${file}`, import.meta.url), "utf8")) as { programs: Record<string, Outcome> }).programs;
const recorded = { ...read("recorded.json"), ...read("recorded-network.json"), ...read("recorded-values.json") };

async function run(program: NodeProgram): Promise<Outcome> {
  const vfs = new Vfs();
  vfs.mkdir(FOLDER);
  vfs.mkdir("/tmp");
  for (const [name, text] of Object.entries(program.files)) {
    const path = `${FOLDER}/${name}`;
    vfs.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    vfs.writeFile(path, new TextEncoder().encode(text));
  }
  const said = { stdout: "", stderr: "" };
  const listen = (name: "stdout" | "stderr"): ((bytes: Uint8Array) => void) => {
    const decoder = new TextDecoder();
    return (bytes) => (said[name] += decoder.decode(bytes, { stream: true }));
  };
  const code = await runNode({
    vfs, argv: program.argv, cwd: FOLDER, env: { PATH: "/usr/bin" }, stdout: listen("stdout"), stderr: listen("stderr"),
    stdin: new TextEncoder().encode(program.stdin ?? ""), libraries: { keys, terminal }, signal: AbortSignal.timeout(15_000),
  });
  return { code, stdout: normalise(said.stdout, FOLDER), stderr: (program.wholeStderr ? normalise : normaliseStderr)(said.stderr, FOLDER) };
}

// All that can be known of their code goes through shared memory, as between processes of the container.
useCodeMemory(makeCodeMemory(1 << 24), 0);

describe("a program ends and prints as under real Node 20", () => {
  for (const program of [...PROGRAMS, ...NETWORK_PROGRAMS, ...VALUE_PROGRAMS].filter(({ browserOnly }) => browserOnly !== true)) {
    it(program.name, async () => {
      expect(await run(program)).toEqual(recorded[program.name]);
    });
  }
});
