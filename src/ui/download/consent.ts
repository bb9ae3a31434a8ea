// What a download means, said before it begins: from where, how much, for how long, what is kept; and the button.
import { css, type CSSResult, html, nothing, type TemplateResult } from "lit";
import { formatBytes } from "../../base/units.ts";
import type { RemoteListing, RemoteModel } from "../../engine/api.ts";
import { t } from "../strings/more.ts";

/** Of an example line: 100 Mbit/s. */
const EXAMPLE_BYTES_PER_SECOND = 12.5e6;

export const downloadStyles: CSSResult = css`
  .source {
    display: grid;
    gap: 6px;
  }
  label[for="address"] {
    font-weight: 600;
  }
  .source .row input,
  .mirror input {
    flex: 1 1 220px;
    min-inline-size: 0;
    font: inherit;
    color: inherit;
    background: var(--sunken);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 6px 10px;
  }
  .hint,
  .row .hint {
    margin: 0;
    color: var(--muted);
    font-size: 13px;
    overflow-wrap: anywhere;
  }
  .mirror {
    font-size: 13px;
  }
  .mirror summary {
    color: var(--muted);
    cursor: pointer;
  }
  .mirror form {
    margin-block: 8px 6px;
  }
  .problem {
    margin: 0;
    padding: 10px 12px;
    border-radius: var(--radius);
    color: var(--bad);
    background: var(--bad-ground);
  }
  .consent h3 {
    margin: 0 0 6px;
    font-size: 15px;
  }
  .consent ul {
    margin: 0;
    padding-inline-start: 20px;
    font-size: 13.5px;
    line-height: 1.45;
    color: var(--muted);
    overflow-wrap: anywhere;
  }
  .consent li + li {
    margin-block-start: 4px;
  }
`;

export interface Consent {
  readonly listing: RemoteListing;
  readonly model: RemoteModel;
  /** Its header was read, and it can run here: before that there is nothing to agree to. */
  readonly ready: boolean;
  onAgree(): void;
}

export function consentView({ listing, model, ready, onAgree }: Consent): TemplateResult {
  const words = t().download;
  const size = formatBytes(model.bytes);
  const { saveData } = (navigator as { readonly connection?: { readonly saveData?: boolean } }).connection ?? {};
  return html`<div class="consent">
      <h3>${words.consentTitle(size)}</h3>
      <ul>
        <li>${words.consent.from(listing.place, listing.title, (listing.commit ?? "").slice(0, 10))}</li>
        <li>${words.consent.stored(size)} ${words.consent.keep} ${words.consent.room}</li>
        <li>${words.consent.time(size, roughly(model.bytes / EXAMPLE_BYTES_PER_SECOND))}</li>
        ${saveData === true ? html`<li><b>${words.consent.metered}</b></li>` : nothing}
      </ul>
    </div>
    <div class="row foot"><button class="primary agree" ?disabled=${!ready} @click=${onAgree}>${words.start(size)}</button></div>`;
}

/** Seconds as a person says them: "4 s", "12 min", "1 h 5 min". */
export function roughly(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
