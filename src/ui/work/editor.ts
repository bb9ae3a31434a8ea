// The editor: CodeMirror on one file at a time, loaded when a file is first opened. What is typed is told a moment later, on
// blur and with Ctrl/Cmd+S; what others write to the open file flows in and the cursor stays. Where both changed the same
// lines the user decides: nothing typed is ever dropped. Merging, line ends, byte order mark: editor-text.ts. Over 300 lines
// because what is typed, told, come back or in conflict is one state, and reads best in one place.
// `text-changed` { path, text }, `file-saved` path, `selection-asked` { path, text, fromLine, toLine },
// `selection-changed` the same, or undefined when nothing is selected any more.
import { defaultKeymap, history, historyKeymap, indentWithTab, isolateHistory } from "@codemirror/commands";
import { bracketMatching, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState, type Extension, Transaction } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { currentLanguage } from "../strings/index.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { languageOf } from "./editor-language.ts";
import { fromDocument, mergeEdits, replacements, toDocument } from "./editor-text.ts";
import { editorHighlight, editorTheme } from "./editor-theme.ts";
import { codePoint, writtenOut } from "./visible-text.ts";
import { panelStyles } from "./work-styles.ts";

/** Time after the last key until the text is told. */
const TELL_MS = 800;
/** What highlightSpecialChars does not know by itself: fillers, variation selectors, tags, embedding marks. */
const MORE_HIDDEN = /[\u115f\u1160\u180e\u202a-\u202c\u2060-\u2064\u2068\u206a-\u206f\u3164\uffa0\u{e0000}-\u{e007f}]|\u034f|(?![\ufe0e\ufe0f])\p{Variation_Selector}/gu;

/** What `selection-asked` and `selection-changed` tell. Lines count from 1. */
export interface EditorSelection {
  readonly path: string;
  readonly text: string;
  readonly fromLine: number;
  readonly toLine: number;
}

/** One file that was opened here; it keeps its cursor and its undo while another is shown. */
interface OpenDocument {
  state: EditorState;
  /** The file's text that the document stands on. */
  fileText: string;
  /** Texts that were told and have not come back as the file's yet. */
  told: string[];
  /** The file's text now, where both sides changed the same lines. */
  conflict: string | undefined;
}

