// Practice tasks from the open project, made in the container beside it: the project itself is not touched, and the chat
// can go on meanwhile. What was made is kept until the page is left or another project is opened.
import { AppError, throwIfAborted } from "../../base/errors.ts";
import { writeZip } from "../../project/archive.ts";
import { encodeText } from "../../project/text.ts";
import type { FileTree } from "../../project/tree.ts";
import { sandboxHost } from "../../tasks/making/host.ts";
import { historySource } from "../../tasks/making/history-source.ts";
import { mutantSource } from "../../tasks/making/mutant-source.ts";
import { produce } from "../../tasks/making/production.ts";
import { atLevel, type Level, type Task } from "../../tasks/task.ts";
import { baseLine, writeTaskLine } from "../../tasks/task-line.ts";
import { taskTree } from "../../tasks/task-tree.ts";
import type { Session } from "../session/session.ts";
import { t } from "../strings/more.ts";
import type { Repository } from "./repository.ts";

/** Runs of tests at once. */
const SIDE_BY_SIDE = 2;

export interface Progress {
  readonly made: number;
  readonly tried: number;
}

export class Practice {
  readonly tasks: Task[] = [];
  readonly #session: Session;
  /** The project that the tasks are of. */
  readonly #files: FileTree;
  readonly #known = new Set<string>();
  /** By the name of a source: the number to go on with. */
  readonly #next = new Map<string, number>();

  constructor(session: Session, tasks: readonly Task[] = []) {
    this.#session = session;
    this.#files = session.state.project.files;
    this.tasks.push(...tasks);
  }

  /** True while the project is the one that the tasks are of. */
  isOf(files: FileTree): boolean {
    return files === this.#files || [...this.#files].every(([path, bytes]) => this.tasks.some((task) => task.solution.has(path)) || same(files.get(path), bytes));
  }

  /** Makes `count` more, of this project or of a repository's history. Throws what stands in the way (no tests, tests that are red already), `aborted` when stopped. */
  async make(count: number, onProgress: (progress: Progress) => void, signal: AbortSignal, repository?: Repository): Promise<void> {
    const { sandbox, state } = this.#session;
    if (!sandbox?.beside) throw new AppError("container/unavailable", "The container is not running, so no task can be proven. Wait until it has started, or reload the page.");
    const hosts = await Promise.all(Array.from({ length: SIDE_BY_SIDE }, async (_, i) => sandboxHost(await sandbox.beside!(`practice-${i}`), signal)));
    const source = repository ? await historySource(safeName(repository.name), repository.history) : await mutantSource(safeName(state.project.name), this.#files, hosts[0]!);
    throwIfAborted(signal, "Making tasks");
    let tried = 0;
    let made = 0;
    const plan = { seed: this.#next.get(source.name) ?? 0, until: source.size, count };
    for await (const { task } of produce(source, hosts, plan, this.#known, ({ seed }) => {
      this.#next.set(source.name, seed + 1);
      onProgress({ made, tried: ++tried });
    }, signal)) {
      this.tasks.push(task);
      onProgress({ made: ++made, tried });
    }
    if (made < count) throw new AppError("task/format", repository ? t().practice.noMoreCommits(made) : t().practice.noMore(made));
  }

  /**
   * The project becomes the task, as one step that undo takes back; a task from history, which is a project of its own, is
   * opened as one. The instruction is offered in the message field.
   */
  async open(task: Task, level: Level): Promise<void> {
    const session = this.#session;
    if (isFromHistory(task)) {
      await session.project.openFiles(task.id, task.files);
      return this.#opened(task, level);
    }
    const broken = new Map([...task.solution.keys()].map((path) => [path, task.files.get(path)] as const));
    for (const path of broken.keys()) {
      if (!same(session.state.project.files.get(path), task.solution.get(path))) throw new AppError("project/write-back", t().practice.changed(path));
    }
    await session.project.change(t().practice.step(task.id), broken);
    this.#opened(task, level);
    session.say(t().practice.opened);
  }

  #opened(task: Task, level: Level): void {
    this.#session.suggest(atLevel(task, level).instruction);
    this.#session.closeDialog();
  }

  async zip(level: Level): Promise<Uint8Array> {
    return writeZip(new Map(this.tasks.flatMap((task) => [...taskTree(atLevel(task, level))].map(([path, bytes]) => [`${task.id}/${path}`, bytes] as const))));
  }

  /** As `npm run tasks` writes them. */
  async lines(): Promise<Uint8Array> {
    const base = await baseLine(this.#files);
    const lines = await Promise.all(this.tasks.map((task) => writeTaskLine(task, isFromHistory(task) ? {} : { base })));
    return encodeText(`${JSON.stringify(base)}\n${lines.join("")}`);
  }
}

const kept = new WeakMap<Session, Practice>();

/** The tasks of the session's project: those that were made before, if it is still the same. */
export function practiceOf(session: Session): Practice {
  const old = kept.get(session);
  if (old?.isOf(session.state.project.files)) return old;
  const practice = new Practice(session, old?.tasks.filter(isFromHistory));
  kept.set(session, practice);
  return practice;
}

function isFromHistory({ origin }: Task): boolean {
  return origin?.commit !== undefined;
}

function safeName(name: string): string {
  return name.replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "") || "project";
}

function same(a: Uint8Array | undefined, b: Uint8Array | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]));
}
