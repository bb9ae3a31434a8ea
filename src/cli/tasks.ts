// npm run tasks: makes coding tasks that are proven by running their tests, at any scale, and converts their files.
import { mkdir, stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { AppError } from "../base/errors.ts";
import type { FileTree } from "../project/tree.ts";
import { FAMILY_SETS, familySource } from "../tasks/making/family-source.ts";
import type { TestHost } from "../tasks/making/host.ts";
import { mutantSource } from "../tasks/making/mutant-source.ts";
import { atLevel, type Level, LEVELS } from "../tasks/task.ts";
import { taskHash, writeTaskLine } from "../tasks/task-line.ts";
import { runCommand, type Values } from "./args.ts";
import { readProject } from "./project-files.ts";
import { readTasks, writeTask } from "./task-folder.ts";
import { type Hosts, jobsOf, makeTasks, openHosts } from "./tasks/make.ts";
import { nodeHost } from "./tasks/node-host.ts";
import { mergeFiles, readTaskLines } from "./tasks/task-file.ts";
import { threadHost } from "./tasks/thread-host.ts";

const HELP = `
Usage: npm run tasks -- families --out FILE.jsonl [--set train|known|novel] …
       npm run tasks -- mutate DIR --out FILE.jsonl [--only PATH]… [--test CMD] [--packages] …
       npm run tasks -- history DIR --out FILE.jsonl [--test CMD] …
       npm run tasks -- merge OUT.jsonl FILE.jsonl…
       npm run tasks -- folders FILE.jsonl DIR [--level vague|plain|exact]
       npm run tasks -- pack DIR OUT.jsonl

Makes coding tasks. One is kept only if at least one test turns red, the reference makes all
of them green again, and there is none like it; what hangs is killed and counted. Instructions
come at three levels of vagueness, written from what fails.

  families   generated functions, each broken by one operator
  mutate     a JavaScript or TypeScript project with tests: every place that an operator can break
  history    a git repository: commits that change code and tests together, where the tests fail
             before and pass after. A number is a commit, from the first
  merge      joins files; a task that was there before is left out
  folders    task folders, as npm run eval reads them
  pack       task folders as one file

  --out FILE     one task a line. A run that was stopped, however, goes on where the file ends.
  --seed S       the first number to try (default 0). A number is one candidate: the same number
                 gives the same task, on every machine and with any number of jobs
  --until E      the first number not to try any more
  --count N      ends after N tasks (default 100; no limit with --until)
  --jobs J       so many runs of tests at once (default: one a core)
  --container    runs the tests in the container, in a headless browser, not in this Node.
                 mutate runs the project's code: without --container with your rights
  --set NAME     train: families and words of training; known: the same families under words
                 kept from training; novel: families kept from training
  --only PATH    only files whose path begins so
  --packages     puts the project's node_modules into the tasks, for those who run them elsewhere
  --test CMD     the command that decides (default: the project's own test script)
  --level L      which of the three instructions a folder asks (default: plain)
  --help         this text

Many machines: give each a range of numbers, and join what they made:
  machine 1: npm run tasks -- families --seed 0 --until 100000 --out part-1.jsonl
  machine 2: npm run tasks -- families --seed 100000 --until 200000 --out part-2.jsonl
  then:      npm run tasks -- merge all.jsonl part-1.jsonl part-2.jsonl

Exit code 0 when all that was asked for is written, 1 on a failure or when stopped, 2 for wrong arguments.
`;

const COMMANDS: Readonly<Record<string, (values: Values, args: readonly string[]) => Promise<number>>> = { families, mutate, history, merge, folders, pack };

await runCommand({
  help: HELP,
  options: {
    out: { type: "string" },
    seed: { type: "string" },
    until: { type: "string" },
    count: { type: "string" },
    jobs: { type: "string" },
    container: { type: "boolean" },
    set: { type: "string" },
    only: { type: "string", multiple: true },
    test: { type: "string" },
    packages: { type: "boolean" },
    level: { type: "string" },
  },
  run(values, [name = "", ...args]) {
    const command = COMMANDS[name];
    if (!command) throw new AppError("command/usage", `Say what to make: ${Object.keys(COMMANDS).join(", ")}${name === "" ? "" : `, not "${name}"`}. Try --help.`);
    return command(values, args);
  },
});

async function families(values: Values): Promise<number> {
  const set = oneOf(values, "set", FAMILY_SETS) ?? "train";
  return makeTasks(familySource(set), await hostsOf(values, threadHost), values);
}

async function mutate(values: Values, [folder]: readonly string[]): Promise<number> {
  if (folder === undefined) throw new AppError("command/usage", "Give the project's folder: npm run tasks -- mutate DIR. Try --help.");
  const { files } = await readProject(folder, [".git", "node_modules"]);
  const modules = join(folder, "node_modules");
  const hosts = await hostsOf(values, () => nodeHost(modules), modules);
  try {
    const only = [values["only"] ?? []].flat().map(String);
    const packages = values["packages"] === true ? await packagesOf(folder) : undefined;
    const source = await mutantSource(basename(resolve(folder)), files, hosts.list[0]!, { only, ...(packages ? { packages } : {}), ...(typeof values["test"] === "string" ? { test: values["test"] } : {}) });
    process.stderr.write(`${source.size} places to break\n`);
    return await makeTasks(source, hosts, values);
  } finally {
    await hosts.close();
  }
}

/** In the container where that is asked for; `inNode` makes one for this Node. */
async function hostsOf(values: Values, inNode: () => Promise<TestHost>, packages?: string): Promise<Hosts> {
  const jobs = jobsOf(values);
  if (values["container"] === true) return (await import("./tasks/container-hosts.ts")).containerHosts(jobs, packages);
  return openHosts(`Node ${process.versions.node}, ${jobs} at once`, jobs, inNode);
}

/** Links, such as those to commands, are left out: a task's command names the file that node shall run. */
async function packagesOf(folder: string): Promise<FileTree> {
  const { files } = await readProject(join(folder, "node_modules"), [".cache"]);
  return new Map([...files].map(([path, bytes]) => [`node_modules/${path}`, bytes]));
}

async function history(values: Values, [folder]: readonly string[]): Promise<number> {
  if (folder === undefined) throw new AppError("command/usage", "Give the repository's folder: npm run tasks -- history DIR. Try --help.");
  const gitdir = join(folder, ".git");
  if (!(await stat(gitdir).catch(() => undefined))?.isDirectory()) throw new AppError("command/usage", `${folder} has no folder .git: give the folder of a git repository.`);
  const [{ GitHistory }, { historySource }, fs] = await Promise.all([import("../tasks/making/git-history.ts"), import("../tasks/making/history-source.ts"), import("node:fs")]);
  const source = await historySource(basename(resolve(folder)), new GitHistory(fs, gitdir), typeof values["test"] === "string" ? values["test"] : undefined);
  process.stderr.write(`${source.size} commits\n`);
  const modules = join(folder, "node_modules");
  return makeTasks(source, await hostsOf(values, () => nodeHost(modules), modules), values);
}

async function merge(_values: Values, [out, ...inputs]: readonly string[]): Promise<number> {
  if (out === undefined || inputs.length === 0) throw new AppError("command/usage", "Give the result and the files to join: npm run tasks -- merge OUT.jsonl FILE.jsonl… Try --help.");
  const { kept, duplicates } = await mergeFiles(out, inputs);
  process.stdout.write(`${kept} tasks, ${duplicates} left out that were there before: ${out}\n`);
  return 0;
}

async function folders(values: Values, [file, folder]: readonly string[]): Promise<number> {
  if (file === undefined || folder === undefined) throw new AppError("command/usage", "Give the file and the folder: npm run tasks -- folders FILE.jsonl DIR. Try --help.");
  const level: Level = oneOf(values, "level", LEVELS) ?? "plain";
  let written = 0;
  for await (const { task } of readTaskLines(file)) {
    await writeTask(join(folder, task.id), atLevel(task, level));
    written++;
  }
  process.stdout.write(`${written} task folders: ${folder}\n`);
  return 0;
}

async function pack(_values: Values, [folder, out]: readonly string[]): Promise<number> {
  if (folder === undefined || out === undefined) throw new AppError("command/usage", "Give the folder and the file: npm run tasks -- pack DIR OUT.jsonl. Try --help.");
  const { open } = await import("node:fs/promises");
  const tasks = await readTasks(folder);
  await mkdir(resolve(out, ".."), { recursive: true });
  const file = await open(out, "w");
  const seen = new Set<string>();
  try {
    for (const task of tasks) {
      const hash = await taskHash(task);
      if (!seen.has(hash)) await file.appendFile(await writeTaskLine(task));
      seen.add(hash);
    }
  } finally {
    await file.close();
  }
  process.stdout.write(`${seen.size} tasks, ${tasks.length - seen.size} left out that were there before: ${out}\n`);
  return 0;
}

function oneOf<T extends string>(values: Values, name: string, allowed: readonly T[]): T | undefined {
  const value = values[name];
  if (value === undefined) return undefined;
  const found = allowed.find((one) => one === value);
  if (found === undefined) throw new AppError("command/usage", `--${name} must be ${allowed.join(", ")}, not "${String(value)}".`);
  return found;
}
