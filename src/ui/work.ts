// The right half: tests, changes, files, terminal, preview, timeline as tabs, and what they do to the session. Each panel is loaded
// when it is first shown and stays then, so that an editor keeps its cursor and a terminal its scroll. The badge on a tab
// says what is behind it.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { diffTrees, type FileDiff } from "../project/diff.ts";
import { keysOf } from "../project/hunks.ts";
import type { FileTree } from "../project/tree.ts";
import { Component } from "./component.ts";
import type { Session } from "./session/session.ts";
import { type Panel, PANELS, type SessionState } from "./session/session-state.ts";
import { t } from "./strings/index.ts";
import { controlStyles } from "./theme.ts";
import { FileActions } from "./work/file-actions.ts";
import type { FilesArea } from "./work/files-area.ts";
import type { ListedTest } from "./work/test-groups.ts";

const LOAD: Readonly<Record<Panel, () => Promise<unknown>>> = {
  tests: () => import("./work/tests-panel.ts"),
  diff: () => import("./work/diff-view.ts"),
  files: () => import("./work/files-area.ts"),
  terminal: () => import("./work/terminal-panel.ts"),
  preview: () => import("./work/preview-panel.ts"),
  timeline: () => import("./work/timeline.ts"),
};

export class Work extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, visited: { state: true }, rerun: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private visited: ReadonlySet<Panel>;
  /** Run the tests again when a file is saved. */
  declare private rerun: boolean;
  #made: FileActions | undefined;
  #changes: { readonly base: FileTree; readonly files: FileTree; readonly list: readonly FileDiff[]; readonly marks: ReadonlyMap<string, FileDiff["status"]> } | undefined;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
      }
      section {
        display: contents;
      }
      .bar {
        container-type: inline-size;
      }
      .icon {
        display: none;
      }
      .tabs {
        display: flex;
        gap: 4px;
        align-items: center;
        padding: 6px 14px 0;
        border-block-end: 1px solid var(--line);
      }
      [role="tablist"] {
        display: flex;
        min-inline-size: 0;
        overflow-x: auto;
        scrollbar-width: none;
      }
      [role="tab"] {
        flex: none;
        outline-offset: -2px;
        border: 0;
        border-radius: 0;
        background: none;
        padding: 6px 10px 8px;
        border-block-end: 2px solid transparent;
      }
      [aria-selected="true"] {
        border-color: var(--accent-ground);
        font-weight: 600;
      }
      .actions {
        margin-inline-start: auto;
        display: flex;
        gap: 6px;
        padding-block-end: 6px;
      }
      @container (max-width: 620px) {
        .icon {
          display: inline;
        }
        .word {
          position: absolute;
          inline-size: 1px;
          block-size: 1px;
          overflow: hidden;
          clip-path: inset(50%);
        }
        .tabs {
          padding-inline: 6px;
        }
        [role="tab"] {
          padding-inline: 8px;
        }
      }
      .panel {
        flex: 1;
        min-block-size: 0;
      }
      .panel[hidden] {
        display: none;
      }
      .mark {
        font-weight: 700;
      }
      .good {
        color: var(--good);
      }
      .bad {
        color: var(--bad);
      }
    `,
  ];

  constructor() {
    super();
    this.visited = new Set();
    this.rerun = false;
  }

  protected override willUpdate(_changed: PropertyValues): void {
    const { panel } = this.state;
    if (this.visited.has(panel)) return;
    this.visited = new Set([...this.visited, panel]);
    LOAD[panel]().catch((error: unknown) => this.session.report(error));
  }

  protected override updated(): void {
    const list = this.renderRoot.querySelector<HTMLElement>("[role=tablist]");
    const tab = list?.querySelector<HTMLElement>("[aria-selected=true]");
    // Where not all tabs fit, the list scrolls, and only the list: the page stays where it is.
    if (list && tab && list.scrollWidth > list.clientWidth) list.scrollLeft = tab.offsetLeft - list.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
  }

  override render(): TemplateResult {
    const { state, session } = this;
    const words = t().app;
    const busy = state.activity !== "idle";
    // Writing an edit takes a moment that the click on Undo began by leaving the editor: it waits for it.
    const waiting = busy && state.activity !== "files";
    return html`<section aria-label=${words.project} @file-opened=${this.#openAt}>
      <div class="bar"><div class="tabs">
        <div role="tablist" aria-label=${words.panels} @keydown=${this.#tabKey}>
          ${this.#panels.map(
            (panel) => html`<button role="tab" id=${`tab-${panel}`} aria-controls=${`panel-${panel}`} aria-selected=${state.panel === panel ? "true" : "false"}
              tabindex=${state.panel === panel ? "0" : "-1"} @click=${() => session.show(panel)}>${words.panel[panel]} ${this.#badge(panel)}</button>`,
          )}
        </div>
        <div class="actions">
          <button class="undo" aria-disabled=${waiting || !session.timeline.canUndo ? "true" : "false"} @click=${() => void this.#afterEdits(() => session.timeline.undo())} title=${words.undoTitle}><span class="icon" aria-hidden="true">↶</span><span class="word">${words.undo}</span></button>
          <button class="redo" aria-disabled=${waiting || !session.timeline.canRedo ? "true" : "false"} @click=${() => void this.#afterEdits(() => session.timeline.redo())} title=${words.redoTitle}><span class="icon" aria-hidden="true">↷</span><span class="word">${words.redo}</span></button>
        </div>
      </div></div>
      ${this.#panel("tests", () => this.#tests(busy))} ${this.#panel("diff", () => this.#diff(busy))} ${this.#panel("files", () => this.#files(busy))}
      ${this.#panel("terminal", () => this.#terminal(busy))} ${this.#panel("preview", () => html`<tw-preview-panel .ports=${state.ports}></tw-preview-panel>`)} ${this.#panel("timeline", () => this.#timeline(busy))}
    </section>`;
  }

  /** The preview has a tab once something has been served. */
  get #panels(): readonly Panel[] {
    const { ports, panel } = this.state;
    return PANELS.filter((name) => name !== "preview" || ports.length > 0 || panel === "preview" || this.visited.has("preview"));
  }

  #panel(panel: Panel, content: () => TemplateResult): TemplateResult {
    return html`<div class="panel" role="tabpanel" id=${`panel-${panel}`} aria-labelledby=${`tab-${panel}`} ?hidden=${this.state.panel !== panel}>${this.visited.has(panel) ? content() : nothing}</div>`;
  }

  get #actions(): FileActions {
    this.#made ??= new FileActions(this.session);
    return this.#made;
  }

  #tests(busy: boolean): TemplateResult {
    const { state, session } = this;
    return html`<tw-tests-panel .tests=${state.tests} .files=${state.project.files} ?busy=${busy} ?available=${state.container.phase === "ready"} .command=${session.runs.testCommand} ?rerun=${this.rerun}
      @tests-run=${() => void session.runs.runTests()} @fix-asked=${this.#fix} @rerun-chosen=${(event: CustomEvent<boolean>) => (this.rerun = event.detail)}></tw-tests-panel>`;
  }

  #diff(busy: boolean): TemplateResult {
    const { state, session } = this;
    const actions = this.#actions;
    return html`<tw-diff-view .changes=${state.comparison?.changes ?? this.#changed().list} .compared=${state.comparison?.title} .accepted=${state.reviewed} ?readonly=${busy || state.container.phase !== "ready"}
      @hunks-accepted=${(event: CustomEvent<readonly string[]>) => void actions.accept(event.detail)} @hunks-reopened=${(event: CustomEvent<readonly string[]>) => void session.project.review(event.detail, false)}
      @hunks-rejected=${(event: CustomEvent<readonly string[]>) => void actions.reject(event.detail, this.#changed().list)} @compare-closed=${() => session.timeline.closeComparison()}></tw-diff-view>`;
  }

  #files(busy: boolean): TemplateResult {
    const { state, session } = this;
    const actions = this.#actions;
    return html`<tw-files-area .project=${state.project.id} .files=${state.project.files} .marks=${this.#changed().marks} .selected=${state.project.selected} ?readonly=${state.container.phase !== "ready"} ?locked=${busy}
      @file-chosen=${(event: CustomEvent<string>) => session.project.select(event.detail)} @file-created=${(event: CustomEvent<string>) => void actions.create(event.detail)}
      @file-renamed=${(event: CustomEvent<{ from: string; to: string }>) => void actions.rename(event.detail.from, event.detail.to)} @files-deleted=${(event: CustomEvent<readonly string[]>) => void actions.remove(event.detail)}
      @text-changed=${(event: CustomEvent<{ path: string; text: string }>) => void actions.edit(event.detail.path, event.detail.text)} @file-saved=${this.#saved}></tw-files-area>`;
  }

  #terminal(busy: boolean): TemplateResult {
    const { state, session } = this;
    return html`<tw-terminal-panel .records=${state.commands} ?busy=${busy} ?available=${state.container.phase === "ready"} .openShell=${session.runs.openShell} .history=${session.runs.history} .project=${state.project.id}
      @command-run=${(event: CustomEvent<string>) => void session.runs.runCommand(event.detail)} @command-stop=${() => session.stop()} @job-stop=${(event: CustomEvent<number>) => session.runs.stopJob(event.detail)}></tw-terminal-panel>`;
  }

  #timeline(busy: boolean): TemplateResult {
    const { state, session } = this;
    const { timeline } = session;
    return html`<tw-timeline .entries=${state.timeline} ?busy=${busy}
      @restore-asked=${(event: CustomEvent<{ id: string; what: "files" | "chat" | "both" }>) => void timeline.restore(event.detail.id, event.detail.what)}
      @compare-asked=${(event: CustomEvent<{ before: string; after?: string }>) => void timeline.showComparison(event.detail.before, event.detail.after)}
      @checkpoint-renamed=${(event: CustomEvent<{ id: string; label: string }>) => void timeline.rename(event.detail.id, event.detail.label)}></tw-timeline>`;
  }

  /** What differs from the project as it was opened; compared once for each state of the files. */
  #changed(): { readonly list: readonly FileDiff[]; readonly marks: ReadonlyMap<string, FileDiff["status"]> } {
    const { base, files } = this.state.project;
    if (this.#changes?.base !== base || this.#changes.files !== files) {
      const list = diffTrees(base, files);
      this.#changes = { base, files, list, marks: new Map(list.map(({ path, status }) => [path, status])) };
    }
    return this.#changes;
  }

  #badge(panel: Panel): TemplateResult | typeof nothing {
    const { tests } = this.state;
    if (panel === "diff") {
      const { reviewed } = this.state;
      const open = this.#changed().list.filter((change) => keysOf(change).some((key) => !reviewed.has(key))).length;
      return open > 0 ? html`<span class="mark">${open}</span>` : nothing;
    }
    if (panel !== "tests" || tests.phase !== "done") return nothing;
    const green = tests.report.failed === 0 && tests.report.passed > 0;
    return green ? html`<span class="mark good" role="img" aria-label=${t().app.green}>✓</span>` : html`<span class="mark bad" role="img" aria-label=${t().app.red}>✗</span>`;
  }

  /** "Fix this" of one red test, as a message that names it. */
  async #fix(event: CustomEvent<ListedTest>): Promise<void> {
    const { fixMessage } = await import("./work/tests-panel.ts");
    await this.session.chat.send(fixMessage(event.detail));
  }

  async #openAt(event: CustomEvent<{ path: string; line: number }>): Promise<void> {
    const { path, line } = event.detail;
    this.session.project.select(path);
    this.session.show("files");
    await LOAD.files();
    await this.updateComplete;
    const area = this.renderRoot.querySelector<FilesArea>("tw-files-area");
    await area?.updateComplete;
    area?.reveal(line);
  }

  async #afterEdits(action: () => Promise<void>): Promise<void> {
    await this.#actions.written();
    await this.session.whenIdle();
    await action();
  }

  /** A saved file is written first; the tests then run on what is there. */
  async #saved(): Promise<void> {
    if (!this.rerun || !this.session.runs.testCommand) return;
    await this.#actions.written();
    await this.session.runs.runTests();
  }

  /** Arrow keys move between tabs, as the ARIA pattern for tabs has it. */
  #tabKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const panels = this.#panels;
    const panel = panels[(panels.indexOf(this.state.panel) + step + panels.length) % panels.length] ?? "tests";
    this.session.show(panel);
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${panel}`)?.focus());
  }
}

customElements.define("tw-work", Work);
