// What all widgets of one page share: the keys, the one engine, and which of them the keys mean.
import { EngineSeat } from "./engine-seat.ts";

/** A widget, as far as this file cares. */
export interface Toggled extends Element {
  readonly isOpen: boolean;
  readonly isInline: boolean;
  toggle(): void;
  hide(): void;
}

export const engineSeat = new EngineSeat();
const widgets = new Set<Toggled>();
let latest: Toggled | undefined;

/** Listens to the keys from the first widget to the last. */
export function joinPage(widget: Toggled): void {
  if (widgets.size === 0) document.addEventListener("keydown", onKey);
  widgets.add(widget);
}

/** The last one takes the listener along. */
export function leavePage(widget: Toggled): void {
  widgets.delete(widget);
  if (latest === widget) latest = undefined;
  if (widgets.size === 0) document.removeEventListener("keydown", onKey);
}

/** The widget that was opened or used last is the one that the keys mean. */
export function usedLast(widget: Toggled): void {
  latest = widget;
}

function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  if (event.key === "Escape") return closeOnEscape(event);
  const isToggle = (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "i";
  // In a rich text field the same keys make text italic.
  if (!isToggle || (event.composedPath()[0] instanceof HTMLElement && (event.composedPath()[0] as HTMLElement).isContentEditable)) return;
  const all = [...widgets];
  const widget = all.find(({ isInline }) => !isInline) ?? latest ?? all[0];
  event.preventDefault();
  widget?.toggle();
}

/** A panel over the page closes from anywhere, one in the text only while the focus is in it. */
function closeOnEscape(event: KeyboardEvent): void {
  const widget = [...widgets].findLast((one) => one.isOpen && (!one.isInline || document.activeElement === one));
  if (!widget) return;
  event.preventDefault();
  widget.hide();
}
