// Commands that people try and the container has not: what to do instead, said after "command not found".

const EDITOR = "code FILE opens the file in the Files tab; or change it with sed, cat <<EOF > file, or node";
const NETWORK = "nothing in the container reaches the internet; curl asks servers of the container";

export const INSTEAD: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  vi: EDITOR, vim: EDITOR, nvim: EDITOR, nano: EDITOR, emacs: EDITOR,
  wget: `use curl -O: ${NETWORK}`, ssh: NETWORK, ping: NETWORK,
  git: "the Timeline tab keeps every change: it compares, restores and undoes; a patch can be exported from the menu",
  python: "only JavaScript and TypeScript run here: use node", python3: "only JavaScript and TypeScript run here: use node",
  bun: "use node and npm", deno: "use node and npm", sudo: "not needed: run the command itself", apt: "use npm for packages",
  top: "use ps", htop: "use ps",
}) as Record<string, string>;
