// What code in the container can reach: nothing of the app, nothing of the network. Each probe has a positive control,
// so that a probe that never works anywhere cannot pass for a wall.
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";
import { DOCUMENT_WAYS, LEAVING_WAYS, type LeakServer, openLeakServer, WORKER_WAYS } from "../support/leak-probes.ts";

let site: AppSite;
let page: Page;
let server: LeakServer;

beforeAll(async () => {
  server = await openLeakServer();
  ({ site, page } = await openContainer());
});
afterAll(async () => {
  await site?.close();
  server.close();
});

const opaqueFrame = (of: Page): Frame | undefined => of.frames().find((frame) => frame.url().startsWith("about:srcdoc"));
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs the ways in a Worker that this document makes from a blob, as the kernel makes its processes. */
const inWorkerOf = (frame: Frame): Promise<unknown> =>
  frame.evaluate(`new Promise((resolve) => {
    const made = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(`(${WORKER_WAYS})(${JSON.stringify(server.host)}).then(() => postMessage(1))`)}], { type: "text/javascript" })));
    made.onmessage = resolve;
    made.onerror = (event) => resolve(event.message);
  })`);

const inDocumentOf = (frame: Frame, ways: string | undefined = DOCUMENT_WAYS): Promise<unknown> => frame.evaluate(`(${ways})(${JSON.stringify(server.host)})`);

/** A page of the server's own: nothing holds it back. */
async function controlFrame(): Promise<{ frame: Frame; close(): Promise<void> }> {
  const context = await site.browser.newContext();
  const control = await context.newPage();
  await control.goto(`http://${server.host}/page`);
  return { frame: control.mainFrame(), close: () => context.close() };
}

describe("code in the container", () => {
  it("cannot reach the network from a Worker, as a program runs in one, by any way that works elsewhere", async () => {
    const control = await controlFrame();
    await inWorkerOf(control.frame);
    const works = server.reached();
    await control.close();
    // The probe is real: without a policy the server hears of all of these.
    expect(works).toEqual(expect.arrayContaining(["blob-worker", "cache", "eventsource", "fetch", "fontface", "import", "importscripts", "keepalive", "wasm", "websocket", "worker", "xhr"]));
    const opaque = opaqueFrame(page);
    await inWorkerOf(opaque!);
    expect(server.reached()).toEqual([]);
    // And from a program itself, with whatever the runtime left it.
    const { code } = await page.evaluate(([ways, host]) => (globalThis as ContainerWindow).run("node", ["-e", `(${ways})("${host}").then(() => process.exit(5))`]), [WORKER_WAYS, server.host] as const);
    expect(code).toBe(5);
    expect(server.reached()).toEqual([]);
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

describe("the kernel's frame", () => {
  it("cannot reach the network, should code ever get there, by any way that works elsewhere but one", async () => {
    const control = await controlFrame();
    await Promise.all([inWorkerOf(control.frame), inDocumentOf(control.frame)]);
    const works = server.reached();
    await control.close();
    expect(works).toEqual(
      expect.arrayContaining([
        "audio", "background", "beacon", "css", "css-import", "embed", "iframe", "img", "inline", "module", "modulepreload", "nested-fetch", "nested-img", "object", "open", "ping", "poster", "prefetch", "preload", "script", "srcset",
        "svg-image", "video", "webrtc",
      ]),
    );
    for (const [name, way] of Object.entries(LEAVING_WAYS)) {
      const { frame, close } = await controlFrame();
      await inDocumentOf(frame, way).catch(() => undefined); // it may be gone before it answers
      await expect.poll(() => server.reached(), { message: name }).toEqual([name]);
      await close();
    }
    const opaque = opaqueFrame(page);
    await Promise.all([inWorkerOf(opaque!), inDocumentOf(opaque!)]);
    for (const way of [LEAVING_WAYS["form"], LEAVING_WAYS["top"]]) await inDocumentOf(opaque!, way).catch(() => undefined);
    await pause(300);
    // Chromium has no policy against WebRTC. No program gets here, and a Worker has none.
    expect(server.reached()).toEqual(["webrtc"]);
    expect(await opaque!.evaluate(() => typeof RTCPeerConnection)).toBe("function");
    expect((await page.evaluate(() => (globalThis as ContainerWindow).run("node", ["-p", "typeof RTCPeerConnection"]))).output).toBe("undefined\n");
    expect(page.url()).toContain(site.origin);
    expect((await page.evaluate(() => (globalThis as ContainerWindow).run("node", ["-p", "6*7"]))).output).toBe("42\n");
  });
});

describe("a container that ends by itself", () => {
  it.each(["location", "refresh"])("is told of, leaves nobody waiting, and can be booted again, when code in its frame tries to leave (%s)", async (way) => {
    await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const running = await wc.spawn("node", ["-e", "setInterval(() => {}, 1000)"]);
      Object.assign(globalThis, { told: new Promise((resolve) => wc.on("error", ({ message }) => resolve(message))), exited: running.exit });
    });
    // The policy holds it back, and the kernel is gone.
    await inDocumentOf(opaqueFrame(page)!, LEAVING_WAYS[way]).catch(() => undefined); // it may be gone before it answers
    const seen = await page.evaluate(async () => {
      const { told, exited, wc, failure } = globalThis as ContainerWindow & { told: Promise<string>; exited: Promise<number> };
      return [await exited, await told, await failure(wc.fs.readFile("x"))];
    });
    expect(seen).toEqual([137, expect.stringMatching(/The container has crashed.*Boot it again/) as string, expect.stringContaining("The container has crashed") as string]);
    const output = await page.evaluate(async () => {
      const w = globalThis as ContainerWindow;
      w.wc.teardown();
      w.wc = await w.tabwrightLab.container.boot();
      return w.run("node", ["-p", "6*7"]);
    });
    expect(output).toEqual({ code: 0, output: "42\n" });
    expect(server.reached()).not.toContain(way);
  });
});
