// Who decides about a tool call: the mode first, then the project's rules, then the user. Pure; the card that asks is the
// page's. Reading is always allowed: the project is the user's own and nothing leaves the page.
import type { ToolCall } from "./events.ts";

/** `plan`: nothing is changed. `ask`: every change and every command is asked for. `auto`: both happen, and can be undone. */
export const MODES = ["plan", "ask", "auto"] as const;
export type Mode = (typeof MODES)[number];

export type Decision = "allow" | "ask" | "deny";

/** What a rule is about: changing files, or running commands that start with `command` (all commands if it is absent). */
export interface ToolRule {
  readonly tool: "edit" | "run";
  readonly command?: string;
  readonly decision: Decision;
}

/** The user's word on one call. */
export interface PermissionAnswer {
  readonly allow: boolean;
  /** Told to the model when denied. */
  readonly reason?: string;
}

const KINDS: Readonly<Record<string, ToolRule["tool"]>> = { edit: "edit", write_file: "edit", run_shell_command: "run" };

/** Characters that join commands or write to files: a rule for one command says nothing about what is joined to it. */
const JOINS = /[;&|`\n>]|\$\(|<\(/;

/** The most telling rule wins: the longest matching command, of equals the last. Plan mode denies whatever a rule says. */
export function decide(call: Pick<ToolCall, "name" | "arguments">, mode: Mode, rules: readonly ToolRule[]): Decision {
  const kind = KINDS[call.name];
  if (kind === undefined) return "allow";
  if (mode === "plan") return "deny";
  const command = String(call.arguments["command"] ?? "").trim();
  let best: ToolRule | undefined;
  for (const rule of rules) {
    if (rule.tool !== kind || !covers(rule, command)) continue;
    if (!best || (rule.command ?? "").length >= (best.command ?? "").length) best = rule;
  }
  return best?.decision ?? (mode === "auto" ? "allow" : "ask");
}

/** Is the rule about this command? Whole words only; allowing rules never reach across `;`, `&&`, a pipe or `>` that they do not hold themselves, denying ones do. */
function covers(rule: ToolRule, command: string): boolean {
  if (rule.command === undefined) return true;
  const starts = (text: string): boolean => text === rule.command || text.startsWith(`${rule.command} `);
  if (rule.decision === "allow") return command === rule.command || (starts(command) && !JOINS.test(command));
  return command.split(/\|\||&&|[;&|\n]|\$\(|`/).some((part) => starts(part.trim()));
}

/** What the model is told when a call is not allowed. */
export function deniedResult(mode: Mode, answer: PermissionAnswer | undefined): string {
  if (mode === "plan") return "Not done: this is plan mode, where nothing is changed or run. Read what you need and answer with a plan as a Markdown task list (- [ ] step).";
  const reason = answer?.reason?.trim();
  return reason ? `Not done: the user did not allow this and says: ${reason}` : "Not done: the user did not allow this. Do something else, or ask what they want.";
}
