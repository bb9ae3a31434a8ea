// A command that names a code repository and would fetch from it is refused, whatever the mode and the rules say: the
// container reaches no network, and where one did (npm, from an allowed registry) the fix of a known bug could be looked
// up instead of found. The Qwen3-Coder-Next report (arXiv 2603.00729) blocks the same conjunction in its training.
// A heuristic for honest tools: the wall is the container, which has no network and no history of the project.

/** Hosts of repositories with everything below them; addresses that only repositories have; npm's short forms. */
const REPOSITORY = [
  /\b(?:[\w-]+\.)*(?:github|githubusercontent|gitlab|bitbucket|codeberg|sourceforge|gitea|gitee|launchpad|sr)\.(?:com|org|io|net|ht)\b/,
  /\b(?:git|ssh|git\+\w+):\/\//,
  /\bgit@[\w.-]+:/,
  /\bhttps?:\/\/\S+\.git\b/,
  /\b(?:github|gitlab|bitbucket|gist):[\w.-]+\/?/,
  /\/\/(?:cdn\.jsdelivr\.net|esm\.sh|unpkg\.com)\/gh\//,
];

const FETCHES = [
  /\bgit\b[^|;&\n]*?\b(?:clone|fetch|pull|remote|ls-remote|submodule|archive|bundle)\b/,
  /\b(?:curl|wget|aria2c|axel|lynx|links|httpie|axios|got|degit|tiged|svn|hg|gh|glab|hub|scp|sftp|rsync|ssh|nc|netcat|telnet)\b/,
  /\b(?:fetch|XMLHttpRequest|WebSocket)\s*\(/,
  /\bhttps?\b['"]?\)?\s*\.\s*(?:get|request)\b/,
  /\b(?:npm|pnpm|yarn|bun)\s+(?:-\S+\s+)*(?:i|install|add|ci|update|exec|pack|view|x|dlx|create|init)\b/,
  /\b(?:npx|bunx|deno|pip3?|cargo|go\s+get)\b/,
];

/** Why the command is not run, as the model is told; undefined if it may be. */
export function repositoryRefusal(command: string): string | undefined {
  // `c''url` and `g\it` are the same words to a shell.
  const read = [command, command.replaceAll(/\\\n|["'\\]/g, "")];
  const names = read.some((text) => REPOSITORY.some((pattern) => pattern.test(text)));
  const fetches = read.some((text) => FETCHES.some((pattern) => pattern.test(text)));
  if (!names || !fetches) return undefined;
  return "Not run: the command names a code repository and would fetch from it. Other copies and later versions of a project are not to be looked up; there is no network for it either. Work with the files that are here. (To write such a line into a file, use edit.)";
}
