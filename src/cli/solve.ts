// npm run solve: the real page works on a copy of a real folder; the patch and the verdict come back.
import { AppError } from "../base/errors.ts";
import type { AgentEvent } from "../agent/events.ts";
import { findTestCommand } from "../project/test-command.ts";
import { required, runCommand, wholeOption } from "./args.ts";
import { openLabPage } from "./lab-page.ts";
import { readProject } from "./project-files.ts";

const HELP = `
Usage: npm run solve -- --project DIR --ask "…" [--model M] [--helper M] [--tries N] [--test CMD] [--apply]

Opens the real page in a headless browser, opens a copy of the folder in it, asks the
assistant, and waits until it is done. Prints one JSON object a line: the agent's events,
then {"type":"result", "patch", "tests", …}. The folder is changed only with --apply.

  --project DIR   the folder; .git and node_modules are left out
  --ask TEXT      what the assistant is asked
  --model M       a .gguf file, or the id of a model in the page's list (default: the bundled one)
  --helper M      id of a model in the list that drafts each step for the other one (default: none)
  --tries N       edits that are tried before one is kept, the tests deciding (default: 1, none)
  --test CMD      the command that decides (default: the project's own test script)
  --apply         write the changed files back into the folder
  --help          this text

Exit code: 0 if the project's tests pass at the end, 1 if not or on failure, 2 for wrong arguments.
`;

/** Events a reader of the log needs; words and counters that stream are left out. */
const QUIET: ReadonlySet<AgentEvent["type"]> = new Set(["prefill", "notice", "stats", "try", "call-streaming", "text", "tool-output"]);

await runCommand({
  help: HELP,
  options: { project: { type: "string" }, ask: { type: "string" }, model: { type: "string" }, helper: { type: "string" }, tries: { type: "string" }, test: { type: "string" }, apply: { type: "boolean" } },
  async run(values) {
    const folder = required(values, "project");
    const ask = required(values, "ask");
    const { files, links } = await readProject(folder, [".git", "node_modules"]);
    if (links.size > 0) throw new AppError("command/usage", `${folder} holds symbolic links (${[...links.keys()][0]}), which solve cannot open. Replace them by files.`);
    const test = typeof values["test"] === "string" ? values["test"] : findTestCommand(files);
    const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

    const lab = await openLabPage();
    try {
      await lab.start(typeof values["model"] === "string" ? values["model"] : undefined);
      const packed = Object.fromEntries([...files].map(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]));
      const onEvent = (event: AgentEvent): void => {
        if (!QUIET.has(event.type)) say(event);
      };
      const result = await lab.solve(folder, packed, ask, { onEvent, tries: wholeOption(values, "tries") ?? 1, ...(typeof values["helper"] === "string" ? { helper: values["helper"] } : {}) });
      const tests = await lab.test(result.files, test);
      if (values["apply"] === true) await writeBack(folder, packed, result.files);
      say({ type: "result", patch: result.patch, tests: { outcome: tests.outcome, exitCode: tests.exitCode, passed: tests.report?.passed ?? 0, failed: tests.report?.failed ?? 0 }, ...(result.error ? { error: result.error } : {}) });
      return tests.outcome === "passed" ? 0 : 1;
    } finally {
      await lab.close();
    }
  },
});

/** Writes what differs and removes what is gone; nothing else in the folder is touched. */
async function writeBack(folder: string, before: Readonly<Record<string, string>>, after: Readonly<Record<string, string>>): Promise<void> {
  const { mkdir, rm, writeFile } = await import("node:fs/promises");
  const { dirname, join } = await import("node:path");
  for (const [path, text] of Object.entries(after)) {
    if (before[path] === text) continue;
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), Buffer.from(text, "base64"));
  }
  for (const path of Object.keys(before)) if (!(path in after)) await rm(join(folder, path));
}
