// Writing back to a folder: it is read again, what would change there is shown, the user ticks, then it is written and
// said what was and what was not. Conflicts are never ticked by themselves. Says `closed`.
import { css, html, nothing, type TemplateResult } from "lit";
import { toAppError } from "../../base/errors.ts";
import { readFolder } from "../../project/folder.ts";
import type { FileTree } from "../../project/tree.ts";
import { knownAfter, planWriteBack, type WritableFolder, writeBack, type WriteChange, type WriteReport } from "../../project/write-back.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { mayWrite } from "./file-picker.ts";
import { projectStyles } from "./project-styles.ts";
import "./write-change.ts";

type Phase =
  | { readonly name: "checking" }
  | { readonly name: "denied" }
  | { readonly name: "failed"; readonly message: string }
  | { readonly name: "list"; readonly changes: readonly WriteChange[]; readonly disk: FileTree }
  | { readonly name: "writing"; readonly done: number; readonly total: number }
  | { readonly name: "report"; readonly report: WriteReport };

const GROUPS = ["ours", "conflict", "theirs"] as const satisfies readonly WriteChange["state"][];

export class WriteBack extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, phase: { state: true }, ticked: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private phase: Phase;
  declare private ticked: ReadonlySet<string>;
  #abort: AbortController | undefined;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .group {
        display: flex;
        gap: 10px;
        align-items: center;
        font-weight: 600;
        font-size: 14px;
        margin-block: 14px 4px;
      }
      .actions {
        position: sticky;
        inset-block-end: -16px;
        margin: 16px -18px -16px;
        padding: 10px 18px;
        background: var(--raised);
        border-block-start: 1px solid var(--line);
      }
      .bad {
        color: var(--bad);
      }
      .good {
        color: var(--good);
      }
      .report li {
        font: 13px/1.7 var(--mono);
        overflow-wrap: anywhere;
      }
      .report span {
        font-family: var(--sans);
        color: var(--muted);
      }
      .report h4 {
        margin: 10px 0 2px;
        font-size: 14px;
      }
    `,
  ];

  constructor() {
    super();
    this.phase = { name: "checking" };
    this.ticked = new Set();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    void this.#compare();
  }

  override disconnectedCallback(): void {
    this.#abort?.abort();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const words = t().project.writeBack;
    const { origin } = this.state.project;
    const name = origin.kind === "folder" ? (origin.handle?.name ?? "") : "";
    return html`<h3>${words.title(name)}</h3>${this.#body(name)}`;
  }

  #body(name: string): TemplateResult {
    const { phase } = this;
    const words = t().project.writeBack;
    switch (phase.name) {
      case "checking":
        return html`<p role="status">${words.checking}</p>`;
      case "denied":
        return html`<p class="error" role="alert">${words.denied}</p>${this.#again()}`;
      case "failed":
        return html`<p class="error" role="alert">${phase.message}</p>${this.#again()}`;
      case "list":
        return this.#list(phase.changes, name);
      case "writing":
        return html`<div class="progress" role="status"><span>${words.writing(phase.done, phase.total)}</span><progress max=${phase.total} .value=${phase.done} aria-label=${words.writing(phase.done, phase.total)}></progress>
          <button class="cancel" @click=${() => this.#abort?.abort()}>${t().project.cancel}</button></div>`;
      case "report":
        return this.#report(phase.report);
    }
  }

  #again(): TemplateResult {
    return html`<div class="row"><button @click=${() => this.#close()}>${t().project.writeBack.back}</button><button class="primary again" @click=${() => void this.#compare()}>${t().project.writeBack.again}</button></div>`;
  }

  #list(changes: readonly WriteChange[], name: string): TemplateResult {
    const words = t().project.writeBack;
    if (changes.length === 0) return html`<p role="status">${words.same(name)}</p>${this.#again()}`;
    const busy = this.state.activity !== "idle";
    return html`
      <p class="hint" role="status">${words.summary(changes.length)}</p>
      ${GROUPS.map((group) => this.#group(group, changes.filter(({ state }) => state === group)))}
      <div class="row actions">
        <button @click=${() => this.#close()}>${words.back}</button><span class="spring"></span>
        <button class="again" @click=${() => void this.#compare()}>${words.again}</button>
        <button class="primary write" ?disabled=${busy || this.ticked.size === 0} @click=${() => void this.#write(changes)}>${this.ticked.size === 0 ? words.nothingTicked : words.write(this.ticked.size)}</button>
      </div>
    `;
  }

  #group(state: WriteChange["state"], changes: readonly WriteChange[]): TemplateResult | typeof nothing {
    if (changes.length === 0) return nothing;
    const words = t().project.writeBack;
    const all = changes.every(({ path }) => this.ticked.has(path));
    const hint = state === "conflict" ? words.conflictHint : state === "theirs" ? words.theirsHint : "";
    return html`
      <label class="group ${state}"><input type="checkbox" .checked=${all} aria-label=${`${words.all}: ${words.groups[state]}`} @change=${() => this.#tick(changes, !all)} />${words.groups[state]}</label>
      ${hint ? html`<p class="hint">${hint}</p>` : nothing}
      <ul>${changes.map((change) => html`<li><tw-write-change .change=${change} ?ticked=${this.ticked.has(change.path)} ?disabled=${this.state.activity !== "idle"}
        @ticked=${() => this.#tick([change], !this.ticked.has(change.path))} @take-wanted=${() => void this.#take(change)}></tw-write-change></li>`)}</ul>
    `;
  }

  #report({ written, failed, untried }: WriteReport): TemplateResult {
    const words = t().project.writeBack;
    return html`<div class="report" role="status">
        ${written.length > 0 ? html`<h4 class="good">✓ ${words.written(written.length)}</h4><ul class="written">${written.map((path) => html`<li>${path}</li>`)}</ul>` : nothing}
        ${failed.length > 0 ? html`<h4 class="bad">✗ ${words.failed(failed.length)}</h4><ul class="failed">${failed.map(({ path, reason }) => html`<li>${path} <span>${reason}</span></li>`)}</ul>` : nothing}
        ${untried.length > 0 ? html`<h4 class="bad">${words.untried(untried.length)}</h4><ul class="untried">${untried.map((path) => html`<li>${path}</li>`)}</ul>` : nothing}
        ${failed.length + untried.length > 0 ? html`<p class="hint">${words.kept}</p>` : nothing}
      </div>
      <div class="row actions"><span class="spring"></span>
        ${failed.length + untried.length > 0 ? html`<button class="again" @click=${() => void this.#compare()}>${words.again}</button>` : nothing}
        <button class="primary done" @click=${() => this.#close()}>${words.done}</button></div>`;
  }

  #tick(changes: readonly WriteChange[], on: boolean): void {
    const ticked = new Set(this.ticked);
    for (const { path } of changes) {
      if (on) ticked.add(path);
      else ticked.delete(path);
    }
    this.ticked = ticked;
  }

  /** Reads the folder again. What is the same on both sides is from now on what the folder is known to hold. */
  async #compare(): Promise<void> {
    await this.#trying(async (handle, signal) => {
      this.phase = { name: "checking" };
      if (!(await mayWrite(handle))) {
        this.phase = { name: "denied" };
        return;
      }
      const disk = await readFolder(handle, undefined, signal);
      const { origin, files } = this.state.project;
      const known = (origin.kind === "folder" && origin.known) || new Map<string, string>();
      const changes = await planWriteBack(known, disk, files);
      await this.session.project.setOrigin({ kind: "folder", handle, known: await knownAfter(known, changes, [], disk) });
      this.ticked = new Set(changes.filter(({ state }) => state === "ours").map(({ path }) => path));
      this.phase = { name: "list", changes, disk };
    });
  }

  async #write(changes: readonly WriteChange[]): Promise<void> {
    const { phase } = this;
    if (phase.name !== "list") return;
    const wanted = changes.filter(({ path }) => this.ticked.has(path));
    await this.#trying(async (handle, signal) => {
      this.phase = { name: "writing", done: 0, total: wanted.length };
      const report = await writeBack(handle as WritableFolder, wanted, (done) => (this.phase = { name: "writing", done, total: wanted.length }), signal);
      const { origin } = this.state.project;
      const known = (origin.kind === "folder" && origin.known) || new Map<string, string>();
      await this.session.project.setOrigin({ kind: "folder", handle, known: await knownAfter(known, changes, report.written, phase.disk) });
      this.phase = { name: "report", report };
      this.session.say(t().project.writeBack.written(report.written.length));
    });
  }

  /** The folder's version becomes the project's. */
  async #take({ path, disk }: WriteChange): Promise<void> {
    const words = t().project.writeBack;
    await this.session.project.change(words.takeStep(path), new Map([[path, disk]]));
    this.session.say(words.taken(path));
    await this.#compare();
  }

  async #trying(work: (handle: FileSystemDirectoryHandle, signal: AbortSignal) => Promise<void>): Promise<void> {
    const { origin } = this.state.project;
    if (origin.kind !== "folder" || !origin.handle) return this.#close();
    const abort = new AbortController();
    this.#abort = abort;
    try {
      await work(origin.handle, abort.signal);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code !== "aborted") this.phase = { name: "failed", message: error.message };
    }
  }

  #close(): void {
    this.dispatchEvent(new CustomEvent("closed", { bubbles: true, composed: true }));
  }
}

customElements.define("tw-write-back", WriteBack);
