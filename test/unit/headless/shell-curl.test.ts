// The shell's curl beside curl itself: the same scripts, asked of the same server over real connections.
import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CURL_FILES, CURL_SCRIPTS } from "../../fixtures/shell/curl-scripts.ts";
import { startCurlServer } from "../../fixtures/shell/curl-server.ts";
import { runShell } from "../../support/shell-process.ts";

const recorded = JSON.parse(readFileSync(new URL("../../fixtures/shell/recorded-curl.json", import.meta.url), "utf8")) as Record<string, { readonly stdout: string; readonly stderr: string }>;
let started: Awaited<ReturnType<typeof startCurlServer>>;

beforeAll(async () => {
  started = await startCurlServer();
});
afterAll(() => {
  started.server.closeAllConnections();
  started.server.close();
});

describe("curl", () => {
  it.for(CURL_SCRIPTS)("%s", async (script) => {
    const { port } = started;
    const plain = (text: string): string => text.replaceAll(String(port), "PORT");
    const { stdout, stderr } = await runShell(script.replaceAll("CLOSED", "9"), { env: { U: `http://localhost:${port}` }, files: CURL_FILES });
    expect({ stdout: plain(stdout), stderr: plain(stderr) }).toEqual(recorded[script]);
  });

  it("says that nothing reaches the internet, and that there is no TLS", async () => {
    const far = await runShell("curl https://example.com/x");
    expect([far.code, far.stderr]).toEqual([6, "curl: (6) Could not resolve host: example.com\ncurl: nothing in the container reaches the internet; a server of the project is at http://localhost:PORT\n"]);
    const secret = await runShell("curl -s https://localhost:3000/; echo $?; curl -sS https://localhost:3000/");
    expect([secret.stdout, secret.stderr]).toEqual(["35\n", "curl: (35) no TLS between programs of the container: ask http://localhost:3000\n"]);
  });
});
