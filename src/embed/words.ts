// What the loader says before anything is loaded. It may ask the network for nothing, so it carries both languages
// itself; the words inside the frame are in src/ui/strings.
import { formatBytes } from "../base/units.ts";
import type { WidgetLanguage } from "./protocol.ts";

interface Words {
  readonly open: string;
  readonly ask: string;
  readonly notice: (frameBytes: number, modelBytes: number) => string;
  readonly chatNotice: (frameBytes: number, modelBytes: number) => string;
  readonly runNotice: (frameBytes: number) => string;
  readonly loading: string;
  readonly frame: string;
  readonly close: string;
  readonly retry: string;
  readonly blocked: (origin: string) => string;
  readonly late: (origin: string) => string;
  readonly files: (reason: string) => string;
}

export const WORDS: Readonly<Record<WidgetLanguage, Words>> = {
  en: {
    open: "Try it",
    ask: "Ask the assistant",
    notice: (frame, model) => `Edit, run and ask here. Loads ${formatBytes(frame)}; the assistant another ${formatBytes(model)}, if you start it.`,
    chatNotice: (frame, model) => `Loads ${formatBytes(frame)}; the assistant another ${formatBytes(model)}, if you start it.`,
    runNotice: (frame) => `Edit and run it here. Loads ${formatBytes(frame)}.`,
    loading: "Loading …",
    frame: "Tabwright: edit, run and ask",
    close: "Close",
    retry: "Try again",
    blocked: (origin) => `This site's content security policy blocks the widget. Its owner must add ${origin} to frame-src.`,
    late: (origin) => `The widget did not load from ${origin}. Check the connection, then try again.`,
    files: (reason) => `The sample's files could not be read: ${reason}`,
  },
  de: {
    open: "Ausprobieren",
    ask: "Assistent fragen",
    notice: (frame, model) => `Hier ändern, ausführen und fragen. Lädt ${formatBytes(frame)}; der Assistent weitere ${formatBytes(model)}, wenn er gestartet wird.`,
    chatNotice: (frame, model) => `Lädt ${formatBytes(frame)}; der Assistent weitere ${formatBytes(model)}, wenn er gestartet wird.`,
    runNotice: (frame) => `Hier ändern und ausführen. Lädt ${formatBytes(frame)}.`,
    loading: "Wird geladen …",
    frame: "Tabwright: ändern, ausführen und fragen",
    close: "Schließen",
    retry: "Erneut versuchen",
    blocked: (origin) => `Die Content Security Policy dieser Seite blockiert das Widget. Ihr Betreiber muss ${origin} in frame-src aufnehmen.`,
    late: (origin) => `Das Widget wurde von ${origin} nicht geladen. Bitte Verbindung prüfen und erneut versuchen.`,
    files: (reason) => `Die Dateien des Beispiels konnten nicht gelesen werden: ${reason}`,
  },
};

/** The language of an attribute or a document: "de-AT" is German, what we do not speak is English. */
export function languageOf(tag: string): WidgetLanguage {
  return tag.toLowerCase().split("-")[0] === "de" ? "de" : "en";
}
