// What the pages may do, as their policies say it: each page reaches what it needs and no more.
import { describe, expect, it } from "vitest";
import { headerPolicyOf, policyOf } from "../../src/cli/policy.ts";
import { fileResponse, isWorkerScript, WORKER_POLICY } from "../../src/offline/isolation.ts";

const PAGES = ["/", "/embed/", "/headless", "/headless/frame.html"];

describe("the policy of", () => {
  it.each(PAGES)("%s allows nothing by default, no form to leave by and no other base address", (path) => {
    for (const rule of ["default-src 'none'", "form-action 'none'", "base-uri 'none'"]) expect(policyOf(path)).toContain(rule);
  });

  it("no page but the sandbox's maker allows code out of text", () => {
    expect(PAGES.filter((path) => policyOf(path).includes("'unsafe-eval'"))).toEqual(["/headless/frame.html"]);
  });

  it("the app's page alone keeps other sites from framing it: the widget and its container are framed by design", () => {
    expect(PAGES.filter((path) => headerPolicyOf(path).includes("frame-ancestors 'self'"))).toEqual(["/"]);
  });

  it("the engine's worker reaches any encrypted host and this computer, for models, and makes no code out of text", () => {
    expect(isWorkerScript("/assets/inference-abc.js") && !isWorkerScript("/embed.js") && !isWorkerScript("/assets/a.css")).toBe(true);
    expect(fileResponse("assets/inference-abc.js", new Uint8Array(1), null).headers.get("content-security-policy")).toBe(WORKER_POLICY);
    expect(WORKER_POLICY).not.toMatch(/'unsafe-eval'|http:\/\/(?!localhost:|127\.0\.0\.1:)|\s\*(\s|;|$)/);
    expect(policyOf("/")).not.toMatch(/connect-src[^;]*(https:(\s|;)|hf\.co|huggingface)/);
  });

  it("what stands in a page as <meta> holds nothing that only a header can say", () => {
    for (const path of PAGES) expect(policyOf(path)).not.toContain("frame-ancestors");
  });
});
