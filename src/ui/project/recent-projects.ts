// The projects that were open before, newest first: opened as they were left, or forgotten after a question.
import { css, html, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { Workspace } from "../session/session-store.ts";
import { currentLanguage } from "../strings/index.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { totalBytes } from "./project-source.ts";
import { projectStyles } from "./project-styles.ts";

export class RecentProjects extends Component {
  static override properties = { session: { attribute: false }, open: {}, disabled: { type: Boolean }, list: { state: true }, asking: { state: true } };
  declare session: Session;
  /** Id of the workspace that is open. */
  declare open: string;
  declare disabled: boolean;
  declare private list: readonly Workspace[];
  /** Id of the one that is about to be forgotten. */
  declare private asking: string;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      li {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 10px;
        align-items: center;
        padding: 8px 0;
      }
      li + li {
        border-block-start: 1px solid var(--line);
      }
      li div {
        flex: 1 1 200px;
        min-inline-size: 0;
      }
      .name {
        display: block;
      }
    `,
  ];

  constructor() {
    super();
    this.list = [];
    this.asking = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#load();
  }

  override render(): TemplateResult {
    const words = t().project.open;
    if (this.list.length === 0) return html`<p class="hint">${words.noRecent}</p>`;
    return html`<ul>${this.list.map((workspace) => (workspace.id === this.asking ? this.#question(workspace) : this.#row(workspace)))}</ul>`;
  }

  #row({ id, name, origin, files, time }: Workspace): TemplateResult {
    const words = t().project.open;
    const when = new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }).format(time);
    return html`<li>
      <div><span class="name">${name}</span><span class="hint">${words.origins[origin.kind]} · ${t().project.files(files.size, formatBytes(totalBytes(files)))} · ${when}</span></div>
      ${id === this.open
        ? html`<span class="hint">${words.isOpen}</span>`
        : html`<button class="recent" ?disabled=${this.disabled} aria-label=${words.openRecent(name)} @click=${() => void this.#openRecent(id)}>${t().app.open}</button>
            <button class="forget" aria-label=${words.forgetNamed(name)} @click=${() => (this.asking = id)}>${words.forget}</button>`}
    </li>`;
  }

  #question({ id, name }: Workspace): TemplateResult {
    const words = t().project.open;
    return html`<li role="alert"><div>${words.forgetSure(name)}</div>
      <button class="forget-sure" @click=${() => void this.#forget(id)}>${words.forget}</button>
      <button @click=${() => (this.asking = "")}>${t().project.cancel}</button></li>`;
  }

  async #load(): Promise<void> {
    try {
      this.list = await this.session.project.recent();
    } catch (error) {
      this.session.report(error);
    }
  }

  async #openRecent(id: string): Promise<void> {
    await this.session.project.openRecent(id);
    this.session.closeDialog();
  }

  async #forget(id: string): Promise<void> {
    this.asking = "";
    try {
      await this.session.project.forget(id);
    } catch (error) {
      this.session.report(error);
    }
    await this.#load();
  }
}

customElements.define("tw-recent-projects", RecentProjects);
