// What every component of the page is: a Lit element that says itself again when the language changes.
import { LitElement } from "lit";
import { onLanguageChange } from "./strings/index.ts";

export class Component extends LitElement {
  #stopListening: (() => void) | undefined;

  override connectedCallback(): void {
    super.connectedCallback();
    this.#stopListening = onLanguageChange(() => this.requestUpdate());
  }

  override disconnectedCallback(): void {
    this.#stopListening?.();
    super.disconnectedCallback();
  }
}
