// How the composer looks: one box that holds the field, what goes with the message, and its controls.
import { css, type CSSResult } from "lit";

/** For composer.ts alone. */
export const composerStyles: CSSResult = css`
  :host {
    display: block;
    padding: 4px 14px 12px;
  }
  form {
    position: relative;
    border: 1px solid var(--line);
    border-radius: 12px;
    background: var(--raised);
    padding: 8px;
    display: flex;
    flex-direction: column;
    gap: 6px;
  }
  form:has(textarea:focus-visible) {
    outline: 2px solid var(--focus);
    outline-offset: 0;
  }
  form.dropping {
    outline: 2px dashed var(--focus);
    outline-offset: -4px;
  }
  textarea {
    inline-size: 100%;
    resize: none;
    field-sizing: content;
    min-block-size: 2.2em;
    max-block-size: 12em;
    font: inherit;
    color: inherit;
    background: none;
    border: 0;
    padding: 4px 6px;
  }
  textarea:focus-visible {
    outline: none; /* the whole box shows it */
  }
  textarea::placeholder {
    color: var(--muted);
    opacity: 1;
  }
  .controls {
    display: flex;
    flex-wrap: wrap;
    gap: 8px;
    align-items: center;
  }
  .spring {
    flex: 1;
  }
  .attach {
    padding: 2px 8px;
    font-size: 13px;
  }
  .attach input {
    position: absolute;
    inline-size: 1px;
    block-size: 1px;
    opacity: 0;
  }
  .attach:focus-within {
    outline: 2px solid var(--focus);
    outline-offset: 1px;
  }
  .send,
  .stop {
    min-inline-size: 5em;
  }
  .send,
  .queue {
    margin-inline-start: auto;
  }
  .refused {
    font-size: 13px;
    color: var(--bad);
    padding-inline: 6px;
  }
  [role="listbox"] {
    position: absolute;
    inset-block-end: calc(100% + 6px);
    inset-inline: 0;
    max-block-size: 17em;
    overflow: auto;
    margin: 0;
    padding: 4px;
    list-style: none;
    background: var(--raised);
    border: 1px solid var(--line);
    border-radius: var(--radius);
    box-shadow: 0 8px 30px rgb(0 0 0 / 20%);
    z-index: 2;
  }
  [role="option"] {
    display: flex;
    gap: 8px;
    padding: 4px 10px;
    border-radius: 6px;
    cursor: pointer;
    min-inline-size: 0;
  }
  [role="option"][aria-selected="true"] {
    background: var(--sunken);
    box-shadow: inset 2px 0 0 var(--accent);
  }
  .name {
    white-space: nowrap;
  }
  .folder {
    color: var(--muted);
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
    flex: 1;
    text-align: end;
  }
`;
