// Hundreds of scripts, against what bash made of them.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DIFFERENCES, FILES, SCRIPTS } from "../../fixtures/shell/scripts.ts";
import { runShell } from "../../support/shell-process.ts";

interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

const recorded = JSON.parse(readFileSync(new URL("../../fixtures/shell/recorded.json", import.meta.url), "utf8")) as Record<string, Result>;

describe.each(Object.entries(SCRIPTS))("%s", (_, scripts) => {
  it.each(scripts.filter((script) => !(script in DIFFERENCES)))("%s", async (script) => {
    expect(await runShell(script, { files: FILES, stdin: "" })).toEqual(recorded[script]);
  });
});

describe("the table of differences", () => {
  it.each(Object.keys(DIFFERENCES))("still holds for %s", async (script) => {
    expect(recorded[script]).toBeDefined();
    expect(await runShell(script, { files: FILES, stdin: "" })).not.toEqual(recorded[script]);
  });
});
