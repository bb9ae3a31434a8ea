// Every way that code in a page or a Worker can reach a server, and a server that notices: by request, WebSocket upgrade or
// datagram. Each way has a name, which is the path that is asked for. Run without a policy first: what is not noticed
// there proves nothing elsewhere.
import { createSocket } from "node:dgram";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface LeakServer {
  /** `localhost:PORT`: HTTP, WebSocket and, as UDP, STUN and QUIC. */
  readonly host: string;
  /** Names of the ways that reached it since the last call, sorted. */
  reached(): readonly string[];
  close(): void;
}

export async function openLeakServer(): Promise<LeakServer> {
  const seen = new Set<string>();
  const server = createServer(({ url = "/" }, response) => {
    seen.add(url.slice(1).split("?")[0] ?? "");
    const type = url.startsWith("/css") ? "text/css" : url.startsWith("/page") || url === "/" ? "text/html" : "text/javascript";
    response.writeHead(200, { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin", "content-type": type, "cache-control": "no-store" }).end(type === "text/html" ? "<!doctype html><body>control" : "");
  });
  server.on("upgrade", ({ url = "" }, socket) => {
    seen.add(url.slice(1));
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const udp = createSocket("udp4");
  // A STUN request carries this number; nothing else that speaks UDP does.
  udp.on("message", (packet) => seen.add(packet.length >= 8 && packet.readUInt32BE(4) === 0x2112a442 ? "webrtc" : "datagram"));
  await new Promise<void>((resolve) => udp.bind(port, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${port}`,
    reached() {
      const names = [...seen].filter((name) => !["", "favicon.ico", "page"].includes(name)).sort();
      seen.clear();
      return names;
    },
    close() {
      server.closeAllConnections();
      server.close();
      udp.close();
    },
  };
}

/** In a Worker; text, because it is evaluated far from here. Resolves when every way was tried. */
export const WORKER_WAYS = `async (host) => {
  const at = (name) => "http://" + host + "/" + name;
  const soon = (promise) => Promise.race([promise, new Promise((resolve) => setTimeout(resolve, 1500))]);
  const attempt = async (action) => { try { await soon(action()); } catch { /* that it failed is what is hoped for */ } };
  const nested = (source) => new Promise((resolve) => { const made = new Worker(source); made.onmessage = made.onerror = resolve; });
  const blob = (code) => URL.createObjectURL(new Blob([code + "; postMessage(1)"], { type: "text/javascript" }));
  await Promise.all([
    () => fetch(at("fetch")), () => fetch(at("keepalive"), { method: "POST", body: "x", keepalive: true, mode: "no-cors" }),
    () => new Promise((resolve) => { const xhr = new XMLHttpRequest(); xhr.onloadend = resolve; xhr.open("GET", at("xhr")); xhr.send(); }),
    () => new Promise((resolve) => { const ws = new WebSocket("ws://" + host + "/websocket"); ws.onopen = ws.onerror = resolve; }),
    () => new Promise((resolve) => { const events = new EventSource(at("eventsource")); events.onopen = events.onerror = resolve; }),
    () => import(at("import")),
    async () => typeof importScripts === "function" && importScripts(at("importscripts")),
    () => nested(at("worker")), () => nested(blob("fetch('" + at("blob-worker") + "')")),
    () => nested("data:text/javascript,fetch('" + at("data-worker") + "').catch(()=>{}).then(()=>postMessage(1))"),
    () => new FontFace("probe", "url(" + at("fontface") + ")").load(),
    async () => typeof WebTransport === "function" && new WebTransport("https://" + host + "/webtransport").ready,
    () => WebAssembly.compileStreaming(fetch(at("wasm"))),
    () => caches.open("x").then((cache) => cache.add(at("cache"))),
  ].map(attempt));
}`;

/** In a document, beside those of a Worker. The document stays. */
export const DOCUMENT_WAYS = `async (host) => {
  const at = (name) => "http://" + host + "/" + name;
  const add = (tag, fields) => { const element = Object.assign(document.createElement(tag), fields); document.documentElement.append(element); return element; };
  const attempt = (action) => { try { action(); } catch { /* that it failed is what is hoped for */ } };
  [
    () => navigator.sendBeacon(at("beacon"), "x"),
    () => { new Image().src = at("img"); }, () => add("img", { srcset: at("srcset") + " 2x" }),
    () => add("link", { rel: "stylesheet", href: at("css") }), () => add("style", { textContent: "@import url(" + at("css-import") + "); html { background: url(" + at("background") + ") }" }),
    () => add("script", { src: at("script") }), () => add("script", { type: "module", src: at("module") }), () => add("script", { textContent: "fetch('" + at("inline") + "')" }),
    () => add("link", { rel: "prefetch", href: at("prefetch") }), () => add("link", { rel: "preload", as: "fetch", crossOrigin: "anonymous", href: at("preload") }), () => add("link", { rel: "modulepreload", href: at("modulepreload") }),
    () => add("link", { rel: "manifest", href: at("manifest") }), () => add("link", { rel: "icon", href: at("icon") }),
    () => add("iframe", { src: at("iframe") }), () => add("object", { data: at("object") }), () => add("embed", { src: at("embed") }),
    () => add("video", { src: at("video"), preload: "auto" }), () => add("audio", { src: at("audio"), preload: "auto" }), () => add("video", { poster: at("poster") }),
    () => add("iframe", { srcdoc: "<img src=" + at("nested-img") + "><script>fetch('" + at("nested-fetch") + "')</scr" + "ipt>" }),
    () => { const link = add("a", { href: location.href + "#x", ping: at("ping") }); link.click(); },
    () => window.open(at("open")),
    () => { const body = add("div", {}); body.innerHTML = "<svg><image href='" + at("svg-image") + "'/></svg>"; },
    async () => { const peer = new RTCPeerConnection({ iceServers: [{ urls: "stun:" + host }] }); peer.createDataChannel("x"); await peer.setLocalDescription(await peer.createOffer()); },
  ].forEach(attempt);
  await new Promise((resolve) => setTimeout(resolve, 1500));
}`;

/** Past a realm's own missing parts: other realms that a document can make, WebRTC in each, and hints that connect. */
export const REALM_WAYS = `async (host) => {
  const at = (name) => "http://" + host + "/" + name;
  const frame = (fields, root = document.documentElement) => { const made = Object.assign(document.createElement("iframe"), fields); root.append(made); return made; };
  const attempt = (action) => { try { action(); } catch { /* that it failed is what is hoped for */ } };
  const webrtc = "async (realm) => { const peer = new realm.RTCPeerConnection({ iceServers: [{ urls: 'stun:" + host + "' }] }); peer.createDataChannel('x'); await peer.setLocalDescription(await peer.createOffer()); }";
  const script = "(" + webrtc + ")(window); new Image().src = '" + at("nested-inline") + "'";
  const blob = (text, type) => URL.createObjectURL(new Blob([text], { type }));
  [
    () => eval(webrtc)(frame({}).contentWindow),
    () => eval(webrtc)(frame({ src: "about:blank" }).contentWindow),
    () => frame({ srcdoc: "<script>" + script + "</scr" + "ipt>" }),
    () => frame({ srcdoc: "<body onload=\\"" + script + "\\">" }),
    () => frame({ srcdoc: "<script src='" + blob(script, "text/javascript") + "'></scr" + "ipt>" }),
    () => frame({ src: blob("<script>" + script + "</scr" + "ipt>", "text/html") }),
    () => frame({ src: "javascript:" + script }),
    () => frame({ srcdoc: "<script>" + script + "</scr" + "ipt>" }, document.documentElement.appendChild(document.createElement("div")).attachShadow({ mode: "closed" })),
    () => document.documentElement.append(Object.assign(document.createElement("object"), { data: "data:text/html,<script>" + script + "</scr" + "ipt>" })),
    () => eval(webrtc)(window.open("about:blank")),
    () => document.documentElement.append(Object.assign(document.createElement("script"), { type: "speculationrules", textContent: JSON.stringify({ prefetch: [{ source: "list", urls: [at("speculation")] }] }) })),
  ].forEach(attempt);
  await new Promise((resolve) => setTimeout(resolve, 1500));
}`;

/** These end the document if they work: one at a time, the last of all. */
export const LEAVING_WAYS: Readonly<Record<string, string>> = {
  form: `(host) => { const form = Object.assign(document.createElement("form"), { action: "http://" + host + "/form", method: "post" }); document.documentElement.append(form); form.submit(); }`,
  top: `(host) => { top.location = "http://" + host + "/top"; }`,
  location: `(host) => { location.href = "http://" + host + "/location"; }`,
  refresh: `(host) => { document.documentElement.append(Object.assign(document.createElement("meta"), { httpEquiv: "refresh", content: "0;url=http://" + host + "/refresh" })); }`,
};
