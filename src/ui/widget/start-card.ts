// Stands above the composer until the assistant runs: what starting it fetches, who has it instead, how far it is.
// `start-asked`, `again-asked`, `take-asked`.
import { css, html, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import { Component } from "../component.ts";
import type { EngineState } from "../session/session-state.ts";
import { controlStyles } from "../theme.ts";
import type { Gate } from "./widget-engine.ts";
import { w } from "./words.ts";

export class StartCard extends Component {
  static override properties = { gate: { attribute: false }, engine: { attribute: false }, host: {}, waiting: { type: Number } };
  declare gate: Gate;
  declare engine: EngineState;
  /** The site around us, as the reader knows it. */
  declare host: string;
  /** Messages that are sent when it runs. */
  declare waiting: number;

  static override styles = [
    controlStyles,
    css`
      .card {
        display: flex;
        flex-wrap: wrap;
        gap: 8px 12px;
        align-items: center;
        margin: 0 12px 10px;
        padding: 10px 12px;
        background: var(--sunken);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        font-size: 14px;
      }
      p {
        flex: 1 1 220px;
        margin: 0;
      }
      progress {
        inline-size: 100%;
        accent-color: var(--accent-ground);
      }
    `,
  ];

  override render(): TemplateResult | typeof nothing {
    const { gate } = this;
    const words = w().start;
    switch (gate.step) {
      case "looking":
        return nothing;
      case "offer": {
        const size = formatBytes(gate.bytes);
        return this.#card(gate.canShare ? words.offerShared(size) : gate.stored ? words.offer(size) : words.offerUnstored(size), words.start, "start-asked");
      }
      case "again":
        return this.#card(words.again(formatBytes(gate.bytes), this.host), words.fetch(formatBytes(gate.bytes)), "again-asked");
      case "elsewhere":
        return this.#card(words.elsewhere, words.take, "take-asked");
      case "running":
        return this.#progress();
    }
  }

  #card(text: string, button: string, event: string): TemplateResult {
    return html`<div class="card">
      <p>${text} ${this.waiting > 0 ? w().start.waiting : nothing}</p>
      <button class="primary" @click=${() => this.dispatchEvent(new CustomEvent(event, { bubbles: true, composed: true }))}>${button}</button>
    </div>`;
  }

  #progress(): TemplateResult | typeof nothing {
    const { phase, progress } = this.engine;
    if (phase === "ready" || phase === "failed" || phase === "waiting") return nothing;
    const share = progress && progress.totalBytes > 0 ? progress.doneBytes / progress.totalBytes : undefined;
    return html`<div class="card">
      <p role="status">${progress?.text ?? w().start.starting}</p>
      ${share === undefined ? html`<progress aria-label=${w().start.starting}></progress>` : html`<progress aria-label=${w().start.starting} max="1" .value=${share}></progress>`}
    </div>`;
  }
}

customElements.define("tw-start-card", StartCard);
