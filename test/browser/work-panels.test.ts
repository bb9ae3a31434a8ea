// The panels of the right half by themselves: free of accessibility faults in both themes, and quick with much in them.
import axe from "axe-core";
import { afterEach, describe, expect, it } from "vitest";
import { demoProject } from "../../src/project/demo.ts";
import { diffTrees } from "../../src/project/diff.ts";
import { encodeText } from "../../src/project/text.ts";
import type { FileTree } from "../../src/project/tree.ts";
import { DiffView } from "../../src/ui/work/diff-view.ts";
import { Editor } from "../../src/ui/work/editor.ts";
import { FileView } from "../../src/ui/work/file-view.ts";
import { FilesPanel } from "../../src/ui/work/files-panel.ts";
import { ShellView } from "../../src/ui/work/shell-view.ts";
import { TerminalPanel } from "../../src/ui/work/terminal-panel.ts";
import { TestsPanel } from "../../src/ui/work/tests-panel.ts";
import { Timeline } from "../../src/ui/work/timeline.ts";
import { applyTheme } from "../../src/ui/theme.ts";

const base = demoProject();
const files: FileTree = new Map([...base, ["README.md", encodeText("# Other\r\n")], ["new\u202e.txt", encodeText("a\u200bb")], ["a.bin", new Uint8Array(3)]]);
const changes = diffTrees(base, files);
const entry = { label: "Opened", time: 1_700_000_000_000, paths: ["README.md"], current: false };

/** One of each, with all that it can show. */
const PANELS: Readonly<Record<string, () => HTMLElement>> = {
  files: () => Object.assign(new FilesPanel(), { files, marks: new Map(changes.map(({ path, status }) => [path, status])), selected: "README.md" }),
  editor: () => Object.assign(new FileView(), { files, tabs: ["README.md", "package.json"], selected: "README.md" }),
  binary: () => Object.assign(new FileView(), { files, tabs: ["a.bin"], selected: "a.bin" }),
  changes: () => Object.assign(new DiffView(), { changes, accepted: new Set() }),
  comparison: () => Object.assign(new DiffView(), { changes, compared: "One → two" }),
  "no changes": () => new DiffView(),
  terminal: () => Object.assign(new TerminalPanel(), { available: true, records: [{ command: "npm test", output: "\u001b[31mred\u001b[0m\n", exit: "exit code 1", by: "assistant" }] }),
  "empty terminal": () => Object.assign(new TerminalPanel(), { available: false }),
  shell: () => Object.assign(new ShellView(), { open: async (_size: unknown, onOutput: (text: string) => void) => {
    onOutput("\u001b[1;34m~/project\u001b[0m $ ");
    return { write: () => undefined, resize: () => undefined, close: () => undefined, ended: new Promise(() => undefined) };
  } }),
  tests: () =>
    Object.assign(new TestsPanel(), {
      available: true,
      command: "npm test",
      files,
      tests: { phase: "done", stale: true, report: { runner: "tap", passed: 1, failed: 1, skipped: 1, failures: [{ name: "b", message: "no", expected: "1", actual: "2" }], tests: [{ name: "a", suites: ["s"], state: "passed", durationMs: 3 }, { name: "b", suites: [], state: "failed" }, { name: "c", suites: [], state: "skipped" }] } },
    }),
  timeline: () => Object.assign(new Timeline(), { entries: [{ ...entry, id: "1", kind: "opened" }, { ...entry, id: "2", kind: "step", exchange: "e", current: true }, { ...entry, id: "3" }] }),
};

async function mount<Element extends HTMLElement>(element: Element): Promise<Element> {
  const host = document.createElement("main");
  host.style.cssText = "block-size: 600px; inline-size: 700px";
  host.append(element);
  document.body.append(host);
  await (element as unknown as { updateComplete: Promise<unknown> }).updateComplete;
  return element;
}

afterEach(() => {
  for (const host of document.querySelectorAll("main")) host.remove();
});

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  it.each(Object.keys(PANELS))("the panel “%s” has no accessibility fault", async (name) => {
    applyTheme(theme);
    const element = await mount(PANELS[name]!());
    if (name === "editor") await expect.poll(() => element.shadowRoot?.querySelector("tw-editor")?.shadowRoot?.querySelector(".cm-content"), { timeout: 30_000 }).toBeTruthy();
    if (name === "shell") await expect.poll(() => element.shadowRoot?.querySelector(".xterm-rows")?.textContent, { timeout: 30_000 }).toContain("project");
    if (name === "terminal") await expect.poll(() => element.shadowRoot?.querySelector(".xterm-rows")?.textContent, { timeout: 30_000 }).toContain("red");
    // The page's title, language and landmarks are the page's.
    const { violations } = await axe.run(element, { rules: { region: { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("\n")}`)).toEqual([]);
  });
});

describe("a tree of twenty thousand files", () => {
  const many: FileTree = new Map(Array.from({ length: 20_000 }, (_, i) => [`packages/p${i % 200}/src/module-${i}.ts`, new Uint8Array(1)]));

  it("has only the rows in view in the document, also at its end, and answers a key within a frame or two", async () => {
    const panel = await mount(Object.assign(new FilesPanel(), { files: many, marks: new Map() }));
    const tree = panel.shadowRoot!.querySelector<HTMLElement>("[role=tree]")!;
    const rows = (): HTMLElement[] => [...panel.shadowRoot!.querySelectorAll<HTMLElement>("[role=treeitem]")];
    const press = async (key: string): Promise<void> => {
      tree.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true }));
      await panel.updateComplete;
    };
    tree.focus();
    await press("ArrowRight");
    expect(rows().length).toBeGreaterThan(10);
    const begun = performance.now();
    await press("End");
    const took = performance.now() - begun;
    expect(rows().length).toBeLessThan(80);
    const active = panel.shadowRoot!.getElementById(tree.getAttribute("aria-activedescendant") ?? "");
    expect(active?.dataset["path"]).toBe("packages/p199/");
    expect(active?.getAttribute("aria-setsize")).toBe("200");
    // Two cores shared with other work: a row of magnitude, not a measurement.
    expect(took).toBeLessThan(500);
  });
});

describe("a change of fifty thousand lines", () => {
  it("is shown in part until all of it is asked for", async () => {
    const large = new Map([["large.txt", encodeText("line\n".repeat(50_000))]]);
    const view = await mount(Object.assign(new DiffView(), { changes: diffTrees(new Map(), large) }));
    expect(view.shadowRoot!.querySelectorAll(".line").length).toBeLessThan(2_000);
    expect(view.shadowRoot!.querySelector(".more")?.textContent).toMatch(/\d/);
  });
});

describe("an editor that is taken out of the page", () => {
  it("ends its view, and shows its text and its cursor again when it is put back", async () => {
    const element = Object.assign(new Editor(), { path: "a.txt", text: "one\ntwo\n" });
    document.body.append(element);
    await element.updateComplete;
    element.reveal(2);
    const views = (): Element[] => [...(element.shadowRoot?.querySelectorAll(".cm-editor") ?? [])];
    const [first] = views();
    element.remove();
    expect(views()).toEqual([]);
    document.body.append(element);
    await element.updateComplete;
    expect(views()).toHaveLength(1);
    expect(views()[0]).not.toBe(first);
    expect(views()[0]?.querySelector(".cm-activeLine")?.textContent).toBe("two");
  });
});
