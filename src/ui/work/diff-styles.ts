// How changes look: one card a file, its hunks below each other, added and removed told by sign, colour and word.
import { css, type CSSResult } from "lit";

/** For diff-view.ts alone. */
export const diffStyles: CSSResult = css`
  :host {
    display: flex;
    flex-direction: column;
    block-size: 100%;
    min-block-size: 0;
  }
  .list {
    flex: 1;
    min-block-size: 0;
    overflow: auto;
    padding: 12px 14px;
  }
  .list > .empty {
    padding: 4px 0;
  }
  .open-count {
    font-weight: 600;
  }
  .keys {
    color: var(--muted);
    font-size: 13px;
  }
  kbd {
    font: 12px/1 var(--mono);
    border: 1px solid var(--line);
    border-radius: 4px;
    padding: 1px 5px;
    background: var(--raised);
  }
  section {
    border: 1px solid var(--line);
    border-radius: var(--radius);
    margin-block-end: 12px;
    overflow: hidden;
    background: var(--raised);
  }
  section > header {
    display: flex;
    flex-wrap: wrap;
    gap: 2px 10px;
    align-items: center;
    padding: 4px 8px 4px 12px;
    background: var(--sunken);
    min-block-size: 38px;
  }
  h3 {
    margin: 0;
    font: 600 13px/1.6 var(--mono);
    overflow-wrap: anywhere;
  }
  .status,
  .counts,
  .where {
    color: var(--muted);
    font-size: 13px;
  }
  .counts {
    font-family: var(--mono);
  }
  .plus {
    color: var(--good);
  }
  .minus {
    color: var(--bad);
  }
  .done {
    color: var(--good);
    font-size: 13px;
    font-weight: 600;
  }
  .spring {
    flex: 1;
  }
  .file-actions {
    white-space: nowrap;
  }
  .hunk {
    border-block-start: 1px solid var(--line);
    overflow-x: auto;
    outline-offset: -2px;
  }
  .hunk.accepted {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 2px 8px 2px 12px;
  }
  .hunk-actions {
    position: sticky;
    inset-inline-start: 0;
    display: flex;
    align-items: center;
    gap: 4px;
    padding: 2px 8px 2px 12px;
  }
  .lines {
    font: 13px/1.5 var(--mono);
    tab-size: 2;
    padding-block-end: 4px;
    min-inline-size: max-content;
  }
  .line {
    display: grid;
    grid-template-columns: 3.4em 3.4em 1.6em 1fr;
    white-space: pre;
  }
  .number {
    color: var(--muted);
    text-align: end;
    padding-inline-end: 6px;
    user-select: none;
  }
  .sign {
    text-align: center;
    user-select: none;
  }
  .text {
    padding-inline-end: 12px;
  }
  .added {
    background: var(--good-ground);
  }
  .removed {
    background: var(--bad-ground);
  }
  .status.added,
  .status.removed {
    background: none;
  }
  .end {
    color: var(--muted);
    font: 11px var(--sans);
    border: 1px solid currentcolor;
    border-radius: 4px;
    padding: 0 3px;
    margin-inline-start: 6px;
    user-select: none;
  }
  .end.start {
    margin-inline: 0 6px;
  }
  .more {
    margin: 8px 12px;
  }
  @media (max-width: 520px) {
    .keys {
      display: none;
    }
    .line {
      grid-template-columns: 2.6em 2.6em 1.4em 1fr;
    }
  }
`;
