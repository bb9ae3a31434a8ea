import { describe, expect, it } from "vitest";
import { decide, type Mode, type ToolRule } from "../../src/agent/permission.ts";

const run = (command: string) => ({ name: "run_shell_command", arguments: { command } });
const edit = { name: "edit", arguments: { file_path: "a.js" } };
const read = { name: "read_file", arguments: { file_path: "a.js" } };

describe("who decides about a call", () => {
  it.each<[Mode, string, string, string]>([
    ["plan", "allow", "deny", "deny"],
    ["ask", "allow", "ask", "ask"],
    ["auto", "allow", "allow", "allow"],
  ])("in %s mode: reading %s, editing %s, running %s", (mode, reading, editing, running) => {
    expect([decide(read, mode, []), decide(edit, mode, []), decide(run("npm test"), mode, [])]).toEqual([reading, editing, running]);
  });

  it("lets no rule change anything in plan mode", () => {
    expect(decide(edit, "plan", [{ tool: "edit", decision: "allow" }])).toBe("deny");
    expect(decide(run("npm test"), "plan", [{ tool: "run", command: "npm test", decision: "allow" }])).toBe("deny");
  });

  it("follows the longest rule that fits, in every order", () => {
    const rules: readonly ToolRule[] = [{ tool: "run", decision: "deny" }, { tool: "run", command: "npm", decision: "ask" }, { tool: "run", command: "npm test", decision: "allow" }];
    for (const list of [rules, rules.toReversed()]) {
      expect(decide(run("npm test"), "auto", list)).toBe("allow");
      expect(decide(run("npm run build"), "auto", list)).toBe("ask");
      expect(decide(run("rm -r ."), "auto", list)).toBe("deny");
    }
  });

  it("never stretches a permission over a joined command, a file that is written, a longer word or a substitution", () => {
    const rules: readonly ToolRule[] = [{ tool: "run", command: "npm test", decision: "allow" }];
    for (const command of ["npm test; rm -rf .", "npm test && node evil.js", "npm test | sh", "npm testing", "npm test $(rm x)", "npm test `rm x`", "npm test\nrm x", "npm test & rm x", "npm test > src/a.js", "npm test 2>>log"]) {
      expect(decide(run(command), "ask", rules), command).toBe("ask");
    }
    expect(decide(run("  npm test -- --watch"), "ask", rules)).toBe("allow");
  });

  it("allows a joined command that was allowed letter for letter, and no other", () => {
    const rules: readonly ToolRule[] = [{ tool: "run", command: "cd app && npm test > log", decision: "allow" }];
    expect(decide(run("cd app && npm test > log "), "ask", rules)).toBe("allow");
    expect(decide(run("cd app && npm test > log; rm x"), "ask", rules)).toBe("ask");
  });

  it("finds what is denied inside a joined command", () => {
    const rules: readonly ToolRule[] = [{ tool: "run", command: "rm", decision: "deny" }];
    for (const command of ["rm x", "npm test && rm x", "ls; rm -r .", "ls | rm x", "echo $(rm x)", "ls || rm x"]) expect(decide(run(command), "auto", rules), command).toBe("deny");
    expect(decide(run("npm run farm"), "auto", rules)).toBe("allow");
  });
});
