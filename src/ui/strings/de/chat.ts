// German: the conversation as it is first seen: welcome, composer, modes, budget.
import type { Strings } from "../index.ts";

const number = new Intl.NumberFormat("de");

export const chat: Strings["chat"] = {
  log: {
    label: "Unterhaltung",
    welcome: "Was sollen wir reparieren?",
    promise: "Das Modell läuft auf deiner GPU, der Code in dieser Seite. Nichts verlässt deinen Rechner.",
    thinking: "Denkt nach …",
  },
  composer: {
    message: "Nachricht",
    send: "Senden",
    stop: "Stopp",
    queue: "Einreihen",
    attach: "Anhängen",
    attachHint: "Textdateien anhängen; du kannst sie auch hierher ziehen oder @ und einen Dateinamen schreiben",
    files: "Dateien des Projekts",
    selection: "Auswahl im Editor",
    pasted: "Eingefügter Text",
    refused: {
      large: (name, bytes) => `${name} ist größer als ${number.format(bytes / 1e6)} MB. Hänge einen Teil davon an.`,
      binary: (name) => `${name} ist keine Textdatei, das Modell kann sie nicht lesen.`,
    },
  },
  attachment: {
    list: "Angehängt",
    size: (characters) => (characters < 1000 ? `${characters} Zeichen` : `${number.format(Math.round(characters / 1000))} Tsd. Zeichen`),
    remove: (title) => `${title} entfernen`,
    textOf: (title) => `Text von ${title}`,
    more: (characters) => `\n… und ${number.format(characters)} weitere Zeichen`,
  },
  mode: {
    label: "Was der Assistent von sich aus darf",
    names: { plan: "Plan", ask: "Fragen", auto: "Auto" },
    explain: {
      plan: "Liest und antwortet mit einem Plan; ändert nichts und führt nichts aus",
      ask: "Fragt vor jeder Änderung und vor jedem Befehl",
      auto: "Ändert Dateien und führt Befehle von sich aus aus; alles lässt sich rückgängig machen",
    },
    said: (name, explanation) => `${name}: ${explanation}.`,
  },
  budget: {
    label: "Belegter Kontext",
    figures: (used, limit) => `${number.format(used)} von ${number.format(limit)} Token`,
    high: "Die Unterhaltung füllt mehr als drei Viertel des Kontexts. „Verdichten“ schafft Platz.",
    compact: "Verdichten",
    explain: "Fasst ältere Nachrichten zusammen, damit Platz für weitere ist",
    refused: (draft, free) => `Diese Nachricht hat etwa ${number.format(draft)} Token, frei sind ${number.format(free)}. Verdichte die Unterhaltung, kürze die Nachricht oder beginne einen neuen Chat.`,
    anyway: "Trotzdem senden",
  },
};
