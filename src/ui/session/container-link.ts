// The session's container: what it is filled with, what is kept of it, what the page says when it crashes.
import { AppError } from "../../base/errors.ts";
import type { Sandbox } from "../../container/sandbox.ts";
import { t } from "../strings/index.ts";
import type { SessionCore } from "./core.ts";

export class ContainerLink {
  readonly #core: SessionCore;
  /** The first one has been filled. */
  #filled = false;

  constructor(core: SessionCore) {
    this.#core = core;
  }

  async boot(): Promise<void> {
    const core = this.#core;
    core.set({ container: { phase: "booting" } });
    try {
      core.sandbox = await core.parts.startSandbox({
        fill: (sandbox) => this.#fill(sandbox),
        lost: () => {
          core.set({ container: { phase: "booting" }, ports: [] });
          core.notice("containerCrashed");
        },
        back: () => void this.#back(),
        gaveUp: (error) => {
          core.set({ container: { phase: "failed" }, ports: [] });
          core.report(error, "booted");
        },
      });
      core.sandbox.live?.onPort((port, open, url) => core.portTold(port, open, url));
      await core.keepJournal();
      await core.record(core.state.project.files, t().app.openedStep, "opened");
      core.set({ container: { phase: "ready" } });
    } catch (error) {
      core.set({ container: { phase: "failed" } });
      core.report(error);
    }
  }

  /** After it has been given up; the notice that offered it goes when it is there. */
  async restart(): Promise<void> {
    this.#core.set({ container: { phase: "booting" } });
    // A failure is told as the first was.
    await this.#core.sandbox?.live?.restart().catch((error: unknown) => {
      this.#core.set({ container: { phase: "failed" } });
      this.#core.report(error, "booted");
    });
  }

  /** With the files as the page knows them; after a crash, as the journal kept them, which is at most a second older than the crash. */
  async #fill(sandbox: Sandbox): Promise<void> {
    const core = this.#core;
    const { project } = core.state;
    // Without a journal the page's own files are all there is.
    const kept = this.#filled ? await core.parts.store?.workspace(project.id).catch(() => undefined) : undefined;
    await sandbox.restore(kept?.files ?? project.files);
    await mountImage(core, sandbox, kept ? kept.image : this.#filled ? undefined : core.image);
    core.image = undefined;
    this.#filled = true;
  }

  async #back(): Promise<void> {
    this.#core.set({ container: { phase: "ready" } });
    this.#core.over("booted");
    await this.#core.refreshFiles().catch((error: unknown) => this.#core.report(error));
  }
}

/** What a project is beside its files' bytes: links, permission bits, empty folders, packages. */
export async function mountImage(core: SessionCore, sandbox: Sandbox, image: SessionCore["image"]): Promise<void> {
  const { live } = sandbox;
  if (!live || !image) return;
  await live.mount(image.bytes);
  if (!image.hasPackages || (await live.hasPackages())) return;
  const { rebuildNodeModules } = await import("../../container/node-modules.ts");
  const rebuilt = await rebuildNodeModules(sandbox);
  if (rebuilt && rebuilt.exitCode !== 0) core.report(new AppError("storage/missing", "The project's packages could not be made again from what this browser keeps. Run npm ci in the terminal."));
}
