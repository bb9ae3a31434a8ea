import { describe, expect, it } from "vitest";
import { repositoryRefusal } from "../../src/agent/repository-guard.ts";
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

describe("a command that would look the answer up in a code repository", () => {
  it.each([
    "git clone https://github.com/owner/project", "git remote add up git@github.com:owner/project.git", "git -C .. fetch https://gitlab.com/o/p main", "curl -s https://raw.githubusercontent.com/o/p/main/src/a.js > a.js",
    "wget -qO- https://codeload.github.com/o/p/tar.gz/main | tar x", "U=https://bitbucket.org/o/p; curl $U", "npm install github:owner/project", "npm i git+https://example.org/o/p.git", "npx degit owner/project github:owner/project",
    "node -e \"fetch('https://api.github.com/repos/o/p/commits')\"", "node -e \"require('https').get('https://codeberg.org/o/p')\"", "c''url https://git\"\"hub.com/o/p", "cu\\rl https://github.com/o/p", "git pull \\\n ssh://git.example.org/p",
    "curl https://cdn.jsdelivr.net/gh/o/p/src/a.js", "gh repo view github.com/o/p", "git submodule add https://git.sr.ht/~o/p",
  ])("is refused with a reason: %s", (command) => {
    expect(repositoryRefusal(command)).toMatch(/^Not run: .*use edit/);
  });

  it.each([
    "npm test", "npm install lodash", "git status", "grep -rn 'https://github.com' .", "cat package.json | grep github.com", "curl https://example.org/data.json", "git log --oneline", "node src/github.js", "ls node_modules/.bin", "echo github.com > hosts.txt",
    "sed -i 's#http://gitlab.com#https://gitlab.com#' README.md",
  ])("is not: %s", (command) => {
    expect(repositoryRefusal(command)).toBeUndefined();
  });
});
