// The page's dialogs: one is open at a time, each a component that is loaded when it is first asked for. The frame around
// it is the same for all: a title, a close button, Esc closes, focus returns to where it was.
import { css, html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { ToolRule } from "../agent/permission.ts";
import { Component } from "./component.ts";
import { runningLink } from "./offline/offline-copy.ts";
import type { Session } from "./session/session.ts";
import type { DialogName, SessionState } from "./session/session-state.ts";
import { t } from "./strings/index.ts";
import { controlStyles } from "./theme.ts";

interface DialogPart {
  /** Defines the component. */
  load(): Promise<unknown>;
  title(): string;
  view(session: Session, state: SessionState): TemplateResult;
}

/** A dialog is added here and nowhere else. */
const PARTS: Readonly<Partial<Record<DialogName, DialogPart>>> = {
  device: {
    load: () => import("./device/device-dialog.ts"),
    title: () => t().app.device,
    view: (session, state) => html`<tw-device-dialog .session=${session} .state=${state}></tw-device-dialog>`,
  },
  download: {
    load: () => import("./download/download-dialog.ts"),
    title: () => t().app.download,
    view: (session, state) => html`<tw-download-dialog .session=${session} .state=${state}></tw-download-dialog>`,
  },
  details: {
    load: () => import("./status/details-dialog.ts"),
    title: () => t().app.details,
    view: (session, state) => html`<tw-details-dialog .session=${session} .state=${state}></tw-details-dialog>`,
  },
  open: {
    load: () => import("./project/open-dialog.ts"),
    title: () => t().app.openProject,
    view: (session, state) => html`<tw-open-dialog .session=${session} .state=${state}></tw-open-dialog>`,
  },
  export: {
    load: () => import("./project/export-dialog.ts"),
    title: () => t().app.export,
    view: (session, state) => html`<tw-export-dialog .session=${session} .state=${state}></tw-export-dialog>`,
  },
  history: {
    load: () => import("./chat/history-dialog.ts"),
    title: () => t().app.history,
    view: (session, state) => html`<tw-history-dialog .history=${session.chat} .current=${state.chatId} @dialog-done=${() => session.closeDialog()}></tw-history-dialog>`,
  },
  rules: {
    load: () => import("./chat/rules-dialog.ts"),
    title: () => t().app.rules,
    view: (session, state) => html`<tw-rules-dialog .rules=${state.rules} .mode=${state.mode} @rules-changed=${({ detail }: CustomEvent<readonly ToolRule[]>) => session.chat.setRules(detail)}></tw-rules-dialog>`,
  },
  practice: {
    load: () => import("./practice/practice-dialog.ts"),
    title: () => t().app.practice,
    view: (session, state) => html`<tw-practice-dialog .session=${session} .state=${state}></tw-practice-dialog>`,
  },
  shortcuts: {
    load: () => import("./chat/shortcuts-dialog.ts"),
    title: () => t().app.shortcuts,
    view: () => html`<tw-shortcuts-dialog></tw-shortcuts-dialog>`,
  },
  offline: {
    load: () => import("./offline/offline-panel.ts"),
    title: () => t().app.offline,
    view: (session, { project, engine }) =>
      html`<tw-offline-panel .link=${runningLink()} .project=${project.id} .model=${engine.modelId} .forget=${(id: string) => session.project.forget(id)}></tw-offline-panel>`,
  },
};

/** Is there such a dialog in this build? */
export function hasDialog(name: DialogName): boolean {
  return name in PARTS;
}

export class Dialogs extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, loaded: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private loaded: DialogName | undefined;

  static override styles = [
    controlStyles,
    css`
      dialog {
        inline-size: min(760px, calc(100vw - 24px));
        max-block-size: min(86dvh, 900px);
        padding: 0;
        color: var(--text);
        background: var(--raised);
        border: 1px solid var(--line);
        border-radius: 12px;
        flex-direction: column;
      }
      dialog[open] {
        display: flex;
      }
      dialog::backdrop {
        background: rgb(0 0 0 / 45%);
      }
      .title {
        display: flex;
        align-items: center;
        gap: 12px;
        padding: 10px 12px 10px 18px;
        border-block-end: 1px solid var(--line);
      }
      h2 {
        flex: 1;
        margin: 0;
        font-size: 16px;
      }
      .body {
        overflow: auto;
        padding: 16px 18px;
        min-block-size: 0;
      }
    `,
  ];

  override render(): TemplateResult {
    const name = this.state.dialog;
    const part = name && PARTS[name];
    return html`<dialog aria-labelledby="title" @close=${this.closed} @click=${this.backdrop}>
      ${part
        ? html`<div class="title"><h2 id="title">${part.title()}</h2><button @click=${() => this.session.closeDialog()}>${t().app.close}</button></div>
            <div class="body" tabindex="0">${this.loaded === name ? part.view(this.session, this.state) : nothing}</div>`
        : nothing}
    </dialog>`;
  }

  protected override updated(changed: PropertyValues<this>): void {
    const dialog = this.renderRoot.querySelector("dialog");
    const name = this.state.dialog;
    const before = changed.get("state") as SessionState | undefined;
    if (!dialog || name === before?.dialog) return;
    if (name === undefined) {
      if (dialog.open) dialog.close();
      return;
    }
    if (!dialog.open) dialog.showModal();
    void PARTS[name]?.load().then(
      () => {
        this.loaded = name;
      },
      (error: unknown) => {
        this.session.closeDialog();
        this.session.report(error);
      },
    );
  }

  /** The event comes a moment after Esc: by then another dialog may have been opened. */
  private closed(event: Event): void {
    if (!(event.currentTarget as HTMLDialogElement).open) this.session.closeDialog();
  }

  private backdrop(event: Event): void {
    if (event.target === event.currentTarget) this.session.closeDialog();
  }
}

customElements.define("tw-dialogs", Dialogs);
