// The page that asks its parent for a version: it must end in an address in every kind of page around it.
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { parentAsking, VERSION_META } from "../../../src/offline/pages.ts";

/** Runs the page's script in a frame of `parent`; returns the address it loads. */
function addressIn(parent: object): string {
  const script = /<script>([\s\S]*)<\/script>/.exec(parentAsking())?.[1] ?? "";
  let loaded = "";
  runInNewContext(script, { parent, URL, location: { href: "https://tab.example/headless?late", replace: (url: string) => (loaded = url) } });
  return loaded;
}

const around = (content: string | undefined): object => ({
  document: { querySelector: (selector: string) => (selector === `meta[name="${VERSION_META}"]` && content !== undefined ? { content } : null) },
});

describe("a frame whose version only its parent knows", () => {
  it("is loaded with the version of the page around it", () => {
    expect(addressIn(around("1a2b"))).toBe("https://tab.example/headless?late=&of=1a2b");
  });

  it("comes from the network in a page that did", () => {
    expect(addressIn(around(undefined))).toBe("https://tab.example/headless?late=&of=network");
  });

  it("comes from the network in a page of another origin, which may not be looked at", () => {
    const foreign = { get document(): never { throw new DOMException("Blocked a frame", "SecurityError"); } };
    expect(addressIn(foreign)).toBe("https://tab.example/headless?late=&of=network");
  });
});
