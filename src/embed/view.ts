// The widget's shadow tree: the bar with the button that stands there before anything is loaded, and the panel for the
// frame. Made by DOM calls only: no text of the host's page is ever parsed as markup.
import type { FrameLink } from "./link.ts";
import { widgetSheet } from "./styles.ts";

/** Every word the closed widget shows. */
export interface ViewText {
  readonly open: string;
  readonly notice: string;
  /** The notice is a failure: said at once, and the button tries again. */
  readonly alarm: boolean;
  readonly loading: string;
  readonly close: string;
  readonly panel: string;
  /** A colour that was checked, or empty. */
  readonly accent: string;
}

/** Shows what it is told; decides nothing. */
export class WidgetView {
  readonly #bar = make("div", "bar");
  readonly #button = make("button", "open", "button");
  readonly #label = document.createElement("span");
  readonly #notice = make("div", "notice");
  readonly #panel = make("div", "panel");
  readonly #wait = make("div", "wait", "loading");
  readonly #waitText = document.createElement("span");
  readonly #close = document.createElement("button");

  constructor(root: ShadowRoot, onOpen: () => void, onClose: () => void) {
    root.adoptedStyleSheets = [widgetSheet()];
    this.#notice.id = "notice";
    this.#button.setAttribute("aria-describedby", "notice");
    this.#button.setAttribute("aria-keyshortcuts", "Control+I Meta+I");
    this.#button.append(playMark(), this.#label);
    this.#bar.append(this.#button, this.#notice);
    this.#panel.setAttribute("role", "dialog");
    this.#panel.hidden = true;
    this.#wait.append(this.#waitText, this.#close);
    this.#panel.append(this.#wait);
    this.#button.addEventListener("click", onOpen);
    this.#close.addEventListener("click", onClose);
    root.append(this.#bar, this.#panel);
  }

  say({ open, notice, alarm, loading, close, panel, accent }: ViewText): void {
    for (const { style } of [this.#bar, this.#panel]) style.setProperty("--_accent", accent);
    this.#label.textContent = open;
    this.#notice.textContent = notice;
    if (alarm) this.#notice.setAttribute("role", "alert");
    else this.#notice.removeAttribute("role");
    this.#waitText.textContent = loading;
    this.#close.textContent = close;
    this.#panel.setAttribute("aria-label", panel);
  }

  /** Which of the two is there; `ready` takes the waiting word off the frame. */
  show(open: boolean, ready: boolean): void {
    this.#bar.hidden = open;
    this.#panel.hidden = !open;
    this.#wait.hidden = ready;
  }

  adopt({ frame }: FrameLink): void {
    frame.part.add("frame");
    frame.title = this.#panel.getAttribute("aria-label") ?? "";
    this.#panel.prepend(frame);
  }

  focusButton(): void {
    this.#button.focus();
  }

  focusClose(): void {
    this.#close.focus();
  }
}

function make<K extends "div" | "button">(tag: K, name: string, part = name): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.className = name;
  element.part.add(part);
  return element;
}

function playMark(): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M4 2.5v11l9-5.5z");
  svg.append(path);
  return svg;
}
