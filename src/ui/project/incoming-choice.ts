// What was dropped, or came with entries left out, before it becomes anything: what it is, what adding would replace,
// what is missing. Says `project-wanted`, `add-wanted` or `cancelled`.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import { sameBytes } from "../../project/changed-paths.ts";
import { Component } from "../component.ts";
import type { ProjectState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { Incoming } from "./incoming.ts";
import { totalBytes } from "./project-source.ts";
import { projectStyles } from "./project-styles.ts";

/** Names written out before "and so on". */
const NAMED = 8;

export class IncomingChoice extends Component {
  static override properties = { incoming: { attribute: false }, project: { attribute: false }, disabled: { type: Boolean }, onlyOpen: { type: Boolean, attribute: "only-open" } };
  declare incoming: Incoming;
  declare project: ProjectState;
  declare disabled: boolean;
  /** The user has already said that it shall open. */
  declare onlyOpen: boolean;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .skipped {
        max-block-size: 30dvh;
        overflow: auto;
        margin-block-end: 12px;
        font: 13px/1.6 var(--mono);
      }
      .skipped span {
        color: var(--muted);
        font-family: var(--sans);
      }
      .actions {
        justify-content: flex-end;
        margin-block-start: 14px;
      }
    `,
  ];

  override render(): TemplateResult {
    const { incoming, project } = this;
    const words = t().project;
    const replaced = this.onlyOpen ? [] : [...incoming.files].filter(([path, bytes]) => project.files.has(path) && !sameBytes(project.files.get(path)!, bytes)).map(([path]) => path);
    const skipped = incoming.skipped ?? [];
    return html`
      <h3>${this.onlyOpen ? incoming.name : words.incoming.question(incoming.name)}</h3>
      <p class="hint">${words.files(incoming.files.size, formatBytes(totalBytes(incoming.files)))}</p>
      ${replaced.length > 0 ? html`<p class="replaces">${words.incoming.replaces(replaced.slice(0, NAMED).join(", ") + (replaced.length > NAMED ? " …" : ""), replaced.length)}</p>` : nothing}
      ${skipped.length > 0
        ? html`<p>${words.incoming.skipped(skipped.length)}</p>
            <ul class="skipped" tabindex="0">${skipped.map(({ path, why }) => html`<li>${path} <span>${words.incoming.why[why]}</span></li>`)}</ul>`
        : nothing}
      <div class="row actions">
        <button class="cancel" @click=${() => this.#tell("cancelled")}>${words.cancel}</button>
        ${this.onlyOpen ? nothing : html`<button class="add" ?disabled=${this.disabled} @click=${() => this.#tell("add-wanted")}>${words.open.addTo(project.name)}</button>`}
        <button class="primary as-project" ?disabled=${this.disabled} @click=${() => this.#tell("project-wanted")}>${this.onlyOpen ? words.incoming.continue : words.open.asProject}</button>
      </div>
    `;
  }

  #tell(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}

customElements.define("tw-incoming-choice", IncomingChoice);
