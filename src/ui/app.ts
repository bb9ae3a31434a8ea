// The page: what stands where, and which part of the session each part shows. All state lives in the session.
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { downloadBytes, pickFolder } from "./file-picker.ts";
import type { Session } from "./session.ts";
import { type Panel, PANELS, type SessionState } from "./session-state.ts";
import { applyTheme, controlStyles, type Theme } from "./theme.ts";
import "./chat.ts";
import "./composer.ts";
import "./diff-view.ts";
import "./files-panel.ts";
import "./stats-strip.ts";
import "./terminal-panel.ts";
import "./tests-panel.ts";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const PANEL_NAMES: Readonly<Record<Panel, string>> = { tests: "Tests", diff: "Changes", files: "Files", terminal: "Terminal" };

export class App extends LitElement {
  static override properties = { session: { attribute: false }, state: { state: true } };
  declare session: Session;
  declare private state: SessionState;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto 1fr auto;
        block-size: 100dvh;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
        padding: 8px 14px;
        border-block-end: 1px solid var(--line);
      }
      h1 {
        font-size: 17px;
        margin: 0 8px 0 0;
        letter-spacing: -0.01em;
      }
      .project {
        color: var(--muted);
        min-inline-size: 0;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
        max-inline-size: 24ch;
      }
      .spring {
        flex: 1;
      }
      .file input {
        position: absolute;
        inline-size: 1px;
        block-size: 1px;
        opacity: 0;
      }
      .file:focus-within {
        outline: 2px solid var(--focus);
        outline-offset: 1px;
      }
      select {
        max-inline-size: 22ch;
      }
      main {
        display: grid;
        grid-template-columns: minmax(320px, 5fr) 6fr;
        min-block-size: 0;
      }
      .talk {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
        border-inline-end: 1px solid var(--line);
      }
      .work {
        display: flex;
        flex-direction: column;
        min-block-size: 0;
        min-inline-size: 0;
      }
      .tabs {
        display: flex;
        gap: 4px;
        align-items: center;
        padding: 6px 14px 0;
        border-block-end: 1px solid var(--line);
      }
      .tabs [role="tab"] {
        border: 0;
        border-radius: 0;
        background: none;
        padding: 6px 10px 8px;
        border-block-end: 2px solid transparent;
      }
      .tabs [aria-selected="true"] {
        border-color: var(--accent-ground);
        font-weight: 600;
      }
      .tabs .actions {
        margin-inline-start: auto;
        display: flex;
        gap: 6px;
        padding-block-end: 6px;
      }
      .panel {
        flex: 1;
        min-block-size: 0;
      }
      .panel[hidden] {
        display: none;
      }
      .notice {
        display: flex;
        gap: 12px;
        align-items: baseline;
        padding: 8px 14px;
        background: var(--bad-ground);
        border-block-end: 1px solid var(--line);
      }
      .notice div {
        flex: 1;
      }
      .notice b {
        color: var(--bad);
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
      @media (max-width: 860px) {
        :host {
          block-size: auto;
          min-block-size: 100dvh;
        }
        main {
          grid-template-columns: 1fr;
        }
        .talk {
          block-size: 75dvh;
          border-inline-end: 0;
        }
        .work {
          block-size: 75dvh;
          border-block-start: 1px solid var(--line);
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.state = this.session.state;
    this.session.onChange = (state) => {
      this.state = state;
    };
    document.addEventListener("keydown", this.key);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.key);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const { state, session } = this;
    const busy = state.activity !== "idle";
    return html`
      ${this.header(busy)}
      <main>
        <section class="talk" aria-label="Conversation with the assistant">
          ${state.notices.map(
            (notice) => html`<div class="notice" role="alert">
              <div><b>${notice.title}.</b> ${notice.message} ${notice.next}</div>
              <button @click=${() => session.dismiss(notice.id)} aria-label=${`Dismiss: ${notice.title}`}>Dismiss</button>
            </div>`,
          )}
          <tw-chat .items=${state.items} ?busy=${state.activity === "agent"} .spoken=${state.spoken} .suggestions=${session.suggestions}
            @message-sent=${(event: CustomEvent<string>) => void session.send(event.detail)}></tw-chat>
          <tw-composer ?busy=${busy} ?disabled=${!session.canSend} .hint=${session.hint}
            @message-sent=${(event: CustomEvent<string>) => void session.send(event.detail)} @stop-asked=${() => session.stop()}></tw-composer>
        </section>
        ${this.work(busy)}
      </main>
      <tw-stats-strip .stats=${state.stats} .progress=${state.engine.phase === "loading" ? state.engine.progress : undefined} .status=${session.status}></tw-stats-strip>
    `;
  }

  private header(busy: boolean): TemplateResult {
    const { state, session } = this;
    return html`<header>
      <h1>Tabwright</h1>
      <span class="project" title=${state.project.name}>${state.project.name}</span>
      <button class="open-folder" ?disabled=${busy} @click=${this.openFolder}>Open folder</button>
      <label class="file">Open zip<input class="open-zip" type="file" accept=".zip,application/zip" ?disabled=${busy} @change=${this.openZip} /></label>
      <button ?disabled=${busy} @click=${() => void session.openDemo()}>Demo</button>
      <button class="export-zip" @click=${this.exportZip}>Export zip</button>
      <span class="spring"></span>
      <label><span class="visually-hidden">Model</span>
        <select class="model" ?disabled=${busy} @change=${this.chooseModel}>
          ${state.models.map((model) => html`<option value=${model.id} ?selected=${model.id === state.engine.modelId}>${model.name}</option>`)}
        </select>
      </label>
      <label class="file">Open GGUF<input class="open-model" type="file" accept=".gguf" ?disabled=${busy} @change=${this.openModel} /></label>
      <button class="new-chat" ?disabled=${busy} @click=${() => void session.newChat()}>New chat</button>
      <label><span class="visually-hidden">Theme</span>
        <select class="theme" @change=${this.chooseTheme}>
          ${THEMES.map((theme) => html`<option value=${theme} ?selected=${theme === state.theme}>${theme === "auto" ? "System theme" : theme === "light" ? "Light" : "Dark"}</option>`)}
        </select>
      </label>
    </header>`;
  }

  private work(busy: boolean): TemplateResult {
    const { state, session } = this;
    const available = state.container.phase === "ready";
    return html`<section class="work" aria-label="Project">
      <div class="tabs">
        <div role="tablist" aria-label="Project panels" @keydown=${this.tabKey}>
          ${PANELS.map(
            (panel) => html`<button role="tab" id=${`tab-${panel}`} aria-controls=${`panel-${panel}`} aria-selected=${state.panel === panel ? "true" : "false"}
              tabindex=${state.panel === panel ? "0" : "-1"} @click=${() => session.show(panel)}>${PANEL_NAMES[panel]} ${this.badge(panel)}</button>`,
          )}
        </div>
        <div class="actions">
          <button class="undo" ?disabled=${busy || !session.canUndo} @click=${() => void session.undo()} title="Take back the last change to the files">Undo</button>
          <button class="redo" ?disabled=${busy || !session.canRedo} @click=${() => void session.redo()} title="Make the change again">Redo</button>
        </div>
      </div>
      ${this.panel("tests", html`<tw-tests-panel .tests=${state.tests} ?busy=${busy} ?available=${available} .command=${session.testCommand}
          @tests-run=${() => void session.runTests()} @fix-asked=${() => void session.send("Fix the failing test")}></tw-tests-panel>`)}
      ${this.panel("diff", html`<tw-diff-view .changes=${session.changes}></tw-diff-view>`)}
      ${this.panel("files", html`<tw-files-panel .files=${state.project.files} .changed=${session.changedPaths} .selected=${state.project.selected}></tw-files-panel>`)}
      ${this.panel("terminal", html`<tw-terminal-panel .records=${state.commands} ?busy=${busy} ?available=${available}
          @command-run=${(event: CustomEvent<string>) => void session.runCommand(event.detail)} @command-stop=${() => session.stop()}></tw-terminal-panel>`)}
    </section>`;
  }

  private panel(panel: Panel, content: TemplateResult): TemplateResult {
    const shown = this.state.panel === panel;
    return html`<div class="panel" role="tabpanel" id=${`panel-${panel}`} aria-labelledby=${`tab-${panel}`} ?hidden=${!shown}>${shown ? content : nothing}</div>`;
  }

  private badge(panel: Panel): TemplateResult | typeof nothing {
    const { tests } = this.state;
    if (panel === "diff" && this.session.changes.length > 0) return html`<span class="mark">${this.session.changes.length}</span>`;
    if (panel !== "tests" || tests.phase !== "done") return nothing;
    const green = tests.report.failed === 0 && tests.report.passed > 0;
    return green ? html`<span class="mark good" aria-label="green">✓</span>` : html`<span class="mark bad" aria-label="red">✗</span>`;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && this.state.activity !== "idle") {
      event.preventDefault();
      this.session.stop();
    }
  };

  /** Arrow keys move between tabs, as the ARIA pattern for tabs has it. */
  private tabKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const index = (PANELS.indexOf(this.state.panel) + step + PANELS.length) % PANELS.length;
    const panel = PANELS[index] ?? "tests";
    this.session.show(panel);
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${panel}`)?.focus());
  }

  private async openFolder(): Promise<void> {
    const files = await pickFolder();
    if (files) await this.session.openFolder(files);
  }

  private openZip(event: Event): void {
    const file = takeFile(event);
    if (file) void this.session.openZip(file);
  }

  private openModel(event: Event): void {
    const file = takeFile(event);
    if (file) void this.session.loadModel(file);
  }

  private chooseModel(event: Event): void {
    void this.session.loadModel((event.target as HTMLSelectElement).value);
  }

  private chooseTheme(event: Event): void {
    const theme = (event.target as HTMLSelectElement).value as Theme;
    applyTheme(theme);
    this.session.setTheme(theme);
  }

  private exportZip(): void {
    downloadBytes(this.session.exportZip(), `${this.state.project.name}.zip`, "application/zip");
  }
}

/** The chosen file; the input is emptied so that the same file can be chosen again. */
function takeFile(event: Event): File | undefined {
  const input = event.target as HTMLInputElement;
  const file = input.files?.[0];
  input.value = "";
  return file;
}

customElements.define("tw-app", App);
