// What `npm help` and `npm COMMAND --help` say: what this container's npm does, no more.
const COMMANDS: Readonly<Record<string, readonly [string, string]>> = {
  install: ["npm install [PACKAGE…] [-D|-O|-E|--no-save] [--legacy-peer-deps] [--force] [--offline] [--foreground-scripts]", "install what package.json asks for, or add packages to it"],
  ci: ["npm ci [--omit=dev] [--offline]", "install exactly what package-lock.json says"],
  uninstall: ["npm uninstall PACKAGE…", "remove packages"],
  update: ["npm update [PACKAGE…]", "take the newest versions that package.json allows"],
  explain: ["npm explain PACKAGE[@VERSION]…, npm why", "what needs a package"],
  prune: ["npm prune [--omit=dev]", "remove what package.json does not need"],
  ls: ["npm ls [PACKAGE…] [--all] [--depth N] [--json] [--parseable]", "what is installed, and what is wrong with it"],
  outdated: ["npm outdated", "newer versions on the registry"],
  run: ["npm run [SCRIPT] [-w WORKSPACE|-ws] [--if-present] [-- ARGS…]", "run a script of package.json"],
  test: ["npm test [-- ARGS…]", "run the script called test"],
  start: ["npm start [-- ARGS…]", "run the script called start"],
  exec: ["npm exec [-p PACKAGE] [--yes|--no] -- COMMAND [ARGS…], npx COMMAND [ARGS…]", "run a package's command, fetched when it is not installed"],
  init: ["npm init [-y], npm init NAME", "write a package.json, or run create-NAME"],
  version: ["npm version [NEW|major|minor|patch]", "say or change the version"],
  view: ["npm view PACKAGE[@VERSION] [FIELD…] [--json]", "what the registry says of a package"],
  pkg: ["npm pkg get|set|delete KEY[=VALUE]…", "read or change package.json"],
};

export function usage(command: string): string {
  const known = COMMANDS[command];
  if (known) return `${known[1]}\n\nUsage:\n${known[0].split(", ").join("\n")}\n`;
  const lines = Object.values(COMMANDS).map(([line, what]) => `  ${line}\n      ${what}`);
  return `npm <command>\n\nUsage:\n\n${lines.join("\n")}\n\nPackages come from the registry of .npmrc (registry=…, @scope:registry=…) once you have allowed its host.\n`;
}
