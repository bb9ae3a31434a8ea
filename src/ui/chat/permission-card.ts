// Asks whether the assistant may change a file or run a command: what it would do, and three answers. The focus stays
// where it is; `y`, `a` and `n` answer from anywhere but a text field.
import { css, html, nothing, type TemplateResult } from "lit";
import type { ToolCall } from "../../agent/events.ts";
import type { PermissionAnswer, ToolRule } from "../../agent/permission.ts";
import { type DiffLine, diffFile, hunksOf } from "../../project/diff.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { visibleText } from "./hidden-text.ts";
import { matches } from "./shortcuts.ts";

const SHOWN_LINES = 60;
const SHOWN_CHARACTERS = 4_000;
const SIGNS = { added: "+", removed: "−", same: " " } as const;

/** What `permission-answered` carries; `always` becomes a rule of the project. */
export interface GivenAnswer {
  readonly answer: PermissionAnswer;
  readonly always?: ToolRule;
}

export class PermissionCard extends Component {
  static override properties = { call: { attribute: false }, current: { attribute: false }, denying: { state: true } };
  declare call: ToolCall;
  /** The file's bytes as they are; undefined for a command and a new file. */
  declare current: Uint8Array | undefined;
  /** Whether the reason is being asked for. */
  declare private denying: boolean;

  constructor() {
    super();
    this.denying = false;
  }

  static override styles = [
    controlStyles,
    css`
      .card {
        border: 1px solid var(--accent-ground);
        border-radius: var(--radius);
        background: var(--raised);
        overflow: hidden;
      }
      header {
        padding: 8px 12px;
        font-weight: 600;
      }
      header code {
        overflow-wrap: anywhere;
      }
      .preview {
        margin: 0;
        max-block-size: 18em;
        overflow: auto;
        background: var(--sunken);
        border-block: 1px solid var(--line);
        font: 13px/1.5 var(--mono);
        padding: 6px 0;
        tab-size: 2;
      }
      .line {
        white-space: pre-wrap;
        overflow-wrap: anywhere;
        padding: 0 12px;
      }
      .added {
        background: var(--good-ground);
      }
      .removed {
        background: var(--bad-ground);
      }
      .gap {
        color: var(--muted);
        padding: 0 12px;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 8px 12px;
      }
      kbd {
        font: 11px var(--mono);
        opacity: 0.75;
        margin-inline-start: 4px;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        padding: 0 12px 10px;
      }
      input {
        flex: 1 1 14em;
        font: inherit;
        color: inherit;
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 4px 10px;
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("keydown", this.key);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.key);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const words = t().chatParts.permission;
    const { command, target } = this;
    const title = command === undefined ? words.edit : words.run;
    return html`<div class="card" role="group" aria-label=${`${title} ${command ?? target}`}>
      <header>${title} ${command === undefined ? html`<code>${visibleText(target)}</code>` : nothing}</header>
      <div class="preview" tabindex="0" role="region" aria-label=${words.preview}>${command === undefined ? this.changes() : html`<div class="line">${visibleText(command.slice(0, SHOWN_CHARACTERS))}</div>`}</div>
      <div class="buttons">
        <button class="primary allow" aria-keyshortcuts="y" @click=${this.allow}>${words.once}<kbd aria-hidden="true">y</kbd></button>
        <button class="always" title=${command === undefined ? words.alwaysEdit : words.alwaysRun} aria-keyshortcuts="a" @click=${this.always}>${words.always}<kbd aria-hidden="true">a</kbd></button>
        <button class="deny" aria-keyshortcuts="n" aria-expanded=${this.denying ? "true" : "false"} @click=${this.askReason}>${words.deny}<kbd aria-hidden="true">n</kbd></button>
      </div>
      ${this.denying
        ? html`<form @submit=${this.deny} @keydown=${this.formKey}><input aria-label=${words.reason} placeholder=${words.reasonHint} /><button class="sure">${words.denySure}</button></form>`
        : nothing}
    </div>`;
  }

  private get command(): string | undefined {
    const { command } = this.call.arguments;
    return typeof command === "string" ? command : undefined;
  }

  private get target(): string {
    const { file_path: path } = this.call.arguments;
    return typeof path === "string" ? path : this.call.name;
  }

  /** The change as it would be: a whole file, or the passage that is replaced. */
  private changes(): TemplateResult {
    const { content, old_string: before, new_string: after } = this.call.arguments;
    const bytes = (text: unknown): Uint8Array => new TextEncoder().encode(typeof text === "string" ? text : "");
    const diff = typeof before === "string" ? diffFile(this.target, bytes(before), bytes(after)) : diffFile(this.target, this.current, bytes(content));
    const hunks = hunksOf(diff.lines ?? []);
    const all = hunks.flatMap((hunk, index): (DiffLine | undefined)[] => (index === 0 ? hunk : [undefined, ...hunk]));
    const words = t().chatParts.permission;
    return html`${all.slice(0, SHOWN_LINES).map((line) => (line ? changedLine(line) : html`<div class="gap">⋯</div>`))}
      ${all.length > SHOWN_LINES ? html`<div class="gap">${words.moreLines(all.length - SHOWN_LINES)}</div>` : nothing}
      ${all.length === 0 ? html`<div class="gap">${words.noLines}</div>` : nothing}`;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (matches(event, "allowOnce")) this.allow();
    else if (matches(event, "allowAlways")) this.always();
    else if (matches(event, "deny")) this.askReason();
    else return;
    event.preventDefault();
  };

  private allow(): void {
    this.tell({ answer: { allow: true } });
  }

  private always(): void {
    const { command } = this;
    this.tell({ answer: { allow: true }, always: command === undefined ? { tool: "edit", decision: "allow" } : { tool: "run", command: command.trim(), decision: "allow" } });
  }

  private askReason(): void {
    this.denying = true;
    void this.updateComplete.then(() => this.renderRoot.querySelector("input")?.focus());
  }

  private deny(event: Event): void {
    event.preventDefault();
    const reason = this.renderRoot.querySelector("input")?.value.trim() ?? "";
    this.tell({ answer: { allow: false, ...(reason === "" ? {} : { reason }) } });
  }

  private formKey(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    event.stopPropagation();
    this.denying = false;
  }

  private tell(detail: GivenAnswer): void {
    this.denying = false;
    this.dispatchEvent(new CustomEvent("permission-answered", { detail, bubbles: true, composed: true }));
  }
}

function changedLine({ kind, text }: DiffLine): TemplateResult {
  const words = t().chatParts.permission;
  return html`<div class="line ${kind}"><span aria-hidden="true">${SIGNS[kind]} </span>${kind === "same" ? nothing : html`<span class="visually-hidden">${words[kind]} </span>`}${visibleText(text.replace(/\n$/, "").slice(0, SHOWN_CHARACTERS))}</div>`;
}

customElements.define("tw-permission-card", PermissionCard);
