// What the assistant may do in this project, rule by rule: allow, ask or deny, for changing files, for running commands,
// and for commands that begin with certain words. Reading needs no rule: it never leaves the page.
import { css, html, nothing, type TemplateResult } from "lit";
import type { Decision, Mode, ToolRule } from "../../agent/permission.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { visibleText } from "./hidden-text.ts";

const DECISIONS: readonly Decision[] = ["allow", "ask", "deny"];

export class RulesDialog extends Component {
  static override properties = { rules: { attribute: false }, mode: {} };
  declare rules: readonly ToolRule[];
  declare mode: Mode;

  constructor() {
    super();
    this.rules = [];
    this.mode = "auto";
  }

  static override styles = [
    controlStyles,
    css`
      p {
        margin: 0 0 12px;
        color: var(--muted);
      }
      table {
        inline-size: 100%;
        border-collapse: collapse;
      }
      th {
        text-align: start;
        font-size: 13px;
        color: var(--muted);
        font-weight: 600;
      }
      td,
      th {
        padding: 6px 6px 6px 0;
        border-block-end: 1px solid var(--line);
        vertical-align: middle;
      }
      td:last-child {
        text-align: end;
        padding-inline-end: 0;
      }
      td select {
        max-inline-size: min(22ch, 40vw);
      }
      code {
        overflow-wrap: anywhere;
      }
      form {
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        margin-block-start: 14px;
        align-items: center;
      }
      input {
        flex: 1 1 14em;
        font: 14px var(--mono);
        color: inherit;
        background: var(--ground);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 6px 10px;
      }
      .small {
        border: 0;
        background: none;
        color: var(--muted);
        font-size: 13px;
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.rules;
    const modeName = t().chat.mode.names[this.mode];
    return html`<p>${words.explain(modeName)}</p>
      <table>
        <thead><tr><th scope="col">${words.what}</th><th scope="col">${words.decision}</th><th><span class="visually-hidden">${words.remove}</span></th></tr></thead>
        <tbody>
          <tr><td>${words.read}</td><td>${words.names.allow}</td><td></td></tr>
          ${this.general("edit")} ${this.general("run")}
          ${this.rules.map((rule, index) => (rule.command === undefined ? nothing : this.command(rule, index)))}
        </tbody>
      </table>
      <form @submit=${this.add}>
        <input name="command" aria-label=${words.command} placeholder=${words.commandHint} autocomplete="off" spellcheck="false" />
        <select name="decision" aria-label=${words.decision}>${DECISIONS.map((decision) => html`<option value=${decision}>${words.names[decision]}</option>`)}</select>
        <button>${words.add}</button>
      </form>`;
  }

  /** The rule for all changes, or all commands; without one the mode decides. */
  private general(tool: ToolRule["tool"]): TemplateResult {
    const words = t().chatParts.rules;
    const rule = this.rules.find((other) => other.tool === tool && other.command === undefined);
    const byMode = words.byMode;
    return html`<tr><td>${words[tool]}</td><td>
      <select aria-label=${words.decisionFor(words[tool])} @change=${(event: Event) => this.setGeneral(tool, (event.target as HTMLSelectElement).value)}>
        <option value="" ?selected=${!rule}>${byMode}</option>
        ${DECISIONS.map((decision) => html`<option value=${decision} ?selected=${rule?.decision === decision}>${words.names[decision]}</option>`)}
      </select></td><td></td></tr>`;
  }

  private command(rule: ToolRule, index: number): TemplateResult {
    const words = t().chatParts.rules;
    const command = rule.command ?? "";
    return html`<tr><td>${words.commands} <code>${visibleText(command)}</code></td><td>
      <select aria-label=${words.decisionFor(command)} @change=${(event: Event) => this.setCommand(index, (event.target as HTMLSelectElement).value as Decision)}>
        ${DECISIONS.map((decision) => html`<option value=${decision} ?selected=${rule.decision === decision}>${words.names[decision]}</option>`)}
      </select></td><td><button class="small" aria-label=${words.removeNamed(command)} @click=${() => this.tell(this.rules.filter((_, at) => at !== index))}>✕</button></td></tr>`;
  }

  private setGeneral(tool: ToolRule["tool"], value: string): void {
    const others = this.rules.filter((rule) => rule.tool !== tool || rule.command !== undefined);
    const decision = DECISIONS.find((known) => known === value);
    this.tell(decision ? [{ tool, decision }, ...others] : others);
  }

  private setCommand(index: number, decision: Decision): void {
    this.tell(this.rules.map((rule, at) => (at === index ? { ...rule, decision } : rule)));
  }

  private add(event: SubmitEvent): void {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const data = new FormData(form);
    const command = String(data.get("command") ?? "").trim().replace(/\s+/g, " ");
    const decision = DECISIONS.find((known) => known === data.get("decision"));
    if (command === "" || !decision) return;
    this.tell([...this.rules.filter((rule) => rule.command !== command), { tool: "run", command, decision }]);
    form.reset();
  }

  private tell(rules: readonly ToolRule[]): void {
    this.dispatchEvent(new CustomEvent("rules-changed", { detail: rules, bubbles: true, composed: true }));
  }
}

customElements.define("tw-rules-dialog", RulesDialog);
