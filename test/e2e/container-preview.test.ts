// The url of a port, in an iframe of the page that booted the container: a served site with all that sites are made of
// works there, and what runs in it reaches nothing else.
import type { Frame, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";
import { packageFiles } from "../support/package-tree.ts";
import { DOCUMENT_WAYS, type LeakServer, openLeakServer, REALM_WAYS, WORKER_WAYS } from "../support/leak-probes.ts";

const SERVER = `
const http = require("http");
const files = {
  "/": ["text/html", \`<!doctype html><title>Home</title><link rel="stylesheet" href="css/site.css"><script>var first = location.pathname</script><script src="app.js"></script><script type="module" src="/m/main.js"></script>
    <h1 class="big">Home</h1><img src="dot.svg" alt="dot"><a href="about?x=1#part">About</a><button onclick="document.title = 'clicked by ' + this.tagName">B</button>
    <form action="/echo" method="post"><input name="word" value="h\\u00e9 & co"><button name="go" value="1">Send</button></form>\`],
  "/css/site.css": ["text/css", "@import 'more.css'; h1 { background: url(../dot.svg) }"],
  "/css/more.css": ["text/css", ".big { color: rgb(1, 2, 3) }"],
  "/dot.svg": ["image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' width='7' height='5'/>"],
  "/app.js": ["text/javascript", "var classic = [first, window.location.href, document.currentScript !== null]"],
  "/m/main.js": ["text/javascript", "import { even } from './even.js'; import data from './data.json' with { type: 'json' }; globalThis.module = [even(10), data.n, import.meta.url, (await import('./late.js')).default]; history.pushState({ n: 1 }, '', '/pushed?p')"],
  "/m/even.js": ["text/javascript", "import { odd } from './odd.js'; export function even(n) { return n === 0 || odd(n - 1) }"],
  "/m/odd.js": ["text/javascript", "import { even } from './even.js'; export function odd(n) { return n !== 0 && even(n - 1) }"],
  "/m/data.json": ["application/json", '{"n":5}'],
  "/m/late.js": ["text/javascript", "export default location.port"],
  "/about": ["text/html", "<title>About</title><p id=part>about</p><script>localStorage.x = 1; document.title += localStorage.getItem('x') + document.cookie</script><a href='/old'>old</a>"],
};
http.createServer((request, response) => {
  const { pathname } = new URL(request.url, "http://x");
  if (pathname === "/old") return response.writeHead(302, { location: "/about", "set-cookie": "c=1; Path=/" }).end();
  if (pathname === "/slow") { response.write("one,"); return setTimeout(() => response.end("two"), 20); }
  if (pathname === "/echo") { let body = ""; request.on("data", (d) => body += d).on("end", () => response.writeHead(201, { "content-type": "text/html" }).end("<pre>" + request.method + " " + request.headers["content-type"] + " " + body + "</pre>")); return; }
  const found = files[pathname];
  response.writeHead(found ? 200 : 404, { "content-type": found?.[0] ?? "text/plain" }).end(found?.[1] ?? "none");
}).listen(3000, () => console.log("up"));
`;

let site: AppSite;
let page: Page;
let leaks: LeakServer;

/** A page that says what it hears, and a server of ws, the library. */
const CHAT = `
const http = require("http"), { WebSocketServer } = require("ws");
const page = \`<!doctype html><title>Chat</title><script>
  const heard = [], socket = new WebSocket("/chat?room=1#no", ["chat", "other"]);
  const states = [socket.readyState, socket.url];
  const note = (event) => heard.push([event.type, event.data, event.code, event.reason, event.wasClean].filter((x) => x !== undefined));
  for (const type of ["open", "message", "error", "close"]) socket.addEventListener(type, note);
</script>\`;
const server = http.createServer((request, response) => response.writeHead(200, { "content-type": "text/html", "set-cookie": "who=me" }).end(page)).listen(3100);
new WebSocketServer({ server, path: "/chat" }).on("connection", (socket, request) => {
  socket.send(JSON.stringify([request.url, request.headers.origin, request.headers.cookie, socket.protocol]));
  socket.on("message", (data, isBinary) => String(data) === "leave" ? socket.close(4002, "you asked") : socket.send(isBinary ? Buffer.from(data).reverse() : data + "!"));
  socket.on("close", (code, reason) => console.log("closed", code, String(reason)));
});
`;

interface Running {
  kill(): void;
  readonly exit: Promise<number>;
}

type PreviewWindow = ContainerWindow & { url: string; other: string; server: Running; chat: Running };

/** Starts the server and waits for the url of its port. */
async function serve(): Promise<void> {
  await page.evaluate(async (source) => {
    const w = globalThis as PreviewWindow;
    await w.wc.fs.writeFile("server.js", source);
    const ready = new Promise<string>((resolve) => w.wc.on("server-ready", (_port, url) => resolve(url)));
    w.server = await w.wc.spawn("node", ["server.js"]);
    w.url = await ready;
  }, SERVER);
}

/** Puts the url, with a path after it, into an iframe of the page. */
async function show(path = ""): Promise<void> {
  await page.evaluate((rest) => {
    document.querySelector("#preview")?.remove();
    const { url } = globalThis as PreviewWindow;
    document.body.append(Object.assign(document.createElement("iframe"), { id: "preview", src: url + rest, style: "width: 600px; height: 400px" }));
  }, path);
}

const outer = (): Frame => page.frames().find((frame) => frame.url().includes("/headless/preview.html"))!;
const inner = (): Frame | undefined => outer()?.childFrames()[0];
const title = (): Promise<string> => Promise.resolve(inner()?.title() ?? "").catch(() => "");
const at = (): string => new URL(outer().url()).hash;

beforeAll(async () => {
  leaks = await openLeakServer();
  ({ site, page } = await openContainer());
  await serve();
});
afterAll(async () => {
  await site?.close();
  leaks.close();
});

describe("the url of a port", () => {
  it("shows the site: style sheets, images, scripts of both kinds, inline handlers, its address", async () => {
    await show();
    await expect.poll(() => inner()?.evaluate("JSON.stringify(globalThis.module)").catch(() => ""), { timeout: 10_000 }).toBe(JSON.stringify([true, 5, "http://localhost:3000/m/main.js", "3000"]));
    const seen = await inner()!.evaluate(`({ classic, color: getComputedStyle(document.querySelector("h1")).color, image: document.querySelector("img").naturalWidth, background: getComputedStyle(document.querySelector("h1")).backgroundImage.slice(0, 9) })`);
    expect(seen).toEqual({ classic: ["/", "http://localhost:3000/", true], color: "rgb(1, 2, 3)", image: 7, background: 'url("blob' });
    await inner()!.click("button[onclick]");
    expect(await title()).toBe("clicked by BUTTON");
    expect(at()).toBe("#3000/pushed?p");
  });

  it("answers fetch, XMLHttpRequest, streams and what scripts add", async () => {
    const seen = await inner()!.evaluate(`(async () => {
      const answer = await fetch("slow");
      const xhr = await new Promise((resolve) => { const x = new XMLHttpRequest(); x.open("GET", "/m/data.json"); x.responseType = "json"; x.onload = () => resolve([x.status, x.response]); x.send(); });
      const posted = await fetch("/echo", { method: "POST", body: new URLSearchParams({ a: 1 }) });
      const script = Object.assign(document.createElement("script"), { src: "/app.js" });
      const loaded = await new Promise((resolve) => { script.onload = () => resolve("loaded"); script.onerror = () => resolve("error"); document.head.append(script); });
      const missing = await new Promise((resolve) => { const s = document.createElement("script"); s.src = "/none.js"; s.onerror = () => resolve("error"); document.head.append(s); });
      const inline = document.createElement("script"); inline.textContent = "globalThis.ran = location.port"; document.body.appendChild(inline);
      const image = await new Promise((resolve) => { const i = new Image(); i.onload = () => i.naturalWidth && resolve(i.naturalWidth); i.src = "/dot.svg"; document.body.append(i); });
      const outside = await fetch("http://example.com/").then(() => "worked", (error) => error.name);
      return { slow: await answer.text(), url: answer.url, xhr, posted: [posted.status, await posted.text()], loaded, missing, ran, image, outside, state: history.state };
    })()`);
    expect(seen).toEqual({
      slow: "one,two", url: "http://localhost:3000/slow", xhr: [200, { n: 5 }], posted: [201, "<pre>POST application/x-www-form-urlencoded;charset=UTF-8 a=1</pre>"],
      loaded: "loaded", missing: "error", ran: "3000", image: 7, outside: "TypeError", state: { n: 1 },
    });
  });

  it("follows links, redirects, forms and the history, and keeps cookies", async () => {
    await show();
    await expect.poll(title, { timeout: 10_000 }).toBe("Home");
    await inner()!.click("a");
    await expect.poll(title).toBe("About1");
    expect(at()).toBe("#3000/about?x=1#part");
    await inner()!.click("a");
    await expect.poll(title).toBe("About1c=1");
    expect(at()).toBe("#3000/about");
    await inner()!.evaluate("history.go(-3)");
    await expect.poll(title).toBe("Home");
    await inner()!.click("form button");
    await expect.poll(() => inner()?.textContent("pre").catch(() => "")).toBe("POST application/x-www-form-urlencoded;charset=UTF-8 word=h%C3%A9+%26+co&go=1");
    expect(at()).toBe("#3000/echo");
  });

  it("says so when the server has ended, and shows it again when it is back", async () => {
    await page.evaluate(async () => {
      const { server } = globalThis as PreviewWindow;
      server.kill();
      await server.exit;
    });
    await show("/about");
    await expect.poll(() => outer()?.textContent("main").catch(() => ""), { timeout: 10_000 }).toContain("Nothing listens on port 3000");
    await serve();
    await expect.poll(title, { timeout: 10_000 }).toBe("About1");
  });
});

describe("WebSockets of a preview", () => {
  const heard = (): Promise<unknown> => inner()!.evaluate("heard");

  it("talk to the container's servers: text, bytes, Blobs, protocols, cookies, goodbyes; and to nobody else", async () => {
    await page.evaluate(async ([files, chat]) => {
      const w = globalThis as PreviewWindow;
      await w.wc.fs.mkdir("node_modules/ws/lib", { recursive: true });
      for (const [path, text] of Object.entries(files)) await w.wc.fs.writeFile(path, text);
      await w.wc.fs.writeFile("chat.js", chat);
      const ready = new Promise<string>((resolve) => w.wc.on("server-ready", (port, url) => port === 3100 && resolve(url)));
      w.chat = await w.wc.spawn("node", ["chat.js"]);
      w.other = w.url;
      w.url = await ready;
    }, [packageFiles(["ws"]), CHAT] as const);
    await show();
    const greeting = ["message", JSON.stringify(["/chat?room=1", "http://localhost:3100", "who=me", "chat"])];
    await expect.poll(() => heard().catch(() => []), { timeout: 10_000 }).toEqual([["open"], greeting]);
    expect(await inner()!.evaluate("[...states, socket.readyState, socket.protocol, socket.OPEN, WebSocket.CLOSED, socket instanceof WebSocket]")).toEqual([0, "ws://localhost:3100/chat?room=1", 1, "chat", 1, 3, true]);
    await inner()!.evaluate(`socket.binaryType = "arraybuffer"; socket.removeEventListener("message", note); socket.onmessage = async ({ data }) => heard.push(typeof data === "string" ? data : [...new Uint8Array(data)]);
      socket.send("first"); socket.send(new Blob([Uint8Array.of(1, 2, 3)])); socket.send(Uint8Array.of(4, 5).buffer); socket.send(new Uint16Array([258]).subarray(0)); socket.send("last"); globalThis.waiting = socket.bufferedAmount; socket.send("leave")`);
    await expect.poll(heard).toEqual([["open"], greeting, "first!", [3, 2, 1], [5, 4], [1, 2], "last!", ["close", 4002, "you asked", true]]);
    expect(await inner()!.evaluate("[waiting, socket.bufferedAmount, socket.readyState]")).toEqual([16, 0, 3]);
    const outcome = await inner()!.evaluate(`(async () => {
      const of = (make) => new Promise((resolve) => { try { const s = make(), seen = []; s.onopen = () => { seen.push("open"); s.close(3001, "bye") }; s.onerror = () => seen.push("error"); s.onclose = (e) => resolve([...seen, e.code, e.reason, e.wasClean]) } catch (error) { resolve(error.name) } });
      return [await of(() => new WebSocket("/chat")), await of(() => new WebSocket("ws://localhost:9/")), await of(() => new WebSocket("/elsewhere")), await new Promise((resolve) => { const s = new WebSocket("ws://there.example/"); s.onopen = s.onerror = ({ type }) => resolve(type) }), await of(() => new WebSocket("/chat", ["a", "a"])), await of(() => new WebSocket("http://[")), await of(() => { const s = new WebSocket("/chat"); s.send("too early") })];
    })()`);
    expect(outcome).toEqual([["open", 3001, "bye", true], ["error", 1006, "", false], ["error", 1006, "", false], "error", "SyntaxError", "SyntaxError", "InvalidStateError"]);
    // Another document: what was open is left.
    await show();
    await expect.poll(() => heard().catch(() => []), { timeout: 10_000 }).toEqual([["open"], greeting]);
    await page.evaluate(async () => {
      const w = globalThis as PreviewWindow;
      w.url = w.other;
      w.chat.kill();
      await w.chat.exit;
    });
    await expect.poll(heard).toEqual([["open"], greeting, ["error"], ["close", 1006, "", false]]);
  });
});

describe("what runs in a preview", () => {
  it("reaches no server outside, by any way that works elsewhere, WebRTC included", async () => {
    const context = await site.browser.newContext();
    const control = await context.newPage();
    await control.goto(`http://${leaks.host}/page`);
    await control.evaluate(`(${REALM_WAYS})(${JSON.stringify(leaks.host)})`);
    expect(leaks.reached()).toEqual(expect.arrayContaining(["nested-inline", "webrtc"]));
    await context.close();
    await show("/about");
    await expect.poll(title, { timeout: 10_000 }).toBe("About1");
    await Promise.all([DOCUMENT_WAYS, REALM_WAYS, WORKER_WAYS].map((ways) => inner()!.evaluate(`(${ways})(${JSON.stringify(leaks.host)})`)));
    expect(leaks.reached()).toEqual([]);
  });

  it("has no storage, no way into the app, /headless or the kernel, and cannot leave", async () => {
    const seen = await inner()!.evaluate(`(() => {
      const attempt = (action) => { try { action(); return "worked"; } catch (error) { return error.name; } };
      return { origin, idb: attempt(() => indexedDB.open("x")), caches: attempt(() => caches.keys().catch(() => 0)), parent: attempt(() => parent.document), top: attempt(() => top.document), frames: [...Array(top.length).keys()].map((i) => attempt(() => top[i].document)), opener: opener, sw: attempt(() => navigator.serviceWorker.register("/x.js").catch(() => { throw new DOMException("", "SecurityError") })) };
    })()`);
    expect(seen).toMatchObject({ origin: "null", idb: "SecurityError", parent: "SecurityError", top: "SecurityError", opener: null });
    expect(new Set((seen as { frames: string[] }).frames)).toEqual(new Set(["SecurityError"]));
    // Malformed and forged messages to the page around it, to /headless and to the app: nothing changes and nothing answers.
    await inner()!.evaluate(`(() => {
      const odd = [null, 1, "x", {}, { type: "request", id: 1, url: "http://localhost:3000/", method: "GET /\\r\\n", headers: [], body: null }, { type: "navigate", to: { url: "javascript:alert(1)", headers: [] } }, { type: "navigate", to: { url: "https://example.com/" , headers: [] } }, { type: "at", url: "http://localhost:3001/", push: true, key: 1 }, { type: "socket-open", id: 1, url: "ws://localhost:3000/", protocols: ["a b"] }, { type: "socket-close", id: 1, code: 5, reason: "" }, { type: "preview" }, { type: "connect", socket: 1, port: 3000 }, JSON.parse('{"__proto__":{"polluted":1}}')];
      for (const message of odd) for (const to of [parent, top, ...Array.from({ length: top.length }, (_, i) => top[i])]) to.postMessage(message, "*", message?.type === "preview" ? [new MessageChannel().port1] : []);
    })()`);
    await page.evaluate(() => (globalThis as ContainerWindow).pause(200));
    expect(at()).toBe("#3000/about");
    expect(await outer().evaluate("({}).polluted")).toBeUndefined();
    // It leaves: the page around it says so.
    await inner()!.evaluate(`{ const { location: real } = window; const name = "location"; window[name] = "http://${leaks.host}/location"; }`).catch(() => undefined);
    await expect.poll(() => outer()?.textContent("main").catch(() => ""), { timeout: 10_000 }).toContain("The page left the preview");
    expect(leaks.reached()).toEqual([]);
    expect((await page.evaluate(() => (globalThis as ContainerWindow).run("node", ["-p", "6*7"]))).output).toBe("42\n");
  });
});
