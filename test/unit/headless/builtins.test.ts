// The container's builtins against the Node that runs this: each program of test/fixtures/builtins is run by both, as the
// browser's bundle and as real Node, and must print the same.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import table from "../../../src/headless/node/builtins/missing.json" with { type: "json" };
import { missingNames } from "../../support/builtin-surface.ts";
import { runAsInBrowser, runInNode } from "../../support/browser-realm.ts";

const folder = new URL("../../fixtures/builtins/", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, folder), "utf8");
const shared = { "show.js": read("show.js") };
const programs = readdirSync(folder).filter((name) => name.endsWith(".js") && name !== "show.js");

/** Process numbers differ, and where Node's own code stands in a trace. */
const comparable = (text: string): string[] => text.replace(/\(node:\d+\)/g, "(node:PID)").split("\n").filter((line) => !/^\s+at .*\(?node:internal/.test(line));

describe("what Node has and the container has not", { timeout: 60_000 }, () => {
  it("is in the list: `npx tsx test/fixtures/node/missing.ts` writes it anew", async () => {
    const listed = table as Readonly<Record<string, readonly string[]>>;
    const missing = Object.entries(await missingNames()).flatMap(([module, names]) => names.filter((name) => !listed[module]?.includes(name)).map((name) => `${module}: ${name}`));
    expect(missing).toEqual([]);
  });

  it("is a function all the same, wherever it is one in Node: nobody meets \"undefined is not a function\"", async () => {
    const program = `
      const undefinedOnes = [];
      for (const [module, names] of Object.entries(require("./table.json"))) for (const entry of names) {
        const [, isClass, owner, mark, name, call] = /^(new )?(?:(\\w+)([.#]))?(\\w+)(\\(\\))?$/.exec(entry) ?? [];
        // The classes of tty refuse to be made, so nobody has one whose methods he could call.
        if ((!isClass && !call) || (module === "tty" && mark)) continue;
        const outer = owner ? require(module)[owner] : require(module);
        if (typeof (mark === "#" ? outer?.prototype : outer)?.[name] !== "function") undefinedOnes.push(module + ": " + entry);
      }
      console.log(JSON.stringify(undefinedOnes));`;
    const { stdout } = await runAsInBrowser({ "m.js": program, "table.json": JSON.stringify(table) }, ["m.js"]);
    expect(JSON.parse(stdout)).toEqual([]);
  });

  it("throws an error with its name and the list's when it is called, made or extended", async () => {
    const program = `
      for (const run of [() => require("crypto").setEngine("x"), () => new (require("crypto").Certificate)(), () => new (class extends require("repl").REPLServer {})(), () => new (require("dgram").Socket)()]) {
        try { run(); } catch (error) { console.log(error.code, error.message); }
      }`;
    const { stdout } = await runAsInBrowser({ "m.js": program }, ["m.js"]);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(4);
    for (const [k, name] of ["crypto.setEngine", "new crypto.Certificate", "new repl.REPLServer", "new dgram.Socket"].entries()) {
      expect(lines[k]).toMatch(new RegExp(`^ERR_FEATURE_UNAVAILABLE_ON_PLATFORM ${name} is not available: .*missing\\.json`));
    }
  });
});

describe("the builtins print what real Node prints", { timeout: 60_000 }, () => {
  it.each(programs)("%s", async (name) => {
    const files = { ...shared, [name]: read(name) };
    const real = await runInNode(files, [name]);
    const ours = await runAsInBrowser(files, [name]);
    expect(comparable(ours.stdout)).toEqual(comparable(real.stdout));
    expect({ code: ours.code, stderr: comparable(ours.stderr) }).toEqual({ code: real.code, stderr: comparable(real.stderr) });
  });
});
