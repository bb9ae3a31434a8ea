// The Open dialog: every way a project comes in, one below the other. Reading happens here, with progress, a way to stop
// it, and its errors where the user looks; the session gets a project that has been read in full.
import { css, html, nothing, type TemplateResult } from "lit";
import { rethrowIfFatal, toAppError } from "../../base/errors.ts";
import { Component } from "../component.ts";
import type { Session } from "../session/session.ts";
import type { SessionState } from "../session/session-state.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { pickFolder } from "./file-picker.ts";
import type { Incoming } from "./incoming.ts";
import { openDemo, readGitHub, readPickedFolder, readZipFile, type GitHubRequest } from "./project-source.ts";
import { projectStyles } from "./project-styles.ts";
import { formatBytes } from "../../base/units.ts";
import "./github-form.ts";
import "./incoming-choice.ts";
import "./paste-form.ts";
import "./recent-projects.ts";

interface Work {
  readonly text: string;
  /** From 0 to 1; absent where it is not known. */
  readonly part?: number;
}

export class OpenDialog extends Component {
  static override properties = { session: { attribute: false }, state: { attribute: false }, work: { state: true }, error: { state: true }, read: { state: true } };
  declare session: Session;
  declare state: SessionState;
  declare private work: Work | undefined;
  declare private error: string;
  /** Read, but with entries left out: shown before it opens. */
  declare private read: Incoming | undefined;
  #abort: AbortController | undefined;

  static override styles = [
    controlStyles,
    projectStyles,
    css`
      .drop-hint {
        margin: 10px 0 0;
      }
    `,
  ];

  constructor() {
    super();
    this.error = "";
  }

  override disconnectedCallback(): void {
    this.#abort?.abort();
    super.disconnectedCallback();
  }

  override render(): TemplateResult {
    const { state, session } = this;
    const busy = state.activity !== "idle";
    const incoming = state.incoming ?? this.read;
    return html`
      ${this.error ? html`<p class="error" role="alert">${this.error}</p>` : nothing}
      ${busy ? html`<p class="hint">${t().project.busy}</p>` : nothing}
      ${this.work ? this.#progress(this.work) : nothing}
      ${incoming
        ? html`<tw-incoming-choice .incoming=${incoming} .project=${state.project} ?disabled=${busy} ?only-open=${this.read !== undefined}
            @project-wanted=${() => void this.#open(incoming)} @add-wanted=${() => void this.#add(incoming)} @cancelled=${() => session.closeDialog()}></tw-incoming-choice>`
        : this.#sources(busy || this.work !== undefined)}
    `;
  }

  #progress({ text, part }: Work): TemplateResult {
    return html`<div class="progress" role="status"><span>${text}</span>
      <progress max="1" .value=${part ?? 0} ?hidden=${part === undefined} aria-label=${text}></progress>
      <button class="cancel" @click=${() => this.#abort?.abort()}>${t().project.cancel}</button></div>`;
  }

  #sources(disabled: boolean): TemplateResult {
    const words = t().project.open;
    return html`
      <section aria-labelledby="disk">
        <h3 id="disk">${words.fromDisk}</h3>
        <div class="cards">
          <button class="card open-folder" ?disabled=${disabled} @click=${this.#folder}><b>${words.folder}</b><span>${words.folderHint}</span></button>
          <label class="file card"><b>${words.zip}</b><span>${words.zipHint}</span><input class="open-zip" type="file" accept=".zip,application/zip" ?disabled=${disabled} @change=${this.#zip} /></label>
          <button class="card open-demo" ?disabled=${disabled} @click=${this.#demo}><b>${words.demo}</b><span>${words.demoHint}</span></button>
        </div>
        <p class="hint drop-hint">${words.dropHint}</p>
      </section>
      <section aria-labelledby="github"><h3 id="github">${words.github}</h3>
        <tw-github-form ?disabled=${disabled} @github-wanted=${(event: CustomEvent<GitHubRequest>) => void this.#gitHub(event.detail)}></tw-github-form></section>
      <section aria-labelledby="paste"><h3 id="paste">${words.paste}</h3>
        <tw-paste-form .project=${this.state.project} ?disabled=${disabled}
          @project-wanted=${(event: CustomEvent<Incoming>) => void this.#open(event.detail)} @add-wanted=${(event: CustomEvent<Incoming>) => void this.#add(event.detail)}
          @patch-wanted=${(event: CustomEvent<string>) => void this.#patch(event.detail)}></tw-paste-form></section>
      <section aria-labelledby="recent"><h3 id="recent">${words.recent}</h3>
        <tw-recent-projects .session=${this.session} .open=${this.state.project.id} ?disabled=${disabled}></tw-recent-projects></section>
    `;
  }

  readonly #folder = async (): Promise<void> => {
    await this.#during(t().project.reading(t().project.open.folder), async (signal) => {
      const folder = await pickFolder();
      if (folder) await this.#open(await readPickedFolder(folder, signal));
    });
  };

  readonly #zip = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    input.value = "";
    if (file) void this.#during(t().project.reading(file.name), async (signal) => this.#open(await readZipFile(file, signal)));
  };

  readonly #demo = (): void => {
    void this.#open({ ...openDemo(), origin: { kind: "demo" } });
  };

  async #gitHub(request: GitHubRequest): Promise<void> {
    await this.#during(t().project.reading(request.repository), async (signal) => {
      const incoming = await readGitHub(
        request,
        ({ doneFiles, totalFiles, doneBytes, totalBytes }) => {
          this.work = { text: t().project.open.downloading(doneFiles, totalFiles, formatBytes(doneBytes)), part: totalBytes === 0 ? 1 : doneBytes / totalBytes };
        },
        signal,
      );
      if (incoming.skipped?.length) this.read = incoming;
      else await this.#open(incoming);
    });
  }

  async #patch(text: string): Promise<void> {
    await this.#during(t().project.open.patchStep, async () => {
      const [{ applyPatch }, { changedPaths }] = await Promise.all([import("../../project/patch-apply.ts"), import("../../project/changed-paths.ts")]);
      const { files } = this.state.project;
      const after = await applyPatch(files, text);
      const paths = changedPaths(files, after);
      await this.session.project.change(t().project.open.patchStep, new Map(paths.map((path) => [path, after.get(path)])));
      this.#done(t().project.open.patched(paths.length));
    });
  }

  async #open(incoming: Incoming): Promise<void> {
    const { session } = this;
    await session.project.openIncoming(incoming);
    session.closeDialog();
  }

  async #add({ name, files }: Incoming): Promise<void> {
    await this.session.project.change(t().project.open.addStep(name), files);
    this.#done(t().project.open.added(files.size));
  }

  #done(spoken: string): void {
    this.session.show("diff");
    this.session.say(spoken);
    this.session.closeDialog();
  }

  /** One thing is read at a time; a stop is no error. */
  async #during(text: string, read: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.error = "";
    this.work = { text };
    try {
      await read(abort.signal);
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.code === "bug") this.session.report(error);
      else if (error.code !== "aborted") {
        rethrowIfFatal(error);
        this.error = error.message;
      }
    } finally {
      this.work = undefined;
      this.#abort = undefined;
    }
  }
}

customElements.define("tw-open-dialog", OpenDialog);
