// All changes since the project was opened, file by file. Added and removed lines differ by sign and word, not by colour alone.
import { css, html, LitElement, nothing, type TemplateResult } from "lit";
import { type DiffLine, type FileDiff, hunksOf } from "../project/diff.ts";
import { controlStyles } from "./theme.ts";

export class DiffView extends LitElement {
  static override properties = { changes: { attribute: false } };
  declare changes: readonly FileDiff[];

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        block-size: 100%;
        overflow: auto;
        padding: 12px 14px;
      }
      section {
        border: 1px solid var(--line);
        border-radius: var(--radius);
        margin-block-end: 12px;
        overflow: hidden;
      }
      h3 {
        margin: 0;
        padding: 5px 12px;
        font: 600 13px/1.6 var(--mono);
        background: var(--sunken);
        border-block-end: 1px solid var(--line);
      }
      h3 span {
        color: var(--muted);
        font-weight: 400;
      }
      .lines {
        overflow-x: auto;
        font: 13px/1.5 var(--mono);
        tab-size: 2;
      }
      .line {
        display: grid;
        grid-template-columns: 3.2em 3.2em 1.4em 1fr;
        white-space: pre;
        min-inline-size: max-content;
      }
      .number {
        color: var(--muted);
        text-align: end;
        padding-inline-end: 6px;
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
        padding: 2px 12px;
        background: var(--sunken);
      }
      p {
        color: var(--muted);
        margin: 0;
      }
    `,
  ];

  override render(): TemplateResult {
    if (this.changes.length === 0) return html`<p>No changes yet. What the assistant or a command changes in the files appears here.</p>`;
    return html`${this.changes.map((change) => this.file(change))}`;
  }

  private file(change: FileDiff): TemplateResult {
    return html`<section aria-label=${`Changes in ${change.path}`}>
      <h3>${change.path} <span>${change.status} ${change.lines ? `+${change.added} −${change.removed}` : "binary or very large"}</span></h3>
      <div class="lines" tabindex="0" role="region" aria-label=${`Lines of ${change.path}`}>
        ${hunksOf(change.lines ?? []).map((hunk, index) => html`${index > 0 ? html`<div class="gap">⋯</div>` : nothing}${hunk.map((line) => lineRow(line))}`)}
      </div>
    </section>`;
  }
}

const SIGNS = { added: "+", removed: "−", same: " " } as const;
const WORDS = { added: "added: ", removed: "removed: ", same: "" } as const;

function lineRow(line: DiffLine): TemplateResult {
  return html`<div class="line ${line.kind}"><span class="number" aria-hidden="true">${line.before ?? ""}</span><span class="number" aria-hidden="true">${line.after ?? ""}</span><span aria-hidden="true">${SIGNS[line.kind]}</span><span><span class="visually-hidden">${WORDS[line.kind]}</span>${line.text}</span></div>`;
}

customElements.define("tw-diff-view", DiffView);
