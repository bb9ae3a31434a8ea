// The Export dialog: the project as zip, as patch, or back to its folder; the conversation as Markdown and JSON, and in
// again. What is made here needs neither model nor container nor storage nor network.
import { css, html, nothing, type TemplateResult } from "lit";
import { titleOf } from "../../agent/conversation.ts";
import { type ConversationFile, conversationJson, conversationMarkdown, readConversationJson } from "../../agent/conversation-file.ts";
import { toAppError } from "../../base/errors.ts";
import { formatBytes } from "../../base/units.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { canWriteFolders, downloadBytes, pickDirectory } from "./file-picker.ts";
import { totalBytes } from "./project-source.ts";
import { projectStyles } from "./project-styles.ts";
import "./write-back.ts";

export class ExportDialog extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, writing: { state: true }, status: { state: true }, error: { state: true } };
  declare session: Session;
  declare state: SessionState;
  /** The write-back is shown instead. */
  declare private writing: boolean;
  declare private status: string;
  declare private error: string;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .choice {
        display: flex;
        flex-wrap: wrap;
        gap: 4px 12px;
        align-items: center;
      }
      .choice + .choice {
        margin-block-start: 8px;
      }
      .choice > :first-child {
        flex: 0 0 auto;
        min-inline-size: 250px;
        text-align: start;
      }
      .choice .hint {
        flex: 1 1 200px;
      }
    `,
  ];

  constructor() {
    super();
    this.writing = false;
    this.status = "";
    this.error = "";
  }

  override render(): TemplateResult {
    const { session, state } = this;
    if (this.writing) return html`<tw-write-back .session=${session} .state=${state} @closed=${() => (this.writing = false)}></tw-write-back>`;
    const words = t().project.export;
    return html`
      <p class="hint">${words.always}</p>
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      <p class="progress" role="status" ?hidden=${this.status === ""}>${this.status}</p>
      <section aria-labelledby="project"><h3 id="project">${words.project}: ${state.project.name}</h3>${this.#project()}</section>
      <section aria-labelledby="folder"><h3 id="folder">${words.folder}</h3>${this.#folder()}</section>
      <section aria-labelledby="chat"><h3 id="chat">${words.conversation}</h3>${this.#conversation()}</section>
    `;
  }

  #project(): TemplateResult {
    const words = t().project.export;
    const { files } = this.state.project;
    const changed = this.session.project.changedPaths.size;
    return html`
      <div class="choice"><button class="zip" @click=${() => void this.#save("zip", "application/zip", () => this.session.project.exportZip())}>${words.zip}</button>
        <span class="hint">${t().project.files(files.size, formatBytes(totalBytes(files)))}</span></div>
      <div class="choice"><button class="patch" ?disabled=${changed === 0} @click=${() => void this.#save("patch", "text/x-patch", () => this.session.project.exportPatch())}>${words.patch}</button>
        <span class="hint">${changed === 0 ? words.noChanges : words.patchHint(changed)}</span></div>
    `;
  }

  #folder(): TemplateResult {
    const words = t().project.export;
    const { origin } = this.state.project;
    if (!canWriteFolders()) return html`<p class="hint">${words.noPicker}</p>`;
    const handle = origin.kind === "folder" ? origin.handle : undefined;
    return html`
      ${handle
        ? html`<div class="choice"><button class="write-back" @click=${() => (this.writing = true)}>${words.writeBack}</button><span class="hint">${words.writeBackHint(handle.name)}</span></div>`
        : html`<div class="choice"><button class="choose-folder" @click=${() => void this.#choose()}>${words.chooseFolder}</button><span class="hint">${words.chooseFolderHint}</span></div>`}
    `;
  }

  #conversation(): TemplateResult {
    const words = t().project.export;
    const empty = this.session.chat.conversation.exchanges.length === 0;
    const save = (ending: string, type: string, write: (file: ConversationFile) => string): void => void this.#save(ending, type, () => Promise.resolve(new TextEncoder().encode(write(this.#chat()))), this.#chatName());
    return html`
      <div class="choice"><button class="markdown" ?disabled=${empty} @click=${() => save("md", "text/markdown", conversationMarkdown)}>${words.markdown}</button>${empty ? html`<span class="hint">${words.noChat}</span>` : nothing}</div>
      <div class="choice"><button class="json" ?disabled=${empty} @click=${() => save("json", "application/json", conversationJson)}>${words.json}</button><span class="hint">${words.jsonHint}</span></div>
      <div class="choice"><label class="file">${words.import}<input class="import" type="file" accept=".json,application/json" ?disabled=${this.state.activity !== "idle"} @change=${this.#import} /></label></div>
    `;
  }

  #chat(): ConversationFile {
    const { conversation } = this.session.chat;
    return { title: titleOf(conversation), project: this.state.project.name, conversation };
  }

  #chatName(): string {
    return titleOf(this.session.chat.conversation).slice(0, 40) || t().project.export.untitled;
  }

  async #save(ending: string, type: string, make: () => Promise<Uint8Array>, name = this.state.project.name): Promise<void> {
    this.error = "";
    this.status = t().project.export.making;
    try {
      const bytes = await make();
      const fileName = `${safeName(name)}.${ending}`;
      downloadBytes(bytes, fileName, type);
      this.status = t().project.export.saved(fileName, formatBytes(bytes.byteLength));
    } catch (thrown) {
      this.status = "";
      this.error = toAppError(thrown).message;
    }
  }

  async #choose(): Promise<void> {
    this.error = "";
    try {
      const handle = await pickDirectory("readwrite");
      if (!handle) return;
      await this.session.project.setOrigin({ kind: "folder", handle, known: new Map() });
      this.writing = true;
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }

  async #import(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (!file) return;
    this.error = "";
    try {
      const { title, conversation } = readConversationJson(await file.text());
      await this.session.chat.show(conversation);
      this.session.say(t().project.export.imported(title));
      this.session.closeDialog();
    } catch (thrown) {
      this.error = toAppError(thrown).message;
    }
  }
}

/** A name that every file system takes: what they forbid becomes a dash. */
function safeName(name: string): string {
  return name.replaceAll(/[\\/:*?"<>|\p{Cc}]+/gu, "-").replaceAll(/^[\s.-]+|[\s.-]+$/g, "").slice(0, 80) || "project";
}

customElements.define("tw-export-dialog", ExportDialog);
