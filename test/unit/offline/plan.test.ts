// Which version answers which request. A small world: two versions stored, pages that run on either.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Asked, type Known, NETWORK, planAnswer, unusedVersions } from "../../../src/offline/plan.ts";
import { entryAt, type PrecacheList, versionOf } from "../../../src/offline/precache.ts";

const ORIGIN = "https://tab.example";

function list(tag: string, ...more: readonly string[]): PrecacheList {
  return ["index.html", "headless/index.html", "headless/frame.html", "models/models.json", `assets/app-${tag}.js`, "assets/same-00.js", ...more].map((url) => ({
    url,
    revision: url.startsWith("assets/") ? url : `${url}@${tag}`,
    bytes: 1,
  }));
}

const known: Known = {
  origin: ORIGIN,
  own: "new",
  lists: new Map([["old", list("old")], ["new", list("new")]]),
  clients: new Map([["tab-old", "old"], ["tab-new", "new"], ["worker-old", "old"], ["lab", NETWORK]]),
  running: new Set(["old", "new"]),
};

/** "page /", "frame /headless", "part /x by tab-old" */
function asked(text: string): Asked {
  const [kind, path, , clientId = ""] = text.split(" ");
  return { kind: kind as Asked["kind"], url: new URL(path ?? "/", ORIGIN), method: "GET", clientId };
}

/** "old models/models.json", "network", "browser", "parent"; and what the new client runs on. */
function plan(text: string, change: Partial<Known> = {}): string {
  const { answer, runsOn } = planAnswer(asked(text), { ...known, ...change });
  const from = answer.from === "cache" ? `${answer.version} ${answer.entry.url}` : answer.from;
  return runsOn === undefined ? from : `${from}, runs on ${runsOn}`;
}

describe("a request", () => {
  it.each([
    ["page /", "new index.html, runs on new"],
    ["page /?project=1#x", "new index.html, runs on new"],
    ["page /?lab", "network, runs on network"],
    ["page /unknown", "network, runs on network"],
    ["part /models/models.json by tab-old", "old models/models.json"],
    ["part /models/models.json by worker-old", "old models/models.json"],
    ["part /models/models.json by tab-new", "new models/models.json"],
    ["part /models/models.json by lab", "browser"],
    ["part /models/models.json by nobody-knows", "new models/models.json"],
    ["part /lab/model.gguf by tab-new", "browser"],
    ["worker /assets/app-old.js by tab-old", "old assets/app-old.js, runs on old"],
    ["worker /elsewhere.js by tab-old", "network, runs on old"],
    ["part /assets/gone-77.js by tab-old", "browser"],
  ])("%s is answered by: %s", (request, answer) => {
    expect(plan(request)).toBe(answer);
  });

  it("for a hashed file is answered by any version that has it: the same name is the same content", () => {
    expect(plan("part /assets/app-old.js by tab-new")).toBe("old assets/app-old.js");
    expect(plan("part /assets/app-new.js by tab-old")).toBe("new assets/app-new.js");
  });

  it("that changes something, or goes to another site, is left alone", () => {
    expect(planAnswer({ ...asked("part /models/models.json by tab-new"), method: "POST" }, known).answer.from).toBe("browser");
    expect(planAnswer({ ...asked("part / by tab-new"), url: new URL("https://huggingface.co/models/models.json") }, known).answer.from).toBe("browser");
  });
});

describe("a frame", () => {
  it("has the version of the only one that runs, however many are stored", () => {
    expect(plan("frame /headless?version=1.6.4", { running: new Set(["old"]) })).toBe("old headless/index.html, runs on old");
    expect(plan("frame /headless", { running: new Set(["new"]) })).toBe("new headless/index.html, runs on new");
    expect(plan("frame /headless", { running: new Set() })).toBe("new headless/index.html, runs on new");
    expect(plan("frame /headless", { running: new Set([NETWORK]) })).toBe("network, runs on network");
  });

  it("asks its parent when several run, and then has what the parent said", () => {
    expect(plan("frame /headless?version=1.6.4")).toBe("parent");
    expect(plan("frame /headless?of=old")).toBe("old headless/index.html, runs on old");
    expect(plan("frame /headless/frame.html?of=new")).toBe("new headless/frame.html, runs on new");
    expect(plan("frame /headless?of=network")).toBe("network, runs on network");
  });

  it("cannot ask for a version that is not stored", () => {
    expect(plan("frame /headless?of=forged", { running: new Set(["new"]) })).toBe("new headless/index.html, runs on new");
  });
});

describe("versions are never mixed", () => {
  it("whatever a client of a version asks for: its own file, a hashed one, or the network's", () => {
    const paths = fc.constantFrom("/", "/headless", "/headless/", "/headless.html", "/headless/frame.html", "/models/models.json", "/assets/app-old.js", "/assets/app-new.js", "/assets/same-00.js", "/nothing", "/index.html");
    const clients = fc.constantFrom("tab-old", "tab-new", "worker-old");
    fc.assert(
      fc.property(paths, clients, fc.constantFrom("worker" as const, "part" as const), (path, clientId, kind) => {
        const { answer, runsOn } = planAnswer({ kind, clientId, method: "GET", url: new URL(path, ORIGIN) }, known);
        const version = known.clients.get(clientId);
        if (answer.from === "cache" && !path.startsWith("/assets/")) expect(answer.version).toBe(version);
        if (runsOn !== undefined) expect(runsOn).toBe(version);
      }),
    );
  });

  it("and no version goes while a page runs on it", () => {
    expect(unusedVersions(known)).toEqual([]);
    expect(unusedVersions({ ...known, running: new Set(["new"]) })).toEqual(["old"]);
    expect(unusedVersions({ ...known, running: new Set() })).toEqual(["old"]);
    expect(unusedVersions({ ...known, running: new Set(["old"]) })).toEqual([]);
  });
});

describe("a list", () => {
  it("finds the page of a folder by every name that hosts give it", () => {
    for (const path of ["/headless", "/headless/", "/headless.html", "/headless/index.html"]) expect(entryAt(list("a"), path)?.url).toBe("headless/index.html");
    expect(entryAt(list("a"), "/")?.url).toBe("index.html");
    expect(entryAt(list("a"), "/models/")).toBeUndefined();
    expect(entryAt(list("a"), "/head")).toBeUndefined();
  });

  it("is named by its content, not by its order", async () => {
    const one = list("a");
    expect(await versionOf(one)).toMatch(/^[0-9a-f]{12}$/);
    expect(await versionOf(one.toReversed())).toBe(await versionOf(one));
    expect(await versionOf(one.with(0, { ...one[0]!, revision: "other" }))).not.toBe(await versionOf(one));
  });
});
