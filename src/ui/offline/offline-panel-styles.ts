// How the panel of offline use and storage looks.
import { css, type CSSResult } from "lit";

export const panelStyles: CSSResult = css`
  :host {
    display: grid;
    gap: 22px;
  }
  h3 {
    margin: 0 0 8px;
    font-size: 14px;
  }
  p {
    margin: 0;
  }
  ul {
    list-style: none;
    margin: 0;
    padding: 0;
    border: 1px solid var(--line);
    border-radius: var(--radius);
  }
  li {
    display: grid;
    align-items: baseline;
    gap: 2px 12px;
    padding: 8px 12px;
  }
  li + li {
    border-block-start: 1px solid var(--line);
  }
  .line {
    grid-template-columns: 1.2em minmax(0, 13em) minmax(0, 1fr);
  }
  .thing {
    grid-template-columns: minmax(0, 9em) minmax(0, 1fr) 5.5em minmax(5.5em, auto);
    min-block-size: 44px;
    align-items: center;
  }
  .what {
    font-weight: 600;
  }
  .why,
  .note,
  .kind {
    color: var(--muted);
  }
  .mark {
    font-weight: 700;
  }
  .yes {
    color: var(--good);
  }
  .no {
    color: var(--bad);
  }
  .name {
    overflow-wrap: anywhere;
  }
  .bytes {
    text-align: end;
    font-variant-numeric: tabular-nums;
  }
  .act {
    display: flex;
    flex-wrap: wrap;
    gap: 6px;
    justify-content: flex-end;
  }
  tw-model-check {
    grid-column: 1 / -1;
    margin-block: 4px;
  }
  ul + .note,
  .problem {
    margin-block-start: 8px;
  }
  .problem {
    padding: 8px 12px;
    background: var(--bad-ground);
    border-radius: var(--radius);
  }
  button.bad {
    color: var(--bad);
    border-color: var(--bad);
  }
  .persist {
    margin-block-start: 8px;
  }
  .said:empty {
    display: none;
  }
  @media (max-width: 640px) {
    .line {
      grid-template-columns: 1.2em minmax(0, 1fr);
    }
    .why {
      grid-column: 2;
    }
    .thing {
      grid-template-columns: minmax(0, 1fr) auto;
    }
    .kind {
      grid-column: 1 / -1;
    }
    .act:not(:empty) {
      grid-column: 1 / -1;
    }
  }
`;
