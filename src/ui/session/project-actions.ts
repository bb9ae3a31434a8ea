// How the project comes in, is edited by hand, and goes out. A new project gets a workspace of its own: what was open
// stays among the recent ones.
import { EMPTY_CONVERSATION } from "../../agent/conversation.ts";
import { AppError } from "../../base/errors.ts";
import { Checkpoints } from "../../project/checkpoints.ts";
import { changedPaths } from "../../project/changed-paths.ts";
import type { FileTree } from "../../project/tree.ts";
import { NO_STEPS } from "../../project/undo-stack.ts";
import type { Incoming } from "../project/incoming.ts";
import type { OpenedProject } from "../project/project-source.ts";
import { t } from "../strings/index.ts";
import { mountImage } from "./container-link.ts";
import type { SessionCore } from "./core.ts";
import type { ProjectOrigin } from "./session-state.ts";
import { holdWorkspace, newId, type Workspace } from "./session-store.ts";
import type { TimelineActions } from "./timeline.ts";

export class ProjectActions {
  readonly #core: SessionCore;
  readonly #timeline: TimelineActions;
  #release: () => void = () => undefined;

  constructor(core: SessionCore, timeline: TimelineActions) {
    this.#core = core;
    this.#timeline = timeline;
  }

  /** Files that differ from the project as it was opened. */
  get changedPaths(): ReadonlySet<string> {
    const { base, files } = this.#core.state.project;
    return new Set(changedPaths(base, files));
  }

  /** What a source has given (src/ui/project/project-source.ts). */
  openIncoming({ name, files, origin }: Incoming): Promise<void> {
    this.#core.set({ incoming: undefined });
    return this.openFiles(name, files, origin);
  }

  /** Asks, in the Open dialog, what shall become of what was dropped. */
  offer(incoming: Incoming): void {
    this.#core.set({ incoming, dialog: "open" });
  }

  /** Where the project is written back to, and what is known of it. */
  async setOrigin(origin: ProjectOrigin): Promise<void> {
    this.#core.set({ project: { ...this.#core.state.project, origin } });
    await this.#core.save();
  }

  openFiles(name: string, files: FileTree, origin: ProjectOrigin = { kind: "paste" }): Promise<void> {
    return this.open(origin, () => Promise.resolve({ name, files }));
  }

  /** Replaces what is open. It stays open if the new project cannot be read. */
  async open(origin: ProjectOrigin, read: (signal: AbortSignal) => Promise<OpenedProject>): Promise<void> {
    const core = this.#core;
    await core.during("files", async (signal) => {
      const { name, files } = await read(signal);
      await core.save();
      await core.swapFiles(files, () => {
        core.checkpoints = new Checkpoints();
        core.undo = NO_STEPS;
        core.exchanges = {};
        core.set({
          project: { id: newId("workspace"), name, origin, base: files, files, selected: "" },
          chatId: newId("chat"),
          tests: { phase: "none" },
          commands: [],
          comparison: undefined,
          reviewed: new Set(),
          panel: "files",
          spoken: t().app.opened(name),
        });
      });
      core.showChat(EMPTY_CONVERSATION);
      await core.record(files, t().app.openedStep, "opened");
      await this.hold();
    });
  }

  /** Claims the workspace for this tab, and makes it the one that opens next time unless told not to. False if another tab has it open. */
  async hold(id = this.#core.state.project.id, remember = true): Promise<boolean> {
    const release = await holdWorkspace(id);
    if (!release) return false;
    this.#release();
    this.#release = release;
    if (remember) await this.#core.parts.store?.saveSetting("workspace", id).catch((error: unknown) => this.#core.report(error));
    return true;
  }

  /** The projects that were open before, newest first, this one included. */
  async recent(): Promise<readonly Workspace[]> {
    return (await this.#core.parts.store?.workspaces()) ?? [];
  }

  /** Opens a recent project as it was left. */
  async openRecent(id: string): Promise<void> {
    const core = this.#core;
    const { store } = core.parts;
    if (!store || id === core.state.project.id) return;
    await core.during("files", async () => {
      const workspace = await store.workspace(id);
      if (!workspace) throw new AppError("storage/missing", "That project is no longer stored in this browser.");
      if (!(await this.hold(id))) throw new AppError("storage/locked", `“${workspace.name}” is open in another tab. Close it there first.`);
      await core.save();
      const [checkpoints, chat] = [await store.checkpoints(id), await store.chat(workspace.chatId)];
      await core.swapFiles(workspace.files, () => core.adopt(workspace, checkpoints, chat?.conversation ?? EMPTY_CONVERSATION));
      const { sandbox, image } = core;
      core.image = undefined;
      if (sandbox) await mountImage(core, sandbox, image);
      core.set({ spoken: t().app.opened(workspace.name) });
    });
  }

  /** Forgets a recent project; not the one that is open. */
  async forget(id: string): Promise<void> {
    if (id !== this.#core.state.project.id) await this.#core.parts.store?.removeWorkspace(id);
  }

  /** Writes files by hand, `undefined` removes one; all of it is one step to undo. */
  async change(label: string, files: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    const core = this.#core;
    await core.during("files", () => this.#timeline.asOneStep(label, () => this.#write(files), "edit"));
  }

  /** Without a container the files change here alone. */
  async #write(files: ReadonlyMap<string, Uint8Array | undefined>): Promise<void> {
    const { sandbox, state } = this.#core;
    if (!sandbox) {
      const after = new Map(state.project.files);
      for (const [path, bytes] of files) {
        if (bytes) after.set(path, bytes);
        else after.delete(path);
      }
      this.#core.set({ project: { ...state.project, files: after } });
      return;
    }
    for (const [path, bytes] of files) {
      if (bytes) await sandbox.writeFile(path, bytes);
      else await sandbox.remove(path);
    }
  }

  /** Marks changes by their keys as reviewed, or as open again. Neither the files nor what they are compared with change. */
  async review(keys: readonly string[], isReviewed: boolean): Promise<void> {
    const reviewed = new Set(this.#core.state.reviewed);
    for (const key of keys) {
      if (isReviewed) reviewed.add(key);
      else reviewed.delete(key);
    }
    this.#core.set({ reviewed });
    await this.#core.save();
  }

  select(path: string): void {
    this.#core.set({ project: { ...this.#core.state.project, selected: path } });
  }

  /** Fetches what exporting needs while there is a network: it must work without. What fails here is asked for again then. */
  async prepareExport(): Promise<void> {
    const parts = [import("../project/export-dialog.ts"), import("../../project/archive.ts"), import("../../project/patch.ts"), import("../project/file-picker.ts")];
    await Promise.allSettled(parts);
  }

  /** Always possible: it needs neither model nor container nor storage. */
  async exportZip(): Promise<Uint8Array> {
    return (await import("../../project/archive.ts")).writeZip(this.#core.state.project.files);
  }

  /** All changes since the project was opened; as possible as the zip. */
  async exportPatch(): Promise<Uint8Array> {
    const { base, files } = this.#core.state.project;
    return new TextEncoder().encode(await (await import("../../project/patch.ts")).patchText(base, files));
  }
}
