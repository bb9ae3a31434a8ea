// A shell at a terminal, in the panel: it starts with the view and ends with it. Keys go to the shell, what it prints comes
// through the filter. Shift+Tab leaves it for the keyboard; a screen reader is read what is printed.
import { css, html, type TemplateResult } from "lit";
import type { TerminalShell, TerminalSize } from "../../container/sandbox.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { TerminalFilter } from "./terminal-filter.ts";
import type { TerminalScreen } from "./terminal-screen.ts";
import { panelStyles } from "./work-styles.ts";

export type OpenShell = (size: TerminalSize, onOutput: (text: string) => void) => Promise<TerminalShell>;

export class ShellView extends Component {
  static override properties = { open: { attribute: false }, told: { state: true } };
  declare open: OpenShell | undefined;
  declare private told: string;
  #screen: TerminalScreen | undefined;
  #shell: TerminalShell | undefined;
  #themes: MutationObserver | undefined;

  static override styles = [
    controlStyles,
    panelStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        flex: 1;
        min-block-size: 0;
        background: var(--sunken);
      }
      .screen {
        flex: 1;
        min-block-size: 0;
        margin: 8px 4px 4px 14px;
        overflow: clip;
      }
      .hint {
        margin: 0;
        padding: 4px 14px 8px;
        color: var(--muted);
        font-size: 0.85em;
      }
    `,
  ];

  constructor() {
    super();
    this.told = "";
  }

  override render(): TemplateResult {
    const words = t().work.terminal;
    return html`<div class="screen" role="region" aria-label=${words.shell}></div>
      <p class="hint" role="status">${this.told || words.shellHint}</p>`;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.updateComplete.then(() => this.#start());
  }

  override disconnectedCallback(): void {
    this.#themes?.disconnect();
    this.#shell?.close();
    this.#screen?.dispose();
    this.#shell = this.#screen = undefined;
    super.disconnectedCallback();
  }

  async #start(): Promise<void> {
    const { TerminalScreen } = await import("./terminal-screen.ts");
    const host = this.renderRoot.querySelector<HTMLElement>(".screen");
    if (!host || !this.isConnected || this.#screen) return;
    const screen = new TerminalScreen(host, { label: t().work.terminal.shell, typed: (keys) => this.#shell?.write(keys), resized: (size) => this.#shell?.resize(size) });
    this.#screen = screen;
    this.#themes = new MutationObserver(() => screen.recolor());
    this.#themes.observe(document.documentElement, { attributeFilter: ["data-theme"] });
    const filter = new TerminalFilter(true);
    try {
      this.#shell = await this.open?.(screen.size, (text) => screen.write(filter.push(text)));
    } catch (error) {
      this.told = error instanceof Error ? error.message : String(error);
      return;
    }
    if (!this.isConnected) return this.#shell?.close();
    screen.focus();
    await this.#shell?.ended;
    if (this.isConnected) this.dispatchEvent(new CustomEvent("shell-ended", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-shell-view", ShellView);
