// The top of the page: the project and how it comes in and goes out, the model, and the page's own settings.
import { css, html, nothing, type TemplateResult } from "lit";
import { Component } from "./component.ts";
import { hasDialog } from "./dialogs.ts";
import type { Session } from "./session/session.ts";
import type { DialogName, SessionState } from "./session/session-state.ts";
import { TRIES } from "./session/session-store.ts";
import { LANGUAGES, type Language, t } from "./strings/index.ts";
import { applyTheme, controlStyles, type Theme } from "./theme.ts";

const THEMES: readonly Theme[] = ["auto", "light", "dark"];
const MENU = ["device", "download", "details", "offline", "practice", "rules", "shortcuts"] as const satisfies readonly DialogName[];

export class Header extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false } };
  declare session: Session;
  declare state: SessionState;

  static override styles = [
    controlStyles,
    css`
      :host {
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
      #menu {
        inset: auto 14px auto auto;
        margin: 0;
        inset-block-start: 48px;
        padding: 8px;
        color: var(--text);
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 10px;
        box-shadow: 0 8px 24px rgb(0 0 0 / 18%);
        gap: 4px;
        inline-size: 240px;
      }
      #menu:popover-open {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
      }
      /* Names of models are longer than the menu is wide. */
      #menu select {
        min-inline-size: 0;
      }
      #menu button {
        border: 0;
        background: none;
        text-align: start;
        padding: 7px 10px;
      }
      #menu button:hover {
        background: var(--sunken);
      }
      #menu .file {
        border: 0;
        background: none;
        padding: 7px 10px;
      }
      #menu .file:hover {
        background: var(--sunken);
      }
      #menu label:not(.file) {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 8px;
        padding: 4px 10px;
        color: var(--muted);
      }
      @media (max-width: 560px) {
        .project,
        .spring {
          display: none;
        }
      }
    `,
  ];

  override render(): TemplateResult {
    const { state, session } = this;
    const busy = state.activity !== "idle";
    const words = t().app;
    return html`
      <h1>${words.name}</h1>
      <span class="project" title=${state.project.name}>${state.project.name}</span>
      <button class="open" @click=${() => session.openDialog("open")}>${words.open}</button>
      <button class="export" @click=${() => session.openDialog("export")}>${words.export}</button>
      <span class="spring"></span>
      <label><span class="visually-hidden">${words.model}</span>
        <select class="model" ?disabled=${busy || state.models.length === 0} @change=${this.chooseModel}>
          ${state.models.length === 0 ? html`<option>${words.model}</option>` : nothing}
          ${state.models.map((model) => html`<option value=${model.id} ?selected=${model.id === state.engine.modelId}>${model.name}</option>`)}
        </select>
      </label>
      <button class="new-chat" ?disabled=${busy} @click=${() => void session.chat.newChat()}>${words.newChatButton}</button>
      ${hasDialog("history") ? html`<button class="history" @click=${() => session.openDialog("history")}>${words.history}</button>` : nothing}
      <button class="menu" popovertarget="menu" aria-label=${words.menu} title=${words.menu}>⋯</button>
      <div id="menu" popover @click=${this.menuClicked}>
        <label class="file">${words.openModel}<input class="open-model" type="file" accept=".gguf" multiple ?disabled=${busy} @change=${this.openModel} /></label>
        ${MENU.filter(hasDialog).map((name) => html`<button data-dialog=${name}>${words[name]}</button>`)}
        <label title=${words.helperTitle}>${words.helper}
          <select class="helper" ?disabled=${busy || state.engine.phase !== "ready"} @change=${this.chooseHelper}>
            <option value="" ?selected=${state.helper === ""}>${words.noHelper}</option>
            ${state.models.filter(({ id }) => id !== state.engine.modelId).map(({ id, name }) => html`<option value=${id} ?selected=${id === state.helper}>${name}</option>`)}
          </select>
        </label>
        <label title=${words.triesTitle}>${words.tries}
          <select class="tries" @change=${this.chooseTries}>
            ${TRIES.map((tries) => html`<option value=${tries} ?selected=${tries === state.tries}>${tries === 1 ? words.noTries : tries}</option>`)}
          </select>
        </label>
        <label>${words.theme}
          <select class="theme" @change=${this.chooseTheme}>
            ${THEMES.map((theme) => html`<option value=${theme} ?selected=${theme === state.theme}>${words.themes[theme]}</option>`)}
          </select>
        </label>
        <label>${words.language}
          <select class="language" @change=${this.chooseLanguage}>
            ${Object.entries(LANGUAGES).map(([id, name]) => html`<option value=${id} lang=${id} ?selected=${id === state.language}>${name}</option>`)}
          </select>
        </label>
      </div>
    `;
  }

  private menuClicked(event: Event): void {
    const name = event.target instanceof HTMLElement ? (event.target.dataset["dialog"] as DialogName | undefined) : undefined;
    if (name === undefined) return;
    (event.currentTarget as HTMLElement).hidePopover();
    // The dialog gives the focus back to what had it: the menu's button, not an entry that is hidden by then.
    this.renderRoot.querySelector<HTMLElement>("button.menu")?.focus();
    this.session.openDialog(name);
  }

  private openModel(event: Event): void {
    const files = takeFiles(event);
    if (files.length > 0) void this.session.loadModel(files);
  }

  private chooseModel(event: Event): void {
    void this.session.loadModel((event.target as HTMLSelectElement).value);
  }

  private chooseTheme(event: Event): void {
    const theme = (event.target as HTMLSelectElement).value as Theme;
    applyTheme(theme);
    this.session.setTheme(theme);
  }

  private chooseHelper(event: Event): void {
    void this.session.setHelper((event.target as HTMLSelectElement).value);
  }

  private chooseTries(event: Event): void {
    this.session.setTries(Number((event.target as HTMLSelectElement).value));
  }

  private chooseLanguage(event: Event): void {
    void this.session.setLanguage((event.target as HTMLSelectElement).value as Language);
  }
}

/** The chosen files; the input is emptied so that the same can be chosen again. */
function takeFiles(event: Event): readonly File[] {
  const input = event.target as HTMLInputElement;
  const files = [...(input.files ?? [])];
  input.value = "";
  return files;
}

customElements.define("tw-header", Header);
