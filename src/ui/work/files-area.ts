// The Files panel: the tree, a splitter, the open files. It knows which files are open; everything else is passed through.
import { css, html, type PropertyValues, type TemplateResult } from "lit";
import type { FileTree } from "../../project/tree.ts";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import type { FileView } from "./file-view.ts";
import type { FileMark } from "./tree-rows.ts";
import "./file-view.ts";
import "./files-panel.ts";

/** Width of the tree in percent: as it begins, and how far it can be pulled. */
const WIDTH = { start: 34, least: 15, most: 70, step: 3 } as const;

export class FilesArea extends Component {
  static override properties = {
    project: {},
    files: { attribute: false },
    marks: { attribute: false },
    selected: {},
    readonly: { type: Boolean },
    locked: { type: Boolean },
    tabs: { state: true },
    width: { state: true },
  };
  declare project: string;
  declare files: FileTree;
  declare marks: ReadonlyMap<string, FileMark>;
  declare selected: string;
  /** Nothing can be edited: there is no container to write to. */
  declare readonly: boolean;
  /** Something else is changing the files: edits wait, and no file can be made, renamed or removed. */
  declare locked: boolean;
  declare private tabs: readonly string[];
  declare private width: number;

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        block-size: 100%;
        min-block-size: 0;
        container-type: inline-size;
      }
      .area {
        display: grid;
        block-size: 100%;
        grid-template-columns: minmax(120px, calc(var(--width) * 1%)) 6px minmax(0, 1fr);
        grid-template-rows: minmax(0, 1fr);
      }
      .splitter {
        cursor: col-resize;
        border-inline-end: 1px solid var(--line);
        touch-action: none;
      }
      .splitter:hover {
        border-color: var(--muted);
      }
      @container (max-width: 560px) {
        .area {
          grid-template-columns: minmax(0, 1fr);
          grid-template-rows: minmax(120px, 36%) minmax(0, 1fr);
        }
        .splitter {
          display: none;
        }
        tw-file-view {
          border-block-start: 1px solid var(--line);
        }
      }
    `,
  ];

  constructor() {
    super();
    this.tabs = [];
    this.width = WIDTH.start;
  }

  /** Opens the selected file at a line, from 1. */
  reveal(line: number): void {
    this.#view?.reveal(line);
  }

  get #view(): FileView | null {
    return this.renderRoot.querySelector<FileView>("tw-file-view");
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("project")) this.tabs = [];
    if (this.selected !== "" && !this.tabs.includes(this.selected)) this.tabs = [...this.tabs, this.selected];
  }

  override render(): TemplateResult {
    return html`<div class="area" style=${`--width: ${this.width}`} @tab-closed=${this.#close} @file-renamed=${this.#renamed}>
      <tw-files-panel .files=${this.files} .marks=${this.marks} .selected=${this.selected} .readonly=${this.readonly || this.locked}></tw-files-panel>
      <div class="splitter" role="separator" aria-orientation="vertical" tabindex="0" aria-label=${t().work.treeWidth} aria-valuenow=${this.width} aria-valuemin=${WIDTH.least} aria-valuemax=${WIDTH.most}
        @keydown=${this.#splitKey} @pointerdown=${this.#grab} @pointermove=${this.#drag}></div>
      <tw-file-view .project=${this.project} .files=${this.files} .tabs=${this.tabs} .selected=${this.selected} .readonly=${this.readonly} .locked=${this.locked}></tw-file-view>
    </div>`;
  }

  #close(event: CustomEvent<string>): void {
    event.stopPropagation();
    const at = this.tabs.indexOf(event.detail);
    this.#view?.flush();
    this.tabs = this.tabs.filter((path) => path !== event.detail);
    if (event.detail === this.selected) this.dispatchEvent(new CustomEvent("file-chosen", { detail: this.tabs[Math.min(at, this.tabs.length - 1)] ?? "" }));
  }

  #renamed(event: CustomEvent<{ readonly from: string; readonly to: string }>): void {
    const { from, to } = event.detail;
    this.#view?.flush();
    this.tabs = this.tabs.map((path) => (path === from ? to : path));
  }

  #splitKey(event: KeyboardEvent): void {
    const step = event.key === "ArrowRight" ? WIDTH.step : event.key === "ArrowLeft" ? -WIDTH.step : 0;
    if (step !== 0) this.#resize(this.width + step);
  }

  #grab(event: PointerEvent): void {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
  }

  #drag(event: PointerEvent): void {
    if (!(event.currentTarget as HTMLElement).hasPointerCapture(event.pointerId)) return;
    const { left, width } = this.getBoundingClientRect();
    this.#resize((100 * (event.clientX - left)) / width);
  }

  #resize(percent: number): void {
    this.width = Math.round(Math.min(WIDTH.most, Math.max(WIDTH.least, percent)));
  }
}

customElements.define("tw-files-area", FilesArea);
