// The terminal's screen: xterm, to read only, or with keys for a shell. Loaded with the first command. Everything written has passed the filter
// (terminal-filter.ts); what xterm could still act on is switched off here as well.
import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal } from "@xterm/xterm";
import xtermCss from "@xterm/xterm/css/xterm.css?inline";
import type { TerminalSize } from "../../container/sandbox.ts";
import { css, type CSSResult, unsafeCSS } from "lit";
import { pasteable } from "./terminal-filter.ts";

export interface ScreenKeys {
  /** For a screen reader. */
  readonly label: string;
  typed(keys: string): void;
  resized(size: TerminalSize): void;
}

const SCROLLBACK_LINES = 5_000;
/** Titles, colours of the terminal, links, clipboard, notifications, shell integration: nothing a program may do here. */
const REFUSED_OSC = [0, 1, 2, 4, 5, 7, 8, 9, 10, 11, 12, 50, 52, 99, 104, 133, 777, 1337];

const screenStyles: CSSResult = css`
  ${unsafeCSS(xtermCss)}
  .xterm {
    block-size: 100%;
  }
  .xterm .xterm-viewport {
    background: transparent;
  }
`;

export class TerminalScreen {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #resize: ResizeObserver;
  readonly #host: HTMLElement;

  /** With `keys` it can be typed into: what is typed goes there, and a screen reader is told what is shown. */
  constructor(host: HTMLElement, keys?: ScreenKeys) {
    this.#host = host;
    const sheet = screenStyles.styleSheet;
    const root = host.getRootNode();
    if (sheet && root instanceof ShadowRoot && !root.adoptedStyleSheets.includes(sheet)) root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    this.#terminal = new Terminal({
      convertEol: true,
      disableStdin: !keys,
      screenReaderMode: keys !== undefined,
      cursorInactiveStyle: keys ? "outline" : "none",
      scrollback: SCROLLBACK_LINES,
      fontFamily: getComputedStyle(host).getPropertyValue("--mono") || "monospace",
      fontSize: 13,
      lineHeight: 1.3,
      minimumContrastRatio: 4.5,
      linkHandler: { activate: () => undefined },
      theme: this.#theme(),
    });
    for (const code of REFUSED_OSC) this.#terminal.parser.registerOscHandler(code, () => true);
    this.#terminal.loadAddon(this.#fit);
    this.#terminal.open(host);
    // The screen is read through the plain log beside it; xterm's own input is no stop of the Tab key.
    if (keys) this.#connect(keys);
    else this.#terminal.textarea?.setAttribute("tabindex", "-1");
    this.#resize = new ResizeObserver(() => {
      // A hidden panel has no size: fitting to it would wrap everything at two columns.
      if (host.clientWidth > 0 && host.clientHeight > 0) this.#fit.fit();
    });
    this.#resize.observe(host);
  }

  #connect(keys: ScreenKeys): void {
    const terminal = this.#terminal;
    terminal.textarea?.setAttribute("aria-label", keys.label);
    terminal.onData((text) => keys.typed(text));
    // In front of xterm's own listener.
    this.#host.addEventListener("paste", (event) => {
      event.preventDefault();
      event.stopPropagation();
      terminal.paste(pasteable(event.clipboardData?.getData("text/plain") ?? ""));
    }, { capture: true });
    terminal.onResize(({ cols, rows }) => keys.resized({ cols, rows }));
    // Shift+Tab is the way out: Tab completes. Ctrl+C copies what is selected.
    terminal.attachCustomKeyEventHandler((event) => !(event.key === "Tab" && event.shiftKey) && !(event.key === "c" && (event.ctrlKey || event.metaKey) && terminal.hasSelection()));
    // Once the host has its size.
    this.#fit.fit();
  }

  get size(): TerminalSize {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  focus(): void {
    this.#terminal.focus();
  }

  /** Filtered text only. */
  write(text: string): void {
    this.#terminal.write(text);
  }

  reset(): void {
    this.#terminal.reset();
  }

  get selection(): string {
    return this.#terminal.getSelection();
  }

  /** Scrolls by lines, or by pages. */
  scroll(amount: number, unit: "lines" | "pages"): void {
    if (unit === "lines") this.#terminal.scrollLines(amount);
    else this.#terminal.scrollPages(amount);
  }

  scrollToEnd(end: "top" | "bottom"): void {
    if (end === "top") this.#terminal.scrollToTop();
    else this.#terminal.scrollToBottom();
  }

  /** Selects the next line's match below the selection (above it for -1), going round at the end. False: there is none. */
  find(query: string, step: 1 | -1): boolean {
    const buffer = this.#terminal.buffer.active;
    const wanted = query.toLowerCase();
    if (wanted === "") return false;
    const selected = this.#terminal.getSelectionPosition()?.start.y;
    const start = selected ?? (step === 1 ? -1 : buffer.length);
    for (let i = 1; i <= buffer.length; i++) {
      const y = (start + step * i + buffer.length * 2) % buffer.length;
      const column = buffer.getLine(y)?.translateToString(true).toLowerCase().indexOf(wanted) ?? -1;
      if (column < 0) continue;
      this.#terminal.select(column, y, query.length);
      this.#terminal.scrollToLine(Math.max(0, y - Math.floor(this.#terminal.rows / 2)));
      return true;
    }
    return false;
  }

  /** After the page's theme has changed. */
  recolor(): void {
    this.#terminal.options.theme = this.#theme();
  }

  dispose(): void {
    this.#resize.disconnect();
    this.#terminal.dispose();
  }

  #theme(): ITheme {
    const style = getComputedStyle(this.#host);
    const token = (name: string): string => style.getPropertyValue(name).trim();
    const isDark = Number.parseInt(token("--ground").slice(1, 3), 16) < 128;
    // The page has no token for these two.
    const [cyan, magenta] = isDark ? ["#7cc7c7", "#d3a6e0"] : ["#0b6363", "#7a3d8f"];
    return {
      background: token("--sunken"),
      foreground: token("--text"),
      cursor: token(this.#terminal?.options.disableStdin === false ? "--text" : "--sunken"),
      selectionBackground: `${token("--focus")}55`,
      black: token("--text"),
      brightBlack: token("--muted"),
      red: token("--bad"),
      brightRed: token("--bad"),
      green: token("--good"),
      brightGreen: token("--good"),
      yellow: token("--accent"),
      brightYellow: token("--accent"),
      blue: token("--focus"),
      brightBlue: token("--focus"),
      cyan,
      brightCyan: cyan,
      magenta,
      brightMagenta: magenta,
      white: token("--text"),
      brightWhite: token("--text"),
    };
  }
}
