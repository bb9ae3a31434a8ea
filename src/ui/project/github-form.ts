// Which repository, at which commit, which folder of it. The token lives in its field and goes when the dialog closes.
// Says `github-wanted` with what was written.
import { css, html, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { projectStyles } from "./project-styles.ts";
import type { GitHubRequest } from "./project-source.ts";

export class GitHubForm extends Component {
  static override properties = { disabled: { type: Boolean } };
  declare disabled: boolean;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .actions {
        display: flex;
        justify-content: flex-end;
        margin-block-start: 10px;
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().project.open;
    return html`<form @submit=${this.#submit}>
      <div class="fields">
        ${this.#field("repository", words.repository, words.repositoryHint, { wide: true, required: true })}
        ${this.#field("ref", words.ref, words.refHint)}
        ${this.#field("folder", words.sub, words.subHint)}
        ${this.#field("token", words.token, words.tokenHint, { wide: true, secret: true })}
      </div>
      <div class="actions"><button class="fetch" ?disabled=${this.disabled}>${words.fetch}</button></div>
    </form>`;
  }

  #field(name: keyof GitHubRequest, label: string, hint: string, { wide = false, required = false, secret = false } = {}): TemplateResult {
    return html`<label class="field ${wide ? "wide" : ""}">${label}
      <input name=${name} type=${secret ? "password" : "text"} placeholder=${hint} ?required=${required} spellcheck="false" autocapitalize="off" autocomplete="off" /></label>`;
  }

  #submit(event: SubmitEvent): void {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const value = (name: keyof GitHubRequest): string => String(data.get(name) ?? "").trim();
    const detail: GitHubRequest = { repository: value("repository"), ref: value("ref"), folder: value("folder"), token: value("token") };
    if (!this.disabled) this.dispatchEvent(new CustomEvent("github-wanted", { detail, bubbles: true, composed: true }));
  }
}

customElements.define("tw-github-form", GitHubForm);
