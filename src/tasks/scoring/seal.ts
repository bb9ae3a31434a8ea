// The reporter that grading trusts, as the text of two modules. They are loaded before any code of the project (`--import`),
// take what they need of Node there and then, freeze what tests judge with, have node:test take up the reporter, and remove
// their own files: a project can neither read the key, nor call the reporter, nor change the judges. What it says at the end
// of a file's tests is signed (HMAC-SHA256, RFC 2104) with a key that was never printed.
//
// Closed by it, each with a test: results that a project prints itself, `process.exit(0)` before the tests, exit handlers
// that change the code, assertions that are replaced, tests registered by the project, printed records that are altered.
// Code that runs in one realm with its tests and hunts for this very module could still find a way; no honest agent does.

/** Marks the line of a record in a run's output. */
export const RECORD = "tabwright-record";

/** One test that ended: file below the project, nesting and name. */
export type TestKey = string;

export interface SealedRecord {
  readonly passed: readonly TestKey[];
  readonly failed: readonly TestKey[];
}

export interface Seal {
  /** Preloaded: `--import`. */
  readonly preload: string;
  readonly reporter: string;
}

/** `name`: of the reporter's file, which lies beside the other. `key`: hex. */
export function sealSource(key: string, name: string): Seal {
  const reporter = `import { createHmac } from "node:crypto";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const hmac = createHmac("sha256", "${key}");
const { update, digest } = Object.getPrototypeOf(hmac);
const { apply } = Reflect;
const { stringify } = JSON;
const { startsWith, slice } = String.prototype;
const { push } = Array.prototype;
const root = process.cwd() + "/";
const require = createRequire(import.meta.url);
const assert = require("node:assert");
for (const judge of [assert, assert.strict, require("node:test")]) Object.freeze(judge);

let begin;
export const begun = new Promise((resolve) => { begin = resolve; });
let asked = false;

async function* report(events) {
  if (asked) return;
  asked = true;
  begin();
  const record = { passed: [], failed: [] };
  for await (const { type, data } of events) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    let file = data.file ?? "";
    if (apply(startsWith, file, ["file://"])) file = fileURLToPath(file);
    if (apply(startsWith, file, [root])) file = apply(slice, file, [root.length]);
    const key = file + " " + data.nesting + " " + data.name;
    const left = data.skip !== undefined || data.todo !== undefined;
    if (type === "test:fail" && data.todo === undefined) apply(push, record.failed, [key]);
    else if (!left) apply(push, record.passed, [key]);
  }
  const text = stringify(record);
  apply(update, hmac, [text]);
  yield "\\n${RECORD} " + apply(digest, hmac, ["hex"]) + " " + text + "\\n";
}
export { report as default };
`;
  const preload = `import { unlinkSync } from "node:fs";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { begun } from "./${name}";

// A hook at the root: node:test makes its run, and takes up the reporter, now.
after(() => {});
await begun;
process.execArgv.length = 0;
delete process.env.NODE_OPTIONS;
for (const file of [import.meta.url, new URL("./${name}", import.meta.url)]) unlinkSync(fileURLToPath(file));
`;
  return { preload, reporter };
}
