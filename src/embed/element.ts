// <tab-wright>: a button until the reader clicks it, then our page in a frame. Removing it ends everything that it
// started; it leaves no trace on the host's page.
import { ATTRIBUTES, type ContextHook, lookOf, modeOf, positionOf, setupOf, sourcesOf } from "./config.ts";
import { engineSeat, joinPage, leavePage, type Toggled, usedLast } from "./host-page.ts";
import { FrameLink } from "./link.ts";
import { onPageTheme } from "./page-theme.ts";
import type { FromFrame } from "./protocol.ts";
import { showStates } from "./styles.ts";
import { WidgetView } from "./view.ts";
import { WORDS } from "./words.ts";

/** Where the widget's page is: beside the loader. */
const FRAME_URL = new URL("/embed/", import.meta.url);

/** The element. All of the host's page that it touches is its own shadow tree, a listener for keys, and one that watches the page's theme. */
export class TabWright extends HTMLElement implements Toggled {
  static readonly observedAttributes = ATTRIBUTES;

  readonly #internals = this.attachInternals();
  readonly #view = new WidgetView(this.attachShadow({ mode: "open" }), () => this.show(), () => this.hide());
  #link: FrameLink | undefined;
  #open = false;
  #ready = false;
  #failure = "";
  /** Where the focus was before the widget took it. */
  #before: Element | null = null;
  #leaveTheme: () => void = () => undefined;
  #context: ContextHook | undefined;

  constructor() {
    super();
    // Set before the loader had defined the element: then it is a property of its own and hides ours.
    const early = Object.getOwnPropertyDescriptor(this, "context");
    if (!early) return;
    Reflect.deleteProperty(this, "context");
    this.context = early.value;
  }

  /** Set by the host: what its page can tell about a question. Asked for each question, never before. */
  get context(): ContextHook | undefined {
    return this.#context;
  }

  set context(hook: unknown) {
    this.#context = typeof hook === "function" ? (hook as ContextHook) : undefined;
  }

  connectedCallback(): void {
    joinPage(this);
    this.#leaveTheme = onPageTheme(() => this.#look());
    this.#look();
  }

  disconnectedCallback(): void {
    this.#leaveTheme();
    this.#end();
    this.#open = false;
    this.#failure = "";
    leavePage(this);
  }

  /** Moved by moveBefore(): the frame goes on. */
  connectedMoveCallback(): void {
    this.#look();
  }

  attributeChangedCallback(): void {
    if (this.isConnected) this.#look();
  }

  get isOpen(): boolean {
    return this.#open;
  }

  get isInline(): boolean {
    return positionOf(this) === "inline";
  }

  /** Opens the widget, loading it if this is the first time. */
  show(): void {
    if (!this.isConnected || this.#open) return;
    this.#before = document.activeElement;
    this.#open = true;
    this.#failure = "";
    usedLast(this);
    this.#link ??= this.#load();
    this.#look();
    if (this.#ready) this.#shown();
    else this.#view.focusClose();
    this.#tell("open");
  }

  /** Closes it; what is in it goes on. The focus returns to where it was. */
  hide(): void {
    if (!this.#open) return;
    const hadFocus = document.activeElement === this || document.activeElement === document.body;
    this.#open = false;
    this.#look();
    this.#link?.send({ type: "hidden" });
    if (!this.#ready) this.#end();
    if (hadFocus) this.#returnFocus();
    this.#tell("close");
  }

  toggle(): void {
    if (this.#open) this.hide();
    else this.show();
  }

  #returnFocus(): void {
    const before = this.#before;
    if (before instanceof HTMLElement && before !== this && before !== document.body && before.isConnected) before.focus();
    else this.#view.focusButton();
  }

  #load(): FrameLink {
    const link: FrameLink = new FrameLink(document.createElement("iframe"), FRAME_URL, {
      connected: () => void this.#setUp(link),
      message: (message) => this.#hear(link, message),
      failed: (why) => this.#fail(why, this.#words[why](FRAME_URL.origin)),
    });
    this.#view.adopt(link);
    return link;
  }

  async #setUp(link: FrameLink): Promise<void> {
    try {
      const setup = await setupOf(this);
      link.send({ type: "setup", setup });
    } catch (error) {
      if (link === this.#link) this.#fail("files", this.#words.files(error instanceof Error ? error.message : String(error)));
    }
  }

  #hear(link: FrameLink, message: FromFrame): void {
    if (link !== this.#link) return;
    switch (message.type) {
      case "ready":
        this.#ready = true;
        this.#look();
        if (this.#open) this.#shown();
        return this.#tell("ready");
      case "close":
        return this.hide();
      case "error":
        return this.#tell("error", { code: message.code, message: message.message });
      case "feedback":
        return this.#tell("feedback", { rating: message.rating, question: message.question, answer: message.answer });
      case "engine":
        usedLast(this);
        return engineSeat[message.state](link);
      case "context-wanted":
        return void this.#answer(link, message.request);
      default:
        return message satisfies never;
    }
  }

  async #answer(link: FrameLink, request: number): Promise<void> {
    try {
      link.send({ type: "context", request, sources: await sourcesOf(this, this.#context) });
    } catch (error) {
      link.send({ type: "context", request, sources: [] });
      this.#tell("error", { code: "context", message: error instanceof Error ? error.message : String(error) });
    }
  }

  #shown(): void {
    this.#link?.frame.focus();
    this.#link?.send({ type: "shown" });
  }

  #fail(code: string, message: string): void {
    this.#end();
    this.#open = false;
    this.#failure = message;
    this.#look();
    this.#tell("error", { code, message });
  }

  #end(): void {
    const link = this.#link;
    this.#link = undefined;
    this.#ready = false;
    if (!link) return;
    link.close();
    engineSeat.left(link);
  }

  get #words(): (typeof WORDS)["en"] {
    return WORDS[lookOf(this).language];
  }

  /** Shows what is true now, here and in the frame. */
  #look(): void {
    const look = lookOf(this);
    const position = positionOf(this);
    const { chat, run } = modeOf(this);
    const words = WORDS[look.language];
    const sizes = __WIDGET_SIZES__;
    const notice = !chat ? words.runNotice(sizes.frameBytes) : (run ? words.notice : words.chatNotice)(sizes.frameBytes, sizes.engineBytes);
    showStates(this.#internals.states, position, look.theme === "dark");
    this.#view.say({
      open: this.#failure ? words.retry : run && position === "inline" ? words.open : words.ask,
      notice: this.#failure || notice,
      alarm: this.#failure !== "",
      loading: words.loading,
      close: words.close,
      panel: words.frame,
      accent: look.accent,
    });
    this.#view.show(this.#open, this.#ready);
    this.#link?.send({ type: "look", look });
  }

  #tell(type: "ready" | "open" | "close" | "error" | "feedback", detail?: object): void {
    this.dispatchEvent(new CustomEvent(type, { detail: detail ?? null }));
  }
}
