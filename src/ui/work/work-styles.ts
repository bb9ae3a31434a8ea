// What the panels of the right half share: hidden characters, quiet buttons, bars above lists, empty states.
import { css, type CSSResult } from "lit";

/** For `visibleText`: a character that would not be seen, as a small framed code point. */
export const hiddenStyles: CSSResult = css`
  .hidden-character {
    font: 600 10px/1.3 var(--mono);
    color: var(--bad);
    border: 1px solid currentcolor;
    border-radius: 4px;
    padding: 0 3px;
    margin-inline: 1px;
    unicode-bidi: isolate;
  }
`;

/** Bars, small buttons and empty states. */
export const panelStyles: CSSResult = css`
  .bar {
    display: flex;
    flex-wrap: wrap;
    gap: 6px 8px;
    align-items: center;
    padding: 6px 14px;
    min-block-size: 42px;
    border-block-end: 1px solid var(--line);
  }
  .bar .spring {
    flex: 1;
  }
  button.quiet {
    background: none;
    border-color: transparent;
    padding: 2px 8px;
  }
  button.quiet:hover:not(:disabled) {
    background: var(--sunken);
    border-color: var(--line);
  }
  button.small {
    font-size: 13px;
    padding: 2px 8px;
  }
  input[type="text"],
  input[type="search"] {
    font: inherit;
    font-size: 14px;
    color: inherit;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    padding: 3px 9px;
    min-inline-size: 0;
  }
  .empty {
    color: var(--muted);
    margin: 0;
    padding: 16px 14px;
  }
`;
