// The session's part of the lab: the real page works on given files, and says what came of it. `npm run solve` and
// `npm run eval` drive it; what it runs is what a click on Send runs.
import type { AgentEvent } from "../../agent/events.ts";
import { parseTestOutput } from "../../agent/test-output.ts";
import type { TestReport } from "../../agent/test-report.ts";
import { outcomeOf, type TestOutcome } from "../../agent/test-report.ts";
import { AppError } from "../../base/errors.ts";
import type { Sandbox } from "../../container/sandbox.ts";
import type { ModelFiles, Sampling } from "../../engine/api.ts";
import { patchText } from "../../project/patch.ts";
import type { FileTree } from "../../project/tree.ts";
import { type Tally, Tallier } from "../../tasks/scoring/tally.ts";
import type { Session } from "../session/session.ts";

/** Files as they cross from the command to the page: path → base64. */
export type PackedFiles = Readonly<Record<string, string>>;

export interface SolveResult {
  readonly files: PackedFiles;
  readonly patch: string;
  readonly done: Extract<AgentEvent, { type: "done" }> | undefined;
  readonly error: string | undefined;
  readonly tally: Tally;
}

export interface CommandRun {
  readonly exitCode: number | null;
  readonly output: string;
  /** The project afterwards. */
  readonly files: PackedFiles;
}

export interface TestRun {
  readonly outcome: TestOutcome;
  readonly exitCode: number | null;
  readonly report: TestReport | undefined;
  readonly output: string;
}

/** What the page's settings would say. */
export interface SolveOptions {
  /** Edits that are tried before one is kept. */
  readonly tries?: number;
  /** Id of the small model that drafts; absent: none. */
  readonly helper?: string;
  /** Absent: the model's own. */
  readonly sampling?: Sampling;
}

export interface SolveLab {
  /** Starts engine and container, and loads the model: an id of the page's list, a file, or undefined for the bundled one. */
  start(model?: string | ModelFiles): Promise<void>;
  /** Asks the assistant; events that matter to a reader go to `onEvent` as they come. */
  solve(name: string, files: PackedFiles, ask: string, onEvent?: (event: AgentEvent) => void, options?: SolveOptions): Promise<SolveResult>;
  /** Runs a command on exactly these files and reads its output as tests. */
  test(files: PackedFiles, command: string): Promise<TestRun>;
  /** Runs a command on exactly these files. */
  run(files: PackedFiles, command: string): Promise<CommandRun>;
  /** Makes `node_modules` exactly these files; what else is there may go: what comes next brings its own project. */
  install(packages: PackedFiles): Promise<void>;
}

export function pack(tree: FileTree): PackedFiles {
  return Object.fromEntries([...tree].map(([path, bytes]) => [path, toBase64(bytes)]));
}

function toBase64(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(text);
}

export function unpack(files: PackedFiles): FileTree {
  return new Map(Object.entries(files).map(([path, text]) => [path, Uint8Array.from(atob(text), (c) => c.charCodeAt(0))]));
}

export function solveLab(session: Session): SolveLab {
  /** The session shows its problems as notices; a command needs them as an error. */
  const check = (): void => {
    const notice = session.state.notices.findLast(({ passing }) => !passing);
    if (notice) throw new AppError("container/unavailable", `${notice.title}: ${notice.message}`);
  };
  const needSandbox = (): Sandbox => {
    if (!session.sandbox) throw new AppError("container/unavailable", "The container is not running.");
    return session.sandbox;
  };
  return {
    async start(model) {
      await session.start(model);
      check();
    },
    async solve(name, packed, ask, onEvent, { tries = 1, helper = "", sampling } = {}) {
      session.setTries(tries);
      await session.setHelper(helper);
      const files = unpack(packed);
      await session.project.openFiles(name, files);
      check();
      let done: SolveResult["done"];
      let error: string | undefined;
      const tallier = new Tallier();
      session.chat.sampling = sampling;
      session.chat.onEvent = (event) => {
        tallier.add(event);
        onEvent?.(event);
        if (event.type === "done") done = event;
        if (event.type === "error") error = event.error.message;
      };
      await session.chat.send(ask);
      session.chat.onEvent = () => undefined;
      session.chat.sampling = undefined;
      const after = session.state.project.files;
      return { files: pack(after), patch: await patchText(files, after), done, error, tally: tallier.tally };
    },
    async run(packed, command) {
      const sandbox = needSandbox();
      await sandbox.restore(unpack(packed));
      const { exitCode, output } = await sandbox.run(command);
      return { exitCode, output, files: pack(await sandbox.snapshot()) };
    },
    async install(packages) {
      const sandbox = needSandbox();
      await sandbox.remove("node_modules");
      if (Object.keys(packages).length > 0) await sandbox.restore(unpack(packages));
    },
    async test(packed, command) {
      const sandbox = needSandbox();
      const files = unpack(packed);
      await sandbox.restore(files);
      const { output, exitCode } = await sandbox.run(command);
      const report = parseTestOutput(output, [...files.keys()]);
      return { outcome: report ? outcomeOf(report, exitCode) : exitCode === 0 ? "none" : "failed", exitCode, report, output };
    },
  };
}
