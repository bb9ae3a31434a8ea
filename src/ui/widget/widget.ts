// The widget's inside: the code and the conversation side by side, or one at a time where there is little room. Wires
// its panes to the session and to the host's page. Over 300 lines because more than a quarter is its styles.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Attachment } from "../../agent/attachment.ts";
import { type AppError, toAppError } from "../../base/errors.ts";
import type { Setup } from "../../embed/protocol.ts";
import { Component } from "../component.ts";
import { downloadBytes } from "../project/file-picker.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import type { GivenFeedback } from "../chat/answer-actions.ts";
import { FileActions } from "../work/file-actions.ts";
import type { HostLink } from "./host-link.ts";
import { entryOf, shellWord } from "./sample-project.ts";
import type { WidgetEngine } from "./widget-engine.ts";
import { lastAnswer } from "./answer-note.ts";
import "../talk.ts";
import "./answer-note.ts";
import type { CodePane } from "./code-pane.ts";
import "./code-pane.ts";
import "./start-card.ts";
import { w } from "./words.ts";

type Pane = "code" | "ask";

export class Widget extends Component {
  static override properties = { session: { attribute: false }, state: { state: true }, setup: { attribute: false }, pane: { state: true }, tooLarge: { state: true } };
  declare session: Session;
  declare setup: Setup;
  declare link: HostLink;
  declare engine: WidgetEngine;
  declare private state: SessionState;
  declare private pane: Pane;
  /** Why the project does not fit into an address. */
  declare private tooLarge: AppError | undefined;
  #made: FileActions | undefined;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto auto 1fr;
        block-size: 100dvh;
        container-type: inline-size;
      }
      header {
        display: flex;
        gap: 8px;
        align-items: center;
        padding: 6px 8px 6px 14px;
        border-block-end: 1px solid var(--line);
        font-size: 14px;
      }
      h1 {
        flex: 1;
        min-inline-size: 0;
        margin: 0;
        font-size: 14px;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      header button {
        padding: 3px 10px;
        white-space: nowrap;
      }
      .close {
        border-color: transparent;
        background: none;
      }
      .bar {
        display: flex;
        flex-wrap: wrap;
        gap: 6px 12px;
        align-items: center;
        padding: 7px 14px;
        font-size: 13px;
        background: var(--sunken);
        border-block-end: 1px solid var(--line);
      }
      .bar span {
        flex: 1 1 200px;
      }
      .tabs {
        display: flex;
        border-block-end: 1px solid var(--line);
      }
      .tabs button {
        flex: 1;
        border: 0;
        border-radius: 0;
        background: none;
        padding: 7px 10px;
        border-block-end: 2px solid transparent;
      }
      .tabs [aria-selected="true"] {
        border-color: var(--accent-ground);
        font-weight: 600;
      }
      .panes {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        grid-template-rows: minmax(0, 1fr);
        min-block-size: 0;
        grid-row: 3;
      }
      .panes > * {
        grid-area: 1 / 1;
      }
      .panes > .off {
        display: none;
      }
      @container (min-width: 720px) {
        .tabs.both {
          display: none;
        }
        .panes.both {
          grid-template-columns: minmax(0, 6fr) minmax(0, 5fr);
        }
        .panes.both > * {
          grid-area: auto;
          display: flex;
        }
        .panes.both > :last-child {
          border-inline-start: 1px solid var(--line);
        }
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    this.state = this.session.state;
    this.pane = this.setup.run ? "code" : "ask";
    this.session.onChange = (state) => {
      this.state = state;
    };
    this.engine.onGate = () => this.requestUpdate();
    document.addEventListener("keydown", this.#key, { capture: true });
    document.addEventListener("selection-asked", this.#askSelection);
  }

  readonly #askSelection = (): void => {
    this.pane = "ask";
  };

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.#key, { capture: true });
    document.removeEventListener("selection-asked", this.#askSelection);
    super.disconnectedCallback();
  }

  /** Stops what runs; returns when nothing does. */
  async settle(): Promise<void> {
    this.session.stop();
    await this.session.whenIdle();
  }

  /** Where the keys go when the widget is opened. */
  override focus(): void {
    const target = this.pane === "ask" ? this.renderRoot.querySelector("tw-talk")?.shadowRoot?.querySelector("tw-composer") : undefined;
    (target ?? this.renderRoot.querySelector<HTMLElement>(".close"))?.focus();
  }

  override render(): TemplateResult {
    const { state, session, setup } = this;
    const words = w();
    const both = setup.chat && setup.run;
    const { host } = new URL(this.link.hostOrigin);
    return html`
      <header>
        <h1 title=${state.project.name}>${state.project.name || "Tabwright"}</h1>
        <button class="full" @click=${this.#openFull} title=${words.fullTitle}>${words.full}</button>
        <button class="close" aria-label=${words.close} title=${words.closeTitle} aria-keyshortcuts="Escape" @click=${() => this.link.send({ type: "close" })}>✕</button>
      </header>
      <div>
        ${this.engine.stores ? nothing : html`<div class="bar" role="status"><span>${words.unstored}</span></div>`}
        ${this.tooLarge
          ? html`<div class="bar" role="alert"><span>${this.tooLarge.message}</span><button class="zip" @click=${this.#saveZip}>${words.zip}</button>
              <button @click=${() => (this.tooLarge = undefined)}>${t().app.dismiss}</button></div>`
          : nothing}
        ${both
          ? html`<div class="tabs both" role="tablist" aria-label=${words.panes} @keydown=${this.#tabKey}>
              ${(["code", "ask"] as const).map(
                (pane) => html`<button role="tab" id=${`tab-${pane}`} aria-controls=${`pane-${pane}`} aria-selected=${this.pane === pane ? "true" : "false"} tabindex=${this.pane === pane ? "0" : "-1"}
                  @click=${() => (this.pane = pane)}>${words.pane[pane]}</button>`,
              )}
            </div>`
          : nothing}
      </div>
      <main class="panes ${both ? "both" : ""}">
        ${setup.run
          ? html`<tw-code-pane id="pane-code" class=${this.pane === "code" ? "" : "off"} .state=${state} .testCommand=${session.runs.testCommand} .changed=${session.project.changedPaths}
              ?canUndo=${session.timeline.canUndo} ?canAsk=${setup.chat}
              @file-chosen=${(event: CustomEvent<string>) => session.project.select(event.detail)} @text-changed=${this.#edited} @run-asked=${() => void this.#run()} @tests-asked=${() => void this.#test()}
              @stop-asked=${() => session.stop()} @undo-asked=${() => void this.#undo()} @fix-asked=${() => void this.#fix()}></tw-code-pane>`
          : nothing}
        ${setup.chat
          ? html`<tw-talk id="pane-ask" small class=${this.pane === "ask" ? "" : "off"} .session=${session} .state=${state} .gather=${this.#gather} @feedback=${this.#feedback} @source-opened=${() => (this.pane = "code")}>
              ${state.activity === "agent" ? nothing : html`<tw-answer-note .items=${state.items} .host=${host}></tw-answer-note>`}
              <tw-start-card .gate=${this.engine.gate} .engine=${state.engine} .host=${host} .waiting=${state.queue.length}
                @start-asked=${() => void this.engine.accept()} @again-asked=${() => this.engine.acceptAgain()} @take-asked=${() => this.engine.take()}></tw-start-card>
            </tw-talk>`
          : nothing}
      </main>
    `;
  }

  /** What the host's page tells about a question. What was typed in the editor is in the project by then. */
  readonly #gather = async (): Promise<readonly Attachment[]> => {
    await this.#written();
    const sources = await this.link.context();
    return sources.map(({ kind, title, url, text }): Attachment => ({ kind, title: title || url || w().page, text, ...(url ? { url } : {}) }));
  };

  async #fix(): Promise<void> {
    this.pane = "ask";
    await this.session.chat.send(t().app.fixTests, await this.#gather());
  }

  get #actions(): FileActions {
    this.#made ??= new FileActions(this.session);
    return this.#made;
  }

  #edited({ detail }: CustomEvent<{ readonly path: string; readonly text: string }>): void {
    void this.#actions.edit(detail.path, detail.text);
  }

  /** What was typed is in the project before anything runs. */
  async #written(): Promise<void> {
    await this.updateComplete;
    await this.renderRoot.querySelector<CodePane>("tw-code-pane")?.flush();
    await this.#actions.written();
  }

  /** Nothing runs, and nothing that was typed waits. */
  async #free(): Promise<void> {
    await this.session.whenIdle();
    await this.#written();
    await this.session.whenIdle();
  }

  /** The click itself has ended an edit that is still being written: it is what is taken back. */
  async #undo(): Promise<void> {
    await this.#free();
    await this.session.timeline.undo();
  }

  async #test(): Promise<void> {
    await this.#free();
    await this.session.runs.runTests();
  }

  async #run(): Promise<void> {
    await this.#free();
    const entry = entryOf([...this.state.project.files.keys()]);
    if (entry !== undefined) await this.session.runs.runCommand(`node ${shellWord(entry)}`);
  }

  /** A rating that is taken back is nobody's business; one that is given goes to the host's page, as the note says. */
  #feedback({ detail: { exchange, value } }: CustomEvent<GivenFeedback>): void {
    const rated = value && lastAnswer(this.state.items, exchange);
    if (!rated) return;
    this.link.send({ type: "feedback", rating: value, question: rated.question, answer: rated.answer });
    // The thumb's own word of thanks says that it stays on the page.
    queueMicrotask(() => this.session.say(w().thanks));
  }

  /** The project and the first prompt travel in the address; what is too large goes by zip. */
  async #openFull(): Promise<void> {
    const { writeHandoff } = await import("../project/handoff.ts");
    const { name, files, selected } = this.state.project;
    try {
      const asked = this.state.items.length === 0 ? this.setup.prompt : "";
      window.open(`/${await writeHandoff({ name, files, open: selected, prompt: asked })}`, "_blank", "noopener");
    } catch (thrown) {
      this.tooLarge = toAppError(thrown);
    }
  }

  async #saveZip(): Promise<void> {
    downloadBytes(await this.session.project.exportZip(), `${this.state.project.name || "project"}.zip`, "application/zip");
  }

  readonly #key = (event: KeyboardEvent): void => {
    const isToggle = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "i";
    if (isToggle) {
      event.preventDefault();
      event.stopPropagation();
      this.link.send({ type: "close" });
    } else if (event.key === "Escape") setTimeout(() => this.#escape(event));
  };

  /** After whatever else listens to it: Esc stops what runs, else it closes the widget. */
  #escape(event: KeyboardEvent): void {
    if (event.defaultPrevented) return;
    if (this.state.activity !== "idle") this.session.stop();
    else this.link.send({ type: "close" });
  }

  #tabKey(event: KeyboardEvent): void {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    event.preventDefault();
    this.pane = this.pane === "code" ? "ask" : "code";
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`#tab-${this.pane}`)?.focus());
  }
}

customElements.define("tw-widget", Widget);
