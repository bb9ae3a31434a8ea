// The sheet of shortcuts: every key of the table, by where it works.
import { css, html, type TemplateResult } from "lit";
import { Component } from "../component.ts";
import { t } from "../strings/more.ts";
import { controlStyles } from "../theme.ts";
import { keysOf, type Shortcut, type ShortcutName, SHORTCUTS } from "./shortcuts.ts";

export class ShortcutsDialog extends Component {
  static override styles = [
    controlStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr));
        gap: 6px 28px;
      }
      h3 {
        margin: 0 0 4px;
        font-size: 13px;
        color: var(--muted);
      }
      dl {
        margin: 0 0 12px;
      }
      div {
        display: flex;
        align-items: baseline;
        gap: 12px;
        padding: 4px 0;
        border-block-end: 1px solid var(--line);
      }
      dt {
        flex: 1;
        order: 1;
      }
      dd {
        margin: 0;
        order: 0;
        min-inline-size: 7.5em;
        white-space: nowrap;
      }
      kbd {
        display: inline-block;
        min-inline-size: 1.6em;
        text-align: center;
        font: 12.5px var(--mono);
        border: 1px solid var(--line);
        border-block-end-width: 2px;
        border-radius: 5px;
        background: var(--sunken);
        padding: 1px 6px;
      }
    `,
  ];

  override render(): TemplateResult {
    const words = t().chatParts.shortcuts;
    const mac = /mac|iphone|ipad/i.test(navigator.userAgent);
    const names = Object.keys(SHORTCUTS) as ShortcutName[];
    const places = [...new Set(names.map((name): Shortcut["where"] => SHORTCUTS[name].where))];
    return html`${places.map(
      (place) => html`<section><h3>${words.places[place]}</h3><dl>
        ${names.filter((name) => SHORTCUTS[name].where === place).map(
          (name) => html`<div><dt>${words.names[name]}</dt><dd>${keysOf(name, mac).map((key, index) => html`${index > 0 ? " " : ""}<kbd>${key}</kbd>`)}</dd></div>`,
        )}
      </dl></section>`,
    )}`;
  }
}

customElements.define("tw-shortcuts-dialog", ShortcutsDialog);
