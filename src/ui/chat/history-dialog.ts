// All stored chats: search through what was said, open, rename, delete (and take that back). Arrow keys move between the
// chats, Enter opens, F2 renames, Delete deletes.
import { css, html, nothing, type TemplateResult } from "lit";
import { repeat } from "lit/directives/repeat.js";
import { Component } from "../component.ts";
import type { StoredChat } from "../session/session-store.ts";
import { t } from "../strings/more.ts";
import { currentLanguage } from "../strings/index.ts";
import { controlStyles } from "../theme.ts";
import { type ChatHit, type IndexedChat, indexChats, markHits, searchChats } from "./chat-search.ts";
import { visibleText } from "./hidden-text.ts";

/** Where the chats are (session.chat). */
export interface ChatHistory {
  list(): Promise<readonly StoredChat[]>;
  openChat(id: string): Promise<void>;
  rename(id: string, title: string): Promise<void>;
  remove(id: string): Promise<StoredChat | undefined>;
  restore(chat: StoredChat): Promise<boolean>;
}

/** Rows that are made at once; a search finds the others. */
const SHOWN_CHATS = 200;

export class HistoryDialog extends Component {
  static override properties = {
    history: { attribute: false },
    current: {},
    index: { state: true },
    query: { state: true },
    renaming: { state: true },
    removed: { state: true },
  };
  declare history: ChatHistory;
  /** The chat that is shown now. */
  declare current: string;
  /** Undefined until the chats are read. */
  declare private index: readonly IndexedChat<StoredChat>[] | undefined;
  declare private query: string;
  /** The chat whose title is being written. */
  declare private renaming: string;
  /** The chat that was deleted last. */
  declare private removed: StoredChat | undefined;

  constructor() {
    super();
    this.current = "";
    this.query = "";
    this.renaming = "";
  }

  static override styles = [
    controlStyles,
    css`
      :host {
        display: block;
        min-block-size: 320px;
      }
      input {
        inline-size: 100%;
        font: inherit;
        color: inherit;
        background: var(--ground);
        border: 1px solid var(--line);
        border-radius: var(--radius);
        padding: 7px 10px;
      }
      .undo {
        display: flex;
        align-items: center;
        gap: 10px;
        padding: 6px 10px;
        margin-block-start: 8px;
        background: var(--sunken);
        border-radius: var(--radius);
      }
      .undo span {
        flex: 1;
        min-inline-size: 0;
        overflow-wrap: anywhere;
      }
      .empty {
        color: var(--muted);
      }
      ul {
        list-style: none;
        margin: 10px 0 0;
        padding: 0;
      }
      li {
        display: flex;
        align-items: center;
        gap: 4px;
        border-block-end: 1px solid var(--line);
      }
      .chat {
        flex: 1;
        min-inline-size: 0;
        border: 0;
        background: none;
        text-align: start;
        padding: 8px 6px;
        display: grid;
        gap: 2px;
      }
      .chat:hover,
      .chat:focus-visible {
        background: var(--sunken);
      }
      .title {
        font-weight: 600;
        overflow: hidden;
        text-overflow: ellipsis;
        white-space: nowrap;
      }
      .aside {
        color: var(--muted);
        font-size: 13px;
        overflow-wrap: anywhere;
      }
      mark {
        color: inherit;
        background: color-mix(in srgb, var(--accent) 25%, transparent);
        border-radius: 2px;
      }
      .small {
        border: 0;
        background: none;
        color: var(--muted);
        font-size: 13px;
        padding: 4px 8px;
      }
      .small:hover {
        color: var(--text);
      }
    `,
  ];

  override connectedCallback(): void {
    super.connectedCallback();
    void this.read();
  }

  protected override firstUpdated(): void {
    this.renderRoot.querySelector("input")?.focus();
  }

  override render(): TemplateResult {
    const words = t().chatParts.history;
    const hits = this.index ? searchChats(this.index, this.query) : [];
    return html`<div @keydown=${this.key}>
      <input type="search" aria-label=${words.search} placeholder=${words.search} @input=${this.typed} />
      <div class="visually-hidden" role="status">${this.index ? words.found(hits.length) : nothing}</div>
      ${this.removed ? html`<div class="undo" role="status"><span>${words.removed(this.removed.title)}</span><button @click=${this.bringBack}>${words.undo}</button></div>` : nothing}
      ${this.index && hits.length === 0 ? html`<p class="empty">${this.query.trim() === "" ? words.none : words.noHits}</p>` : nothing}
      <ul aria-label=${words.list}>${repeat(hits.slice(0, SHOWN_CHATS), ({ chat }) => chat.id, (hit) => this.row(hit))}</ul>
      ${hits.length > SHOWN_CHATS ? html`<p class="empty">${words.more(hits.length - SHOWN_CHATS)}</p>` : nothing}
    </div>`;
  }

