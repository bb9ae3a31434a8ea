// The commonest script of all is one command of plain or quoted words: `sh -c "node x.js"`. It is recognised here, without
// loading a shell, and runs as if it had been asked for directly. Whatever needs a shell is left to one.

export interface SimpleScript {
  /** Assignments in front of the command. */
  readonly env: Readonly<Record<string, string>>;
  /** At least one. */
  readonly words: readonly string[];
}

/** Words a shell reads as syntax when they come first. */
const RESERVED = new Set("if then else elif fi for while until do done case esac in function select time { } [[ ]] ! coproc".split(" "));

interface Word {
  readonly text: string;
  /** Some of it was quoted: never a reserved word or an assignment. */
  readonly quoted: boolean;
}

/** Undefined: any part of it needs expansion, a list, pipes, redirections or control flow. */
export function parseSimpleScript(script: string): SimpleScript | undefined {
  const words = split(script.trim()) ?? [];
  const env: Record<string, string> = {};
  let at = 0;
  for (; at < words.length; at++) {
    const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(words[at]?.text ?? "");
    if (!match) break;
    env[match[1] ?? ""] = match[2] ?? "";
  }
  const rest = words.slice(at);
  const [first] = rest;
  if (!first || (!first.quoted && RESERVED.has(first.text))) return undefined;
  return { env, words: rest.map((word) => word.text) };
}

function split(script: string): readonly Word[] | undefined {
  const words: Word[] = [];
  let text = "";
  let inWord = false;
  let quoted = false;
  const endWord = (): void => {
    if (inWord) words.push({ text, quoted });
    text = "";
    inWord = quoted = false;
  };
  for (let i = 0; i < script.length; ) {
    const c = script[i] ?? "";
    if (c === " " || c === "\t") {
      endWord();
      i++;
    } else if (c === "'" || c === '"') {
      const end = script.indexOf(c, i + 1);
      const inside = end < 0 ? undefined : script.slice(i + 1, end);
      if (inside === undefined || (c === '"' && /[$`\\!]/.test(inside))) return undefined;
      text += inside;
      inWord = quoted = true;
      i = end + 1;
    } else if (/[$`\\|&<>(){}*?[\]#~!;\n]/.test(c)) {
      return undefined;
    } else {
      text += c;
      inWord = true;
      i++;
    }
  }
  endWord();
  return words;
}
