// One line of JSON, a broken function with its tests and its reference, as a task. Two forms are read:
//   ours            {"id", "entry", "broken", "reference", "tests": [[args, expected], …] | "source text", "instruction"?, "notice"?}
//                   (the pairs are QuixBugs' test cases; the text may use `test` and `assert`)
//   HumanEvalPack's {"task_id", "entry_point", "prompt", "buggy_solution", "canonical_solution", "test", …}
import { AppError } from "../../base/errors.ts";
import { encodeText } from "../../project/text.ts";
import type { Task } from "../task.ts";

type Fields = Readonly<Record<string, unknown>>;

interface FunctionBug {
  readonly id: string;
  readonly entry: string;
  /** What its tests may use beside it. */
  readonly helpers?: readonly string[];
  readonly broken: string;
  readonly reference: string;
  /** Statements of a test file, after its imports. */
  readonly tests: string;
  readonly instruction?: string;
  readonly notice?: string;
}

/** `where` names the line in errors. Throws `task/format` naming it and the field. */
export function functionTask(line: Fields, where: string): Task {
  const bug = "buggy_solution" in line ? humanEvalPack(line, where) : ownForm(line, where);
  const name = bug.entry.replace(/([a-z0-9])([A-Z])/g, "$1-$2").replaceAll("_", "-").toLowerCase();
  const [source, spec] = [`src/${name}.js`, `test/${name}.test.js`];
  const exports = [...(bug.helpers ?? []), bug.entry].join(", ");
  const isModule = /^export\b/m.test(bug.broken);
  const imports = isModule
    ? `import assert from "node:assert/strict";\nimport test from "node:test";\nimport { ${bug.entry} } from "../${source}";\n`
    : `"use strict";\nconst assert = require("node:assert/strict");\nconst test = require("node:test");\nconst { ${exports} } = require("../${source}");\n`;
  const exported = (text: string): string => `${text.trim()}\n${isModule ? "" : `\nmodule.exports = { ${exports} };\n`}`;
  const manifest = JSON.stringify({ name, private: true, ...(isModule ? { type: "module" } : {}), scripts: { test: "node --test" } }, null, 2);
  const tests = new Map([[spec, encodeText(`${imports}\n${bug.tests.trim()}\n`)]]);
  return {
    id: bug.id, set: "functions", test: "node --test",
    ...(bug.notice === undefined ? {} : { notice: bug.notice }),
    instruction: bug.instruction ?? `There is a bug in ${bug.entry} (${source}): its tests fail. Fix it.`,
    files: new Map([["package.json", encodeText(`${manifest}\n`)], [source, encodeText(exported(bug.broken))], ...tests]),
    hidden: tests,
    solution: new Map([[source, encodeText(exported(bug.reference))]]),
  };
}

function text(line: Fields, name: string, where: string): string {
  const value = line[name];
  if (typeof value === "string" && value.trim() !== "") return value;
  throw new AppError("task/format", `${where} has no "${name}": it must be a text that is not empty.`);
}

function entryOf(line: Fields, name: string, where: string): string {
  const entry = text(line, name, where);
  if (/^[A-Za-z_$][\w$]*$/.test(entry)) return entry;
  throw new AppError("task/format", `${where}: "${name}" must be the name of a function, not ${JSON.stringify(entry)}.`);
}

function ownForm(line: Fields, where: string): FunctionBug {
  const entry = entryOf(line, "entry", where);
  const { tests, instruction, notice } = line;
  return {
    id: text(line, "id", where).replaceAll(/[^\w.-]+/g, "-"), entry, broken: text(line, "broken", where), reference: text(line, "reference", where),
    tests: Array.isArray(tests) ? tests.map((pair, at) => caseSource(entry, pair, `${where}, test ${at + 1}`)).join("\n") : text(line, "tests", where),
    ...(typeof instruction === "string" ? { instruction } : {}),
    ...(typeof notice === "string" ? { notice } : {}),
  };
}

/** A pair of arguments and result, as QuixBugs writes them: an argument that is no list stands for itself. */
function caseSource(entry: string, pair: unknown, where: string): string {
  if (!Array.isArray(pair) || pair.length !== 2) throw new AppError("task/format", `${where} must be a pair [arguments, expected].`);
  const [given, expected] = pair as [unknown, unknown];
  const call = `${entry}(${(Array.isArray(given) ? given : [given]).map((one) => JSON.stringify(one)).join(", ")})`;
  return `test(${JSON.stringify(call)}, () => assert.deepEqual(${call}, ${JSON.stringify(expected)}));`;
}

function humanEvalPack(line: Fields, where: string): FunctionBug {
  // Its tests call helpers of the same text too; in one line the entry point is spelt otherwise than the function.
  const declared = [...text(line, "prompt", where).matchAll(/^(?:const|let|var|class|(?:async )?function\*?)\s+([A-Za-z_$][\w$]*)/gm)].map(([, name]) => name!);
  const named = entryOf(line, "entry_point", where);
  const entry = declared.includes(named) ? named : (declared.at(-1) ?? named);
  const helpers = declared.filter((name) => name !== entry);
  const whole = (body: string): string => `${text(line, "prompt", where).trim()}\n${text(line, body, where)}`;
  return {
    id: text(line, "task_id", where).replaceAll(/[^\w.-]+/g, "-"), entry, helpers,
    broken: whole("buggy_solution"), reference: whole("canonical_solution"),
    // Its checks only print in Node: here a check that does not hold is an error.
    tests: `test(${JSON.stringify(entry)}, () => {\n  const console = { ...globalThis.console, assert: (holds, ...said) => assert.ok(holds, said.length > 0 ? said.join(" ") : undefined) };\n${text(line, "test", where).trimEnd().replaceAll(/^(?=.)/gm, "  ")}\n});`,
    notice: "HumanEvalPack (bigcode-project/octopack), MIT",
  };
}