  private row({ chat, snippet }: ChatHit<StoredChat>): TemplateResult {
    const words = t().chatParts.history;
    const title = chat.title || words.untitled;
    if (this.renaming === chat.id) {
      return html`<li><input class="name" aria-label=${words.newTitle} .value=${chat.title} @keydown=${(event: KeyboardEvent) => this.nameKey(event, chat)} @blur=${(event: Event) => this.name(event, chat)} /></li>`;
    }
    return html`<li data-id=${chat.id}>
      <button class="chat" aria-current=${chat.id === this.current ? "true" : nothing} @click=${() => this.open(chat)}>
        <span class="title">${this.marked(title)}</span>
        <span class="aside">${chat.id === this.current ? `${words.current} · ` : nothing}${chat.project} · ${dateOf(chat.time)} · ${words.messages(chat.conversation.exchanges.length)}</span>
        ${snippet === undefined ? nothing : html`<span class="aside">${this.marked(snippet)}</span>`}
      </button>
      <button class="small rename" aria-label=${words.renameNamed(title)} @click=${() => this.rename(chat)}>${words.rename}</button>
      <button class="small delete" aria-label=${words.deleteNamed(title)} @click=${() => void this.takeOut(chat)}>${words.delete}</button>
    </li>`;
  }

  private marked(text: string): TemplateResult[] {
    return markHits(visibleText(text), this.query).map((part) => (part.hit ? html`<mark>${part.text}</mark>` : html`${part.text}`));
  }

  private async read(): Promise<void> {
    this.index = indexChats(await this.history.list());
  }

  private typed(event: Event): void {
    this.query = (event.target as HTMLInputElement).value;
  }

  private open(chat: StoredChat): void {
    this.dispatchEvent(new CustomEvent("dialog-done", { bubbles: true, composed: true }));
    void this.history.openChat(chat.id);
  }

  private rename(chat: StoredChat): void {
    this.renaming = chat.id;
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLInputElement>(".name")?.select());
  }

  private nameKey(event: KeyboardEvent, chat: StoredChat): void {
    event.stopPropagation();
    if (event.key === "Enter") this.name(event, chat);
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault(); // Escape ends the renaming, not the dialog
    this.renaming = "";
    void this.updateComplete.then(() => this.renderRoot.querySelector<HTMLElement>(`[data-id="${chat.id}"] .chat`)?.focus());
  }

  private name(event: Event, chat: StoredChat): void {
    const title = (event.target as HTMLInputElement).value.trim();
    if (this.renaming !== chat.id) return;
    this.renaming = "";
    if (title !== "" && title !== chat.title) void this.history.rename(chat.id, title).then(() => this.read());
  }

  private async takeOut(chat: StoredChat): Promise<void> {
    const next = this.renderRoot.querySelector(`[data-id="${chat.id}"]`)?.nextElementSibling?.querySelector<HTMLElement>(".chat");
    this.removed = await this.history.remove(chat.id);
    await this.read();
    (next ?? this.renderRoot.querySelector<HTMLElement>("input"))?.focus();
  }

  private async bringBack(): Promise<void> {
    if (this.removed && !(await this.history.restore(this.removed))) return;
    this.removed = undefined;
    await this.read();
  }

  private key(event: KeyboardEvent): void {
    const rows = [...this.renderRoot.querySelectorAll<HTMLElement>(".chat")];
    const at = rows.findIndex((row) => row === this.shadowRoot?.activeElement);
    const id = rows[at]?.closest("li")?.dataset["id"];
    const chat = this.index?.find((indexed) => indexed.chat.id === id)?.chat;
    if (event.key === "ArrowDown") rows[at + 1]?.focus();
    else if (event.key === "ArrowUp") (rows[at - 1] ?? this.renderRoot.querySelector<HTMLElement>("input"))?.focus();
    else if (event.key === "F2" && chat) this.rename(chat);
    else if (event.key === "Delete" && chat) void this.takeOut(chat);
    else return;
    event.preventDefault();
  }
}

function dateOf(time: number): string {
  return new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "medium", timeStyle: "short" }).format(time);
}

customElements.define("tw-history-dialog", HistoryDialog);
