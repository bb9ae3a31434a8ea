// Deutsch: Darf der Container Pakete holen?
export const registry = {
  title: (host: string) => `Pakete von ${host} holen?`,
  what: (what: string) => `npm möchte ${what} und alles, was davon gebraucht wird.`,
  learns: (host: string) => `${host} sieht deine Adresse und die Namen der Pakete. Kein Passwort, kein Token und keine Datei von dir wird gesendet.`,
  safety: "Pakete werden mit ihrer Prüfsumme verglichen und in diesem Browser gespeichert. Ihre Installationsskripte laufen nicht, und Code im Container erreicht das Netz nicht.",
  scopeTitle: "Erlauben",
  scope: { once: "dieses Mal", project: "für dieses Projekt", always: "für jedes Projekt" },
  allow: (host: string) => `${host} erlauben`,
  refuse: "Nicht holen",
  refused: (origin: string) => `Du hast nicht erlaubt, Pakete von ${origin} zu holen.`,
};
