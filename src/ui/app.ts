// The page: what stands where. The regions wire themselves to the session; all state lives there.
import { css, html, type TemplateResult } from "lit";
import { Component } from "./component.ts";
import type { Session } from "./session/session.ts";
import type { SessionState } from "./session/session-state.ts";
import { controlStyles } from "./theme.ts";
import { t } from "./strings/index.ts";
import "./dialogs.ts";
import "./header.ts";
import "./talk.ts";

/** Width of the conversation in percent of the page: as it begins, and how far it can be pulled. */
const SPLIT = { start: 45, least: 25, most: 75, step: 2 } as const;

export class App extends Component {
  static override properties = { session: { attribute: false }, state: { state: true }, split: { state: true } };
  declare session: Session;
  declare private state: SessionState;
  declare private split: number;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-rows: auto 1fr auto;
        block-size: 100dvh;
      }
      main {
        display: grid;
        grid-template-columns: minmax(280px, calc(var(--split) * 1%)) 1px minmax(0, 1fr);
        min-block-size: 0;
      }
      footer {
        min-block-size: 34px;
      }
      .splitter {
        position: relative;
        background: var(--line);
        cursor: col-resize;
        touch-action: none;
      }
      /* Wider to grab than to see. */
      .splitter::after {
        content: "";
        position: absolute;
        inset-block: 0;
        inset-inline: -4px;
      }
      .splitter:hover {
        background: var(--muted);
      }
      @media (max-width: 860px) {
        :host {
          block-size: auto;
          min-block-size: 100dvh;
        }
        main {
          grid-template-columns: minmax(0, 1fr);
        }
        tw-talk,
        tw-work {
          block-size: 75dvh;
        }
        .splitter {
          display: none;
        }
        tw-work {
          border-block-start: 1px solid var(--line);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.split = SPLIT.start;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.state = this.session.state;
    this.session.onChange = (state) => {
      this.state = state;
    };
    document.addEventListener("keydown", this.key);
    document.addEventListener("dragenter", loadDropZone, { once: true });
  }

  /** The right half and the strip come after the first paint: their places are kept, and the composer can be used meanwhile. */
  protected override firstUpdated(): void {
    Promise.all([import("./work.ts"), import("./status/stats-strip.ts")]).catch((error: unknown) => this.session.report(error));
  }

  override disconnectedCallback(): void {
    document.removeEventListener("keydown", this.key);
    document.removeEventListener("dragenter", loadDropZone);
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const { state, session } = this;
    return html`
      <header><tw-header .session=${session} .state=${state}></tw-header></header>
      <main style=${`--split: ${this.split}`}>
        <tw-talk .session=${session} .state=${state}></tw-talk>
        <div class="splitter" role="separator" aria-orientation="vertical" tabindex="0" aria-label=${t().app.split} aria-valuenow=${this.split}
          aria-valuemin=${SPLIT.least} aria-valuemax=${SPLIT.most} @keydown=${this.splitKey} @pointerdown=${this.splitGrab} @pointermove=${this.splitDrag}></div>
        <tw-work .session=${session} .state=${state}></tw-work>
      </main>
      <footer><tw-stats-strip .stats=${state.stats} .engine=${state.engine} .status=${session.status} @details-asked=${() => session.openDialog("details")}></tw-stats-strip></footer>
      <tw-dialogs .session=${session} .state=${state}></tw-dialogs>
      <tw-drop-zone .session=${session}></tw-drop-zone>
    `;
  }

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key === "Escape" && !event.defaultPrevented && this.state.dialog === undefined && this.state.activity !== "idle") {
      event.preventDefault();
      this.session.stop();
    }
  };

  private splitKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? SPLIT.step : event.key === "ArrowLeft" ? -SPLIT.step : 0;
    if (step !== 0) this.splitTo(this.split + step);
  }

  private splitGrab(event: PointerEvent): void {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  }

  private splitDrag(event: PointerEvent): void {
    if ((event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId)) this.splitTo((100 * event.clientX) / this.clientWidth);
  }

  private splitTo(percent: number): void {
    this.split = Math.round(Math.min(SPLIT.most, Math.max(SPLIT.least, percent)));
  }
}

/** Nobody needs it before something is dragged. */
function loadDropZone(): void {
  void import("./project/drop-zone.ts");
}

customElements.define("tw-app", App);
