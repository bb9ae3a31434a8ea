// The simplest and commonest shell scripts: commands of plain or quoted words, joined by `&&`, `||` or `;`.
// They are recognised here so that their output can stream; whatever needs a real shell is left to just-bash.

export interface SimpleCommand {
  /** How it hangs on the command before it. The first is `;`. */
  readonly after: "&&" | "||" | ";";
  /** Assignments in front of the command. */
  readonly env: Readonly<Record<string, string>>;
  readonly words: readonly string[];
  /** `2>&1` at its end. */
  readonly stderrToStdout: boolean;
}

/** Words a shell reads as syntax when they come first. */
const RESERVED = new Set("if then else elif fi for while until do done case esac in function select time { } [[ ]] ! coproc".split(" "));

interface Word {
  readonly text: string;
  /** Some of it was quoted: never a reserved word or an assignment. */
  readonly quoted: boolean;
}

/** The commands in order, or undefined if any part needs expansion, pipes, redirections or control flow. */
export function parseList(script: string): readonly SimpleCommand[] | undefined {
  const tokens = tokenize(script.trim());
  if (!tokens) return undefined;
  const list: SimpleCommand[] = [];
  let after: SimpleCommand["after"] = ";";
  let words: Word[] = [];
  let stderrToStdout = false;
  const close = (): boolean => {
    const command = simpleCommand(after, words, stderrToStdout);
    if (!command) return false;
    list.push(command);
    words = [];
    stderrToStdout = false;
    return true;
  };
  for (const token of tokens) {
    if (typeof token === "object") {
      if (stderrToStdout) return undefined;
      words.push(token);
    } else if (token === "2>&1") {
      if (words.length === 0) return undefined;
      stderrToStdout = true;
    } else {
      if (!close()) return undefined;
      after = token;
    }
  }
  if (words.length === 0 && after === ";" && list.length > 0) return list; // a trailing semicolon
  return close() ? list : undefined;
}

function simpleCommand(after: SimpleCommand["after"], words: readonly Word[], stderrToStdout: boolean): SimpleCommand | undefined {
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
  return { after, env, words: rest.map((word) => word.text), stderrToStdout };
}

type Token = Word | SimpleCommand["after"] | "2>&1";

function tokenize(script: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let text = "";
  let inWord = false;
  let quoted = false;
  const endWord = (): void => {
    if (inWord) tokens.push({ text, quoted });
    text = "";
    inWord = quoted = false;
  };
  for (let i = 0; i < script.length; ) {
    const c = script[i] ?? "";
    const two = script.slice(i, i + 2);
    if (c === " " || c === "\t") {
      endWord();
      i++;
    } else if (two === "&&" || two === "||") {
      endWord();
      tokens.push(two);
      i += 2;
    } else if (c === ";" || c === "\n") {
      endWord();
      // A line may end after an operator.
      if (c === ";" || typeof tokens.at(-1) === "object" || tokens.at(-1) === "2>&1") tokens.push(";");
      i++;
    } else if (!inWord && script.startsWith("2>&1", i) && /^(\s|[;&|]|$)/.test(script.slice(i + 4))) {
      tokens.push("2>&1");
      i += 4;
    } else if (c === "'" || c === '"') {
      const end = script.indexOf(c, i + 1);
      const inside = end < 0 ? undefined : script.slice(i + 1, end);
      if (inside === undefined || (c === '"' && /[$`\\!]/.test(inside))) return undefined;
      text += inside;
      inWord = quoted = true;
      i = end + 1;
    } else if (/[$`\\|&<>(){}*?[\]#~!]/.test(c)) {
      return undefined;
    } else {
      text += c;
      inWord = true;
      i++;
    }
  }
  endWord();
  return tokens;
}
