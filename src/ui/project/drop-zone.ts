// The page as a place to drop things on: a frame that shows it while something is dragged over, and what was dropped, read
// and offered in the Open dialog. Fields that take drops themselves (the composer) come first: what they prevent is theirs.
import { css, html, nothing, type TemplateResult } from "lit";
import { AppError } from "../../base/errors.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import { t } from "../strings/more.ts";
import { carriesFiles, readDropped } from "./dropped.ts";

export class DropZone extends Component {
  static override properties = { session: { attribute: false }, over: { state: true } };
  declare session: Session;
  declare private over: boolean;

  static override styles = css`
    div {
      position: fixed;
      inset: 10px;
      z-index: 20;
      display: grid;
      place-content: center;
      justify-items: center;
      gap: 4px;
      pointer-events: none;
      border: 2px dashed var(--accent);
      border-radius: 14px;
      background: color-mix(in srgb, var(--ground) 88%, transparent);
      color: var(--text);
    }
    b {
      font-size: 20px;
    }
    span {
      color: var(--muted);
    }
  `;

  constructor() {
    super();
    this.over = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("dragover", this.#drag);
    document.addEventListener("dragleave", this.#leave);
    document.addEventListener("drop", this.#drop);
  }

  override disconnectedCallback(): void {
    document.removeEventListener("dragover", this.#drag);
    document.removeEventListener("dragleave", this.#leave);
    document.removeEventListener("drop", this.#drop);
    super.disconnectedCallback();
  }

  override render(): TemplateResult | typeof nothing {
    if (!this.over) return nothing;
    return html`<div aria-hidden="true"><b>${t().project.drop.zone}</b><span>${t().project.drop.hint}</span></div>`;
  }

  readonly #drag = (event: DragEvent): void => {
    if (!carriesFiles(event.dataTransfer)) return;
    this.over = !event.defaultPrevented;
    if (event.defaultPrevented) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  };

  /** Left the page: the browser names no element that is entered. */
  readonly #leave = (event: DragEvent): void => {
    if (event.relatedTarget === null) this.over = false;
  };

  readonly #drop = (event: DragEvent): void => {
    this.over = false;
    if (event.defaultPrevented || !event.dataTransfer || !carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    void this.#take(readDropped(event.dataTransfer));
  };

  async #take(reading: ReturnType<typeof readDropped>): Promise<void> {
    try {
      const dropped = await reading;
      if (dropped.kind === "model") await this.session.loadModel(dropped.model);
      else if (dropped.kind === "project") this.session.project.offer(dropped.incoming);
      else if (dropped.kind === "files") this.session.project.offer({ name: [...dropped.files.keys()][0] ?? "", files: dropped.files, origin: { kind: "paste" } });
      else throw new AppError("project/not-found", t().project.drop.nothing);
    } catch (error) {
      this.session.report(error);
    }
  }
}

customElements.define("tw-drop-zone", DropZone);
