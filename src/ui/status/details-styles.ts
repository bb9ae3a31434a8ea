// How the dialog "Figures" looks: quiet tables, bars in the accent's colours.
import { css, type CSSResult } from "lit";

/** For details-dialog.ts alone. */
export const detailsStyles: CSSResult = css`
  :host {
    display: grid;
    gap: 22px;
    font-variant-numeric: tabular-nums;
    font-size: 14px;
  }
  section {
    min-inline-size: 0;
  }
  h3 {
    display: flex;
    flex-wrap: wrap;
    gap: 4px 10px;
    align-items: center;
    margin: 0 0 8px;
    font-size: 14px;
  }
  h3 button {
    margin-inline-start: auto;
    font-weight: 400;
    font-size: 13px;
  }
  h4 {
    margin: 14px 0 6px;
    font-size: 13px;
  }
  .plan {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(min(100%, 21em), 1fr));
    gap: 2px 24px;
    margin-block-end: 6px;
  }
  .plan div {
    display: flex;
    justify-content: space-between;
    gap: 12px;
  }
  .plan dt {
    overflow-wrap: anywhere;
  }
  .plan dd {
    white-space: nowrap;
  }
  .total {
    color: var(--muted);
    font-weight: 400;
  }
  p {
    margin: 0 0 8px;
  }
  .muted {
    color: var(--muted);
    font-size: 13px;
  }
  dl {
    margin: 0;
  }
  dd {
    margin: 0;
  }
  .figures {
    display: grid;
    grid-template-columns: repeat(auto-fill, minmax(110px, 1fr));
    gap: 8px 12px;
  }
  .figures dt {
    color: var(--muted);
    font-size: 13px;
  }
  .figures dd {
    font-weight: 600;
  }
  .bars {
    display: grid;
    gap: 4px;
  }
  .bars div {
    display: grid;
    grid-template-columns: minmax(0, 12em) minmax(0, 1fr);
    gap: 12px;
  }
  .bars dd {
    display: grid;
    grid-template-columns: minmax(40px, 1fr) 6em;
    gap: 12px;
    align-items: center;
    text-align: end;
  }
  .bar {
    display: flex;
    block-size: 10px;
    border-radius: 5px;
    overflow: hidden;
    background: var(--sunken);
  }
  .bar i {
    background: var(--accent-ground);
  }
  .bar .experts,
  .experts.key::before {
    background: color-mix(in srgb, var(--accent-ground) 45%, var(--raised));
  }
  .bar .other {
    background: var(--muted);
  }
  .key::before {
    content: "";
    display: inline-block;
    inline-size: 9px;
    block-size: 9px;
    border-radius: 2px;
    margin-inline-end: 5px;
    background: var(--accent-ground);
  }
  table {
    inline-size: 100%;
    border-collapse: collapse;
    margin-block-end: 8px;
  }
  th {
    text-align: start;
    font-weight: 400;
    white-space: nowrap;
  }
  thead th {
    color: var(--muted);
    font-size: 13px;
  }
  th,
  td {
    padding: 2px 10px 2px 0;
  }
  td,
  thead th:not(:first-child) {
    text-align: end;
    white-space: nowrap;
  }
  .cache td:last-child {
    white-space: normal;
  }
  .wide {
    inline-size: 34%;
    min-inline-size: 60px;
  }
  small {
    color: var(--muted);
  }
  details {
    margin-block-start: 8px;
  }
  summary {
    cursor: pointer;
    color: var(--muted);
    font-size: 13px;
  }
  ul {
    margin: 0 0 8px;
    padding: 0;
    list-style: none;
    display: grid;
    gap: 4px;
  }
  li {
    overflow-wrap: anywhere;
  }
  time {
    color: var(--muted);
  }
  .foot {
    display: flex;
    flex-wrap: wrap;
    gap: 8px 12px;
    align-items: center;
  }
  @media (max-width: 560px) {
    .layers td:nth-child(2) {
      display: none;
    }
    .bars div {
      grid-template-columns: minmax(0, 9em) minmax(0, 1fr);
    }
    th,
    td {
      padding-inline-end: 6px;
    }
  }
`;