export class Editor extends Component {
  static override properties = { path: {}, text: {}, readonly: { type: Boolean }, locked: { type: Boolean }, read: { attribute: false }, conflict: { state: true }, selecting: { state: true } };
  declare path: string;
  /** The file's whole text, byte order mark and line ends as they are. */
  declare text: string;
  declare readonly: boolean;
  /** Something else is changing the files: what is typed waits until that has ended. */
  declare locked: boolean;
  /** The text of any file now: for those that were edited here and are not shown. */
  declare read: (path: string) => string | undefined;
  declare private conflict: boolean;
  declare private selecting: boolean;
  readonly #documents = new Map<string, OpenDocument>();
  readonly #language = new Compartment();
  readonly #settings = new Compartment();
  #view: EditorView | undefined;
  #shown = "";
  /** Something was typed since the file was last saved, by key or by leaving. */
  #touched = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  static override styles = [
    controlStyles,
    panelStyles,
    css`
      :host {
        display: flex;
        flex-direction: column;
        block-size: 100%;
        min-block-size: 0;
        min-inline-size: 0;
      }
      .host {
        flex: 1;
        min-block-size: 0;
      }
      .bar {
        min-block-size: 36px;
        padding: 3px 10px;
        font-size: 13px;
      }
      .hint {
        color: var(--muted);
      }
      @media (max-width: 520px) {
        .keys {
          display: none;
        }
      }
      .conflict {
        padding: 8px 12px;
        background: var(--bad-ground);
        display: flex;
        flex-wrap: wrap;
        gap: 8px;
        align-items: center;
      }
      .conflict p {
        margin: 0;
        flex: 1 1 24ch;
      }
    `,
  ];

  constructor() {
    super();
    this.path = "";
    this.text = "";
    this.readonly = false;
    this.locked = false;
    this.read = () => undefined;
    this.conflict = false;
    this.selecting = false;
  }

  override render(): TemplateResult {
    const words = t().work.editor;
    return html`
      <div class="bar">
        <button class="quiet small find" @click=${this.#find}>${words.find}</button>
        <button class="quiet small ask" ?disabled=${!this.selecting} @click=${this.#ask}>${words.ask}</button>
        <span class="spring"></span>
        <span class="hint ${this.readonly || this.locked ? "" : "keys"}">${this.readonly ? words.readonly : this.locked ? words.waits : words.leave}</span>
      </div>
      ${this.conflict
        ? html`<div class="conflict" role="alert"><p>${words.conflict}</p>
            <span><button class="small keep-mine" @click=${this.#keepMine}>${words.keepMine}</button>
              <button class="small take-theirs" @click=${this.#takeTheirs}>${words.takeTheirs}</button></span></div>`
        : nothing}
      <div class="host"></div>
    `;
  }

  protected override firstUpdated(): void {
    this.#mount();
  }

  #mount(): void {
    const parent = this.renderRoot.querySelector(".host");
    if (!parent) return;
    const dispatchTransactions = (transactions: readonly Transaction[], view: EditorView): void => {
      view.update(transactions);
      this.#updated(transactions);
    };
    this.#view = new EditorView({ parent, root: this.renderRoot as ShadowRoot, dispatchTransactions });
  }

  protected override updated(changed: PropertyValues): void {
    if (this.path !== this.#shown) this.#show();
    else if (changed.has("text")) this.#takeIn();
    if (changed.has("locked") && !this.locked) this.#catchUp();
    this.#view?.dispatch({ effects: this.#settings.reconfigure(this.#settingsNow()) });
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("visibilitychange", this.#hidden);
    if (!this.hasUpdated) return;
    this.#mount();
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    document.removeEventListener("visibilitychange", this.#hidden);
    this.flush();
    this.#unmount();
    super.disconnectedCallback();
  }

  /** The view listens to the window, so it ends with the element; the documents stay for when the element is put back. */
  #unmount(): void {
    const open = this.#open;
    if (open && this.#view) open.state = this.#view.state;
    this.#view?.destroy();
    this.#view = undefined;
    this.#shown = "";
  }

  /** The tab may be closed next. */
  readonly #hidden = (): void => this.flush();

  /** Tells what was typed and not told yet. */
  flush(): void {
    clearTimeout(this.#timer);
    const open = this.#open;
    const view = this.#view;
    if (!open || !view || open.conflict !== undefined) return;
    const text = fromDocument(open.fileText, view.state.doc.toString());
    if (this.locked || text === (open.told.at(-1) ?? open.fileText)) return;
    open.told.push(text);
    this.#tell("text-changed", { path: this.#shown, text });
  }

  /** What waited while something else changed the files is told now, that of files in the background too. */
  #catchUp(): void {
    this.flush();
    for (const [path, open] of this.#documents) {
      if (path === this.#shown || open.conflict !== undefined) continue;
      const mine = open.state.doc.toString();
      if (mine === toDocument(open.told.at(-1) ?? open.fileText)) continue;
      const now = this.read(path) ?? open.fileText;
      const merged = mergeEdits(toDocument(open.fileText), mine, toDocument(now));
      // A conflict is found again, and shown, when the file is.
      if (merged.conflict) continue;
      const text = fromDocument(now, merged.text);
      open.told.push(text);
      this.#tell("text-changed", { path, text });
    }
  }

  /** Puts the cursor at the start of a line, from 1, in the middle of the view. */
  reveal(line: number): void {
    const view = this.#view;
    if (!view) return;
    const at = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines)).from;
    view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
    view.focus();
  }

  get #open(): OpenDocument | undefined {
    return this.#documents.get(this.#shown);
  }

  /** Another file is to be shown: the one before is told and kept. */
  #show(): void {
    const view = this.#view;
    if (!view) return;
    this.flush();
    const before = this.#open;
    if (before) before.state = view.state;
    this.#shown = this.path;
    let open = this.#open;
    if (!open) {
      open = { state: EditorState.create({ doc: toDocument(this.text), extensions: this.#extensions() }), fileText: this.text, told: [], conflict: undefined };
      this.#documents.set(this.path, open);
    }
    view.setState(open.state);
    this.#takeIn();
    this.conflict = open.conflict !== undefined;
    void this.#load(this.path);
  }

  async #load(path: string): Promise<void> {
    const language = (await languageOf(path)) ?? [];
    if (this.#shown === path) this.#view?.dispatch({ effects: this.#language.reconfigure(language) });
  }

  /** The file has another text than before: our own coming back, or somebody else's. */
  #takeIn(): void {
    const open = this.#open;
    const view = this.#view;
    if (!open || !view || this.text === open.fileText) return;
    const echo = open.told.indexOf(this.text);
    if (echo >= 0) {
      open.told.splice(0, echo + 1);
      open.fileText = this.text;
      return;
    }
    if (open.conflict !== undefined) {
      open.conflict = this.text;
      return;
    }
    const mine = view.state.doc.toString();
    const merged = mergeEdits(toDocument(open.fileText), mine, toDocument(this.text));
    if (merged.conflict) {
      clearTimeout(this.#timer);
      open.conflict = this.text;
      this.conflict = true;
      return;
    }
    open.fileText = this.text;
    open.told = [];
    view.dispatch({ changes: [...replacements(mine, merged.text)], annotations: [Transaction.addToHistory.of(false), Transaction.remote.of(true)] });
    if (merged.text !== toDocument(this.text)) this.#tellSoon();
  }

  #keepMine(): void {
    this.#settle((open, theirs) => {
      open.fileText = theirs;
      this.flush();
    });
  }

  /** Can be undone with Ctrl/Cmd+Z: the user's text stays in the editor's history. */
  #takeTheirs(): void {
    this.#settle((open, theirs, view) => {
      open.fileText = theirs;
      // A step of its own: joined to what was typed a moment before, undo would take both back.
      view.dispatch({ changes: [...replacements(view.state.doc.toString(), toDocument(theirs))], annotations: isolateHistory.of("full") });
    });
  }

  #settle(decide: (open: OpenDocument, theirs: string, view: EditorView) => void): void {
    const open = this.#open;
    const view = this.#view;
    if (!open || !view || open.conflict === undefined) return;
    const theirs = open.conflict;
    open.conflict = undefined;
    open.told = [];
    this.conflict = false;
    decide(open, theirs, view);
    view.focus();
  }

  #updated(transactions: readonly Transaction[]): void {
    const typed = transactions.some((transaction) => transaction.docChanged && !transaction.annotation(Transaction.remote));
    if (typed) this.#tellSoon();
    this.#touched ||= typed;
    const selecting = this.#view?.state.selection.main.empty === false;
    if (transactions.some((transaction) => transaction.selection !== undefined || transaction.docChanged) && (selecting || this.selecting)) this.#tell("selection-changed", this.#selection());
    this.selecting = selecting;
  }

  #tellSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), TELL_MS);
  }

  #save(): boolean {
    this.flush();
    this.#touched = false;
    this.#tell("file-saved", this.#shown);
    return true;
  }

  #left(): void {
    if (this.#touched) this.#save();
  }

  #find(): void {
    if (this.#view) openSearchPanel(this.#view);
  }

  #ask(): void {
    const selection = this.#selection();
    if (selection) this.#tell("selection-asked", selection);
  }

  #selection(): EditorSelection | undefined {
    const state = this.#view?.state;
    if (!state || state.selection.main.empty) return undefined;
    const { from, to } = state.selection.main;
    return { path: this.#shown, text: state.sliceDoc(from, to), fromLine: state.doc.lineAt(from).number, toLine: state.doc.lineAt(to).number };
  }

  #settingsNow(): Extension {
    const words = t().work.editor;
    return [
      EditorState.readOnly.of(this.readonly),
      EditorState.phrases.of(words.phrases),
      EditorView.contentAttributes.of({ "aria-label": words.label(writtenOut(this.path)), lang: currentLanguage() }),
    ];
  }

  #extensions(): Extension {
    return [
      lineNumbers(),
      highlightActiveLine(),
      highlightActiveLineGutter(),
      highlightSpecialChars({ addSpecialChars: MORE_HIDDEN, render: hiddenCharacter }),
      highlightSelectionMatches(),
      history(),
      drawSelection(),
      indentOnInput(),
      bracketMatching(),
      search(),
      syntaxHighlighting(editorHighlight),
      editorTheme,
      this.#language.of([]),
      this.#settings.of(this.#settingsNow()),
      EditorView.domEventHandlers({ blur: () => this.#left(), keydown: keepEscape }),
      keymap.of([{ key: "Mod-s", run: () => this.#save(), preventDefault: true }, indentWithTab, ...searchKeymap, ...historyKeymap, ...defaultKeymap]),
    ];
  }

  #tell(name: string, detail: unknown): void {
    this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true }));
  }
}

/** Escape is the editor's: it closes the search panel and lets Tab leave. On the page it would stop the assistant. */
function keepEscape(event: KeyboardEvent): boolean {
  if (event.key === "Escape") event.stopPropagation();
  return false;
}

function hiddenCharacter(code: number): HTMLElement {
  const shown = document.createElement("span");
  const name = codePoint(String.fromCodePoint(code));
  shown.className = "cm-specialChar";
  shown.textContent = `⟨${name}⟩`;
  shown.title = t().work.hiddenCharacter(name);
  return shown;
}

customElements.define("tw-editor", Editor);
