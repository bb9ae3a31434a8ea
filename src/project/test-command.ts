// How a project says it is tested: the test script of its package.json.
import { AppError } from "../base/errors.ts";
import { decodeText } from "./text.ts";
import type { FileTree } from "./tree.ts";

const NEXT = 'Add "scripts": { "test": "node --test" } to package.json, or ask the assistant to.';

function noCommand(reason: string): AppError {
  return new AppError("project/no-test-command", `${reason} ${NEXT}`);
}

/** `npm test`, or `project/no-test-command` with the reason and what to do. npm's own placeholder counts as none. */
export function findTestCommand(files: FileTree): string {
  const bytes = files.get("package.json");
  if (!bytes) throw noCommand("The project has no package.json.");
  let manifest: unknown;
  try {
    manifest = JSON.parse((decodeText(bytes) ?? "").replace(/^\ufeff/, ""));
  } catch (cause) {
    throw new AppError("project/no-test-command", "The project's package.json is not valid JSON. Correct it, then run the tests again.", { cause });
  }
  const scripts = typeof manifest === "object" && manifest !== null && "scripts" in manifest ? manifest.scripts : undefined;
  const test = typeof scripts === "object" && scripts !== null && "test" in scripts ? scripts.test : undefined;
  if (typeof test !== "string" || test.trim() === "") throw noCommand("The project's package.json has no test script.");
  if (/no test specified/.test(test)) throw noCommand("The test script in package.json is only npm's placeholder.");
  return "npm test";
}
