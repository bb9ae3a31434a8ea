// English: may the container fetch packages?
export const registry = {
  title: (host: string) => `Fetch packages from ${host}?`,
  what: (what: string) => `npm wants ${what} and whatever that depends on.`,
  learns: (host: string) => `${host} sees your address and the names of the packages. No password, token or file of yours is sent.`,
  safety: "Packages are checked against their hashes and stored in this browser. Their install scripts do not run, and code in the container cannot reach the network.",
  scopeTitle: "Allow it",
  scope: { once: "this time", project: "for this project", always: "for every project" },
  allow: (host: string) => `Allow ${host}`,
  refuse: "Do not fetch",
  refused: (origin: string) => `You did not allow packages to be fetched from ${origin}.`,
};
