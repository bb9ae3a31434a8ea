// One file of a write-back: what would happen to it in the folder, and its lines on demand. Says `ticked`, `take-wanted`.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import { diffFile, type DiffLine, hunksOf } from "../../project/diff.ts";
import type { WriteChange } from "../../project/write-back.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { visibleText } from "../work/visible-text.ts";
import { hiddenStyles } from "../work/work-styles.ts";

/** Lines shown of one file: this is a look before writing, the Changes panel has the rest. */
const SHOWN_LINES = 400;
const SIGNS = { added: "+", removed: "−", same: " " } as const;

export class WriteChangeRow extends Component {
  static override properties = { change: { attribute: false }, ticked: { type: Boolean }, disabled: { type: Boolean }, opened: { state: true } };
  declare change: WriteChange;
  declare ticked: boolean;
  declare disabled: boolean;
  declare private opened: boolean;

  static override styles = [
    controlStyles,
    hiddenStyles,
    css`
      :host {
        display: block;
        border: 1px solid var(--line);
        border-radius: var(--radius);
        margin-block-end: 6px;
        background: var(--ground);
        overflow: hidden;
      }
      .head {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 10px;
        align-items: center;
        padding: 4px 8px 4px 10px;
        min-block-size: 38px;
      }
      label {
        display: flex;
        flex: 1 1 180px;
        gap: 10px;
        align-items: center;
        min-inline-size: 0;
        font: 13px/1.5 var(--mono);
        overflow-wrap: anywhere;
        cursor: pointer;
      }
      .kind,
      p {
        color: var(--muted);
        font-size: 13px;
      }
      p {
        margin: 0;
        padding: 6px 12px;
      }
      .take {
        order: 1;
        font-size: 13px;
      }
      .show {
        border: 0;
        background: none;
        padding: 2px 8px;
      }
      .lines {
        border-block-start: 1px solid var(--line);
        overflow: auto;
        max-block-size: 40dvh;
        font: 12.5px/1.5 var(--mono);
        tab-size: 2;
        outline-offset: -2px;
        background: var(--raised);
      }
      .line {
        display: grid;
        grid-template-columns: 1.6em 1fr;
        white-space: pre;
        min-inline-size: max-content;
        padding-inline-end: 12px;
      }
      .line > :first-child {
        text-align: center;
        user-select: none;
      }
      .added {
        background: var(--good-ground);
      }
      .removed {
        background: var(--bad-ground);
      }
      .gap {
        color: var(--muted);
        padding-inline-start: 8px;
        background: var(--sunken);
      }
    `,
  ];

  constructor() {
    super();
    this.opened = false;
  }

  override render(): TemplateResult {
    const { path, kind, state } = this.change;
    const words = t().project.writeBack;
    return html`<div class="head">
        <label><input type="checkbox" .checked=${this.ticked} ?disabled=${this.disabled} @change=${() => this.#tell("ticked")} /><span>${visibleText(path)}</span></label>
        <span class="kind">${words.kinds[kind]}</span>
        ${state === "ours" ? nothing : html`<button class="take" ?disabled=${this.disabled} aria-label=${words.takeNamed(path)} @click=${() => this.#tell("take-wanted")}>${words.take}</button>`}
        <button class="show" aria-expanded=${this.opened ? "true" : "false"} aria-label=${words.showDiff(path)} @click=${() => (this.opened = !this.opened)}>${this.opened ? "▾" : "▸"} ±</button>
      </div>
      ${this.opened ? this.#lines() : nothing}`;
  }

  #lines(): TemplateResult {
    const { path, disk, project } = this.change;
    const words = t().project.writeBack;
    if (!project) return html`<p>${words.deletes}</p>`;
    const { lines } = diffFile(path, disk, project);
    if (!lines) return html`<p>${words.binary(formatBytes(project.byteLength))}</p>`;
    let left = SHOWN_LINES;
    const hunks = hunksOf(lines).map((hunk) => {
      const shown = hunk.slice(0, Math.max(0, left));
      left -= hunk.length;
      return shown;
    });
    return html`<div class="lines" tabindex="0" role="region" aria-label=${words.showDiff(path)}>
      ${hunks.map((hunk, index) => html`${index > 0 && hunk.length > 0 ? html`<div class="gap" aria-hidden="true">⋯</div>` : nothing}${hunk.map(lineRow)}`)}
      ${left < 0 ? html`<div class="gap">${words.longer(-left)}</div>` : nothing}
    </div>`;
  }

  #tell(name: string): void {
    this.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true }));
  }
}

function lineRow(line: DiffLine): TemplateResult {
  const said = line.kind === "same" ? "" : `${t().work.diff.lineKinds[line.kind]}: `;
  return html`<div class="line ${line.kind}"><span aria-hidden="true">${SIGNS[line.kind]}</span><span><span class="visually-hidden">${said}</span>${visibleText(line.text.replace(/\r?\n$/, ""))}</span></div>`;
}

customElements.define("tw-write-change", WriteChangeRow);
