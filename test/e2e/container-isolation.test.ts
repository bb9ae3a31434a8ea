// What code in the container can reach: nothing of the app, nothing of the network. Each probe has a positive control,
// so that a probe that never works anywhere cannot pass for a wall.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";

let site: AppSite;
let page: Page;
/** Counts what reaches it: requests and WebSocket upgrades. */
const reached = { requests: 0, upgrades: 0 };
const listener = createServer((_request, response) => {
  reached.requests++;
  response.writeHead(200, { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" }).end("reached");
});
listener.on("upgrade", (_request, socket) => {
  reached.upgrades++;
  socket.destroy();
});
let target = "";

beforeAll(async () => {
  await new Promise<void>((resolve) => listener.listen(0, "localhost", resolve));
  target = `localhost:${(listener.address() as AddressInfo).port}`;
  ({ site, page } = await openContainer());
});
afterAll(async () => {
  await site?.close();
  listener.close();
});

/** Runs in a page or in a Worker: tries the network and tells what happened. */
const PROBE = `async (target) => {
  const http = await globalThis.fetch("http://" + target + "/").then((r) => r.text(), (e) => e.name);
  const socket = await new Promise((resolve) => {
    try {
      const ws = new WebSocket("ws://" + target + "/");
      ws.onopen = () => resolve("open");
      ws.onerror = () => resolve("error");
    } catch (e) { resolve(e.name); }
  });
  return { http, socket };
}`;

/** What a program in the container says, as JSON on its last line. */
async function inContainer(source: string): Promise<Record<string, unknown>> {
  const { output } = await page.evaluate((code) => (globalThis as ContainerWindow).run("node", ["-e", code]), source);
  return JSON.parse(output.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
}

describe("code in the container", () => {
  it("cannot reach the network, by fetch or by WebSocket, though the same probe elsewhere can", async () => {
    const control = await site.browser.newPage();
    await control.goto(`http://${target}/`);
    expect(await control.evaluate(`(${PROBE})(${JSON.stringify(target)})`)).toMatchObject({ http: "reached" });
    await control.close();
    expect(reached.requests).toBeGreaterThan(1);
    expect(reached.upgrades).toBe(1);
    const before = { ...reached };
    expect(await inContainer(`(${PROBE})(${JSON.stringify(target)}).then((r) => console.log(JSON.stringify(r)))`)).toEqual({ http: "TypeError", socket: expect.stringMatching(/error|Error/) as string });
    expect(reached).toEqual(before);
  });

  it("runs in an opaque origin without storage of any kind", async () => {
    // The runtime hides browser globals from programs; the wall must not depend on that, so a fresh Worker asks.
    const seen = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      await wc.fs.writeFile("where.js", "console.log('up')");
      const [host] = [...document.querySelectorAll("iframe")];
      const inner = host?.contentDocument?.querySelector("iframe");
      const sandbox = inner?.contentDocument?.querySelector("iframe");
      return { host: host?.src, inner: inner?.src, sandbox: sandbox?.getAttribute("sandbox"), document: sandbox?.contentDocument === null, srcdoc: sandbox?.srcdoc.length !== 0 };
    });
    expect(seen.sandbox).toBe("allow-scripts");
    expect(seen.document).toBe(true);
    const frames = page.frames();
    const opaque = frames.find((frame) => frame.url() === "about:srcdoc");
    expect(await opaque?.evaluate(() => globalThis.origin)).toBe("null");
    const storage = await opaque?.evaluate(async () => {
      const attempt = (action: () => unknown): string => {
        try {
          action();
          return "worked";
        } catch (error) {
          return (error as Error).name;
        }
      };
      const source = `
        const out = { origin: self.origin };
        try { indexedDB.open("x"); out.idb = "worked"; } catch (e) { out.idb = e.name; }
        navigator.storage?.getDirectory ? navigator.storage.getDirectory().then(() => "worked", (e) => e.name).then((opfs) => postMessage({ ...out, opfs })) : postMessage({ ...out, opfs: "SecurityError" });`;
      const inWorker = await new Promise((resolve) => {
        const worker = new Worker(URL.createObjectURL(new Blob([source])));
        worker.onmessage = ({ data }) => resolve(data);
      });
      return { local: attempt(() => localStorage.length), cookie: attempt(() => document.cookie), idb: attempt(() => indexedDB.open("x")), parent: attempt(() => (parent as Window).document.title), inWorker };
    });
    expect(storage).toEqual({
      local: "SecurityError", cookie: "SecurityError", idb: "SecurityError", parent: "SecurityError",
      inWorker: { origin: "null", idb: "SecurityError", opfs: "SecurityError" },
    });
  });

  it("cannot load scripts of the app's origin into its frame or a Worker", async () => {
    const opaque = page.frames().find((frame) => frame.url() === "about:srcdoc");
    // As text: the test runner rewrites import() in code, and knows nothing of this frame.
    const seen = await opaque?.evaluate<{ imported: string; worker: string }>(`(async () => {
      const imported = await import("${site.origin}/headless/index.html").then(() => "worked", (error) => error.name);
      const worker = await new Promise((resolve) => {
        try {
          const made = new Worker("${site.origin}/x.js");
          made.onerror = () => resolve("error");
          made.onmessage = () => resolve("worked");
        } catch (error) { resolve(error.name); }
      });
      return { imported, worker };
    })()`);
    expect(seen?.imported).not.toBe("worked");
    expect(seen?.worker).not.toBe("worked");
  });
});

describe("the policies", () => {
  it("give eval to the frame alone: neither the app nor /headless may, in header or in meta", async () => {
    for (const path of ["/", "/headless", "/headless/"]) {
      const response = await page.request.get(site.origin + path);
      const header = response.headers()["content-security-policy"] ?? "";
      const meta = (/http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(await response.text())?.[1] ?? "").replaceAll("&#39;", "'");
      for (const policy of [header, meta]) {
        expect(policy, path).toContain("script-src 'self'");
        expect(policy, path).not.toContain("'unsafe-eval'");
      }
    }
    expect((await page.request.get(`${site.origin}/headless/frame.html`)).headers()["content-security-policy"]).toContain("'unsafe-eval'");
  });

  it("are in force: eval throws in the app and in /headless, and works in the frame", async () => {
    // In a task of the page's own: what the debugger evaluates is exempt from the policy.
    const tryEval = (): Promise<string> =>
      new Promise((resolve) => {
        setTimeout(() => {
          try {
            resolve(String(new Function("return 1 + 1")()));
          } catch (error) {
            resolve((error as Error).name);
          }
        }, 0);
      });
    const results: Record<string, string> = {};
    for (const frame of page.frames()) results[new URL(frame.url(), "about:blank").pathname] = await frame.evaluate(tryEval);
    expect(results).toEqual({ "/": "EvalError", "/headless": "EvalError", "/headless/frame.html": "2", srcdoc: "2" });
  });
});
