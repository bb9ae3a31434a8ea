// The project's past: undo and redo of what one request or command did, and going back to any recorded state. Going back
// is itself a step that can be undone; nothing is dropped, and "restored" is said after the files were hashed again.
import { rewindTo } from "../../agent/conversation.ts";
import type { CheckpointKind } from "../../project/checkpoints.ts";
import type { FileDiff } from "../../project/diff.ts";
import { changedPaths } from "../../project/changed-paths.ts";
import { joinStep, pushStep, redoStep, undoStep } from "../../project/undo-stack.ts";
import { t } from "../strings/index.ts";
import type { SessionCore } from "./core.ts";

/** Edits of one file that follow each other within this time are one step to undo. */
const JOINED_EDITS_MS = 30_000;

/** What is brought back of a recorded state. */
export type RestoreWhat = "files" | "chat" | "both";

export class TimelineActions {
  readonly #core: SessionCore;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  get canUndo(): boolean {
    return this.#core.sandbox !== undefined && undoStep(this.#core.undo) !== undefined;
  }

  get canRedo(): boolean {
    return this.#core.sandbox !== undefined && redoStep(this.#core.undo) !== undefined;
  }

  /** Takes back what the last request, command or edit did to the files. */
  undo(): Promise<void> {
    return this.#step(undoStep(this.#core.undo), t().app.undone);
  }

  redo(): Promise<void> {
    return this.#step(redoStep(this.#core.undo), t().app.redone);
  }

  async #step(target: ReturnType<typeof undoStep>, spoken: string): Promise<void> {
    const core = this.#core;
    if (!target) return;
    await core.during("files", async () => {
      await core.checkpoints.restore(target.restore, core.needSandbox());
      core.undo = target.stack;
      await core.refreshFiles();
      core.showTimeline();
      core.set({ spoken, panel: "diff", comparison: undefined });
    });
  }

  /** Brings back a recorded state: its files, the chat as it was then, or both. */
  async restore(id: string, what: RestoreWhat): Promise<void> {
    const core = this.#core;
    const entry = core.state.timeline.find((candidate) => candidate.id === id);
    if (!entry) return;
    await core.during("files", async () => {
      if (what !== "chat") await this.asOneStep(t().app.restoredStep(entry.label), () => core.checkpoints.restore(id, core.needSandbox()));
      if (what !== "files") core.showChat(rewindTo(core.conversation, entry.exchange));
      core.showTimeline();
      core.set({ spoken: t().app.restored(entry.label), comparison: undefined });
    });
  }

  /** What differs between two recorded states; `to` undefined is the project as it is now. */
  async compare(from: string, to?: string): Promise<readonly FileDiff[]> {
    const { diffTrees } = await import("../../project/diff.ts");
    const { checkpoints, state } = this.#core;
    return diffTrees(checkpoints.tree(from), to === undefined ? state.project.files : checkpoints.tree(to));
  }

  /** Shows a comparison in the Changes panel. */
  async showComparison(from: string, to?: string): Promise<void> {
    const label = (id: string | undefined): string => this.#core.state.timeline.find((entry) => entry.id === id)?.label ?? t().app.now;
    this.#core.set({ comparison: { title: t().app.compared(label(from), label(to)), changes: await this.compare(from, to) }, panel: "diff" });
  }

  closeComparison(): void {
    this.#core.set({ comparison: undefined });
  }

  async rename(id: string, label: string): Promise<void> {
    this.#core.checkpoints.rename(id, label);
    this.#core.showTimeline();
    await this.#core.save();
  }

  #isRecent(id: string): boolean {
    const time = this.#core.checkpoints.entries.find((entry) => entry.id === id)?.time ?? 0;
    return Date.now() - time < JOINED_EDITS_MS;
  }

  /** Runs work that may change files, and makes all its changes one step to undo. `kind`: who makes them. */
  async asOneStep<T>(label: string, work: () => Promise<T>, kind?: CheckpointKind): Promise<T> {
    const core = this.#core;
    const { sandbox } = core;
    if (!sandbox) return work();
    const before = await core.record(await sandbox.snapshot(), t().app.before(label));
    try {
      return await work();
    } finally {
      const after = await core.record(await sandbox.snapshot(), label, kind);
      const step = { label, before, after };
      if (after !== before) core.undo = kind === "edit" && this.#isRecent(before) ? joinStep(core.undo, step) : pushStep(core.undo, step);
      await core.refreshFiles();
    }
  }

  /** What was changed outside of a step, in a shell at a terminal, becomes one. */
  async takeIn(label: string): Promise<void> {
    const core = this.#core;
    await core.whenIdle();
    const { sandbox } = core;
    if (!sandbox || changedPaths(core.state.project.files, await sandbox.snapshot()).length === 0) return;
    await core.during("command", async () => {
      const before = await core.record(core.state.project.files, t().app.before(label));
      const after = await core.record(await sandbox.snapshot(), label, "command");
      if (after !== before) core.undo = pushStep(core.undo, { label, before, after });
      await core.refreshFiles();
    });
  }
}
