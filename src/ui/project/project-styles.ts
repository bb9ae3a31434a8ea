// What the dialogs of this room have in common: sections with a heading, fields with a label above, a line of progress,
// an error that is read out.
import { css, type CSSResult } from "lit";

export const projectStyles: CSSResult = css`
  :host {
    display: block;
  }
  section + section {
    margin-block-start: 20px;
    padding-block-start: 16px;
    border-block-start: 1px solid var(--line);
  }
  h3 {
    margin: 0 0 10px;
    font-size: 14px;
  }
  p {
    margin: 0 0 8px;
  }
  .hint {
    color: var(--muted);
    font-size: 13px;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .spring {
    flex: 1;
  }
  .cards {
    display: grid;
    grid-template-columns: repeat(auto-fit, minmax(180px, 1fr));
    gap: 10px;
  }
  .card {
    display: grid;
    gap: 2px;
    padding: 12px 14px;
    text-align: start;
    background: var(--ground);
    cursor: pointer;
  }
  .card b {
    font-weight: 600;
  }
  .card span {
    color: var(--muted);
    font-size: 13px;
  }
  .file {
    position: relative;
  }
  .file input {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    opacity: 0;
  }
  .file:focus-within {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  .fields {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 10px;
  }
  .fields .wide {
    grid-column: 1 / -1;
  }
  label.field {
    display: grid;
    gap: 3px;
    font-size: 13px;
    color: var(--muted);
    min-inline-size: 0;
  }
  input:not([type="checkbox"], [type="file"]),
  textarea {
    font: inherit;
    font-size: 14px;
    color: var(--text);
    background: var(--ground);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 6px 10px;
    min-inline-size: 0;
    inline-size: 100%;
  }
  textarea {
    font: 13px/1.5 var(--mono);
    min-block-size: 6.5em;
    max-block-size: 40dvh;
    resize: vertical;
  }
  ::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .error {
    color: var(--bad);
    background: var(--bad-ground);
    border-radius: var(--radius);
    padding: 8px 12px;
    margin-block: 0 14px;
    overflow-wrap: anywhere;
  }
  [hidden] {
    display: none !important;
  }
  .progress {
    display: flex;
    gap: 12px;
    align-items: center;
    padding: 8px 12px;
    margin-block-end: 14px;
    background: var(--sunken);
    border-radius: var(--radius);
  }
  .progress span {
    flex: 1;
    min-inline-size: 0;
  }
  progress {
    inline-size: 120px;
    accent-color: var(--accent-ground);
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
  }
  .name {
    font-weight: 600;
    overflow-wrap: anywhere;
  }
  @media (max-width: 520px) {
    .fields {
      grid-template-columns: 1fr;
    }
  }
`;
