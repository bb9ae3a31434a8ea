// How models are listed and chosen from: the same in the dialog of the device and in the one that gets another.
import { css, type CSSResult } from "lit";

export const modelStyles: CSSResult = css`
  :host {
    display: grid;
    gap: 16px;
  }
  fieldset {
    border: 0;
    margin: 0;
    padding: 0;
    display: grid;
    gap: 8px;
    min-inline-size: 0;
  }
  legend {
    padding: 0;
    font-weight: 600;
    margin-block-end: 8px;
  }
  .model {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto;
    gap: 2px 10px;
    align-items: baseline;
    border: 1px solid var(--line);
    border-radius: 10px;
    padding: 10px 12px;
    cursor: pointer;
  }
  .model:has(:checked) {
    border-color: var(--accent-ground);
    box-shadow: inset 0 0 0 1px var(--accent-ground);
  }
  .model small {
    grid-column: 2 / -1;
    color: var(--muted);
    font-size: 13px;
    overflow-wrap: anywhere;
  }
  input[type="radio"] {
    accent-color: var(--accent-ground);
    margin: 0;
  }
  .tag {
    font-size: 12px;
    border-radius: 99px;
    padding: 1px 8px;
    border: 1px solid var(--line);
    font-weight: 400;
    white-space: nowrap;
  }
  .fits {
    color: var(--good);
    background: var(--good-ground);
    border-color: transparent;
  }
  .slow,
  .unsure {
    color: var(--warn);
    background: var(--warn-ground);
    border-color: transparent;
  }
  .cannot {
    color: var(--bad);
    background: var(--bad-ground);
    border-color: transparent;
  }
  .row {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
    align-items: center;
  }
  .row p {
    margin: 0;
    color: var(--muted);
    font-size: 13px;
  }
  .foot {
    position: sticky;
    inset-block-end: -16px;
    margin-inline: -18px;
    margin-block-end: -16px;
    padding: 10px 18px 14px;
    background: var(--raised);
    border-block-start: 1px solid var(--line);
  }
  progress {
    flex: 1;
    min-inline-size: 140px;
    accent-color: var(--accent-ground);
  }
  .numbers {
    font-variant-numeric: tabular-nums;
    font-size: 13px;
    color: var(--muted);
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
`;
