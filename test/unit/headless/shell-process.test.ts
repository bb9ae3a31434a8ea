// A shell as a process: what it prints is heard while it runs, input goes to who reads it, signals end what they should; and
// at a terminal, a prompt. Nothing here waits for a time: each step waits for what the last has printed.
import { describe, expect, it } from "vitest";
import { LineEditor } from "../../../src/headless/line-editor.ts";
import { SHELL_COMMANDS } from "../../../src/headless/shell/names.ts";
import { BUILTINS } from "../../../src/headless/shell/builtins/index.ts";
import { COMMANDS } from "../../../src/headless/shell/commands/index.ts";
import { CWD, type ProgramIo, ShellProcess } from "../../support/shell-process.ts";
import { getCommandNames } from "just-bash/browser";
import type { SpawnRequest } from "../../../src/headless/protocol.ts";

const start = (script: string, options: Partial<ConstructorParameters<typeof ShellProcess>[0]> = {}): ShellProcess => new ShellProcess({ ...options, argv: ["-c", script] });

/** `node NAME`: programs by name. */
const PROGRAMS: Readonly<Record<string, (io: ProgramIo) => Promise<number>>> = {
  async ask(io) {
    io.write(1, "name? ");
    io.write(1, `hello ${(await io.read())?.trim()}\n`);
    return 0;
  },
  endless: (io) => {
    io.write(1, "running\n");
    return new Promise(() => undefined);
  },
  async careful(io) {
    io.write(1, "careful\n");
    await io.signal("SIGINT");
    io.write(1, "cleaned up\n");
    return 0;
  },
  async flood(io) {
    for (let i = 0; i < 100; i++) {
      io.write(1, "x\n");
      await Promise.resolve();
    }
    return new Promise(() => undefined);
  },
  still: async () => 0,
};
const program = ({ args }: SpawnRequest, io: ProgramIo): Promise<number> => PROGRAMS[args[0] ?? ""]?.(io) ?? Promise.resolve(9);

describe("a file that names what runs it", () => {
  const run = async (text: string): Promise<readonly [number, string]> => {
    const shell = new ShellProcess({ argv: ["--run", "./tool", "a"], files: { tool: text }, stdin: "", program: async (request, io) => {
      io.write(1, `${[request.command, ...request.args].join(" ")} A=${request.env["A"] ?? ""}\n`);
      return 7;
    } });
    return [await shell.exitCode, shell.output];
  };

  it.each([
    ["#!/usr/bin/env -S A=1 node --no-warnings\n", 7, "node --no-warnings ./tool a A=1\n"],
    ["#!/usr/bin/node --flag\r\n", 7, "node --flag ./tool a A=\n"],
    ["#!/usr/bin/env python3\n", 127, "/usr/bin/env: ‘python3’: No such file or directory\n"],
    ["#!/usr/bin/perl\n", 126, "bash: ./tool: /usr/bin/perl: bad interpreter: No such file or directory\n"],
    ["#!/usr/bin/sed -n 1p\n", 0, "#!/usr/bin/sed -n 1p\n"],
  ])("is run so, or it is said that there is no such thing: %j", async (text, code, output) => {
    const [ended, said] = await run(text);
    expect([ended, said.replace(/sed: can't read a: .*\n/, "")]).toEqual([text.includes("sed") ? 2 : code, output]);
  });
});

describe("output", () => {
  it.each([
    ["a loop", 'for i in 1 2; do echo "line $i"; read x; done; echo "end $x"'],
    ["a loop in a pipe", 'for i in 1 2; do echo "line $i"; read x <&3; done 3<&0 | cat; echo end b'],
    ["a filter behind it", '{ for i in 1 2; do echo "line $i"; read x; done; echo end b; } | grep -v nothing | sed "s/q/r/"'],
    ["a group with redirections", '{ for i in 1 2; do echo "line $i" >&2; read x; done; } 2>&1; echo "end $x"'],
    ["a function", 'f() { echo "line $1"; read x; }; f 1; f 2; echo end b'],
  ])("of %s is seen before it goes on", async (_, script) => {
    const shell = start(script);
    await shell.until(/^line 1\n$/);
    shell.input("a\n");
    await shell.until(/^line 1\nline 2\n$/);
    shell.input("b\n");
    expect(await shell.exitCode).toBe(0);
    expect(shell.output).toBe("line 1\nline 2\nend b\n");
  });

  it("of a process goes through a pipe while it runs, and who closes the pipe ends it", async () => {
    const shell = start("node flood | head -n 2; echo ${PIPESTATUS[@]}", { program, stdin: "" });
    await shell.exitCode;
    expect(shell.output).toBe("x\nx\n141 0\n");
  });
});

describe("input", () => {
  it("stays for the next command when a program does not read", async () => {
    const shell = start('while read line; do node still "$line"; echo "$line"; done', { program, stdin: "a\nb\nc\n" });
    await shell.exitCode;
    expect(shell.output).toBe("a\nb\nc\n");
  });

  it("goes to the program that reads", async () => {
    const shell = start("node ask; echo $?", { program });
    await shell.until(/name\? $/);
    shell.input("Ann\n");
    await shell.exitCode;
    expect(shell.output).toBe("name? hello Ann\n0\n");
  });

  it("is a script, run line by line, when there is no other", async () => {
    const shell = new ShellProcess({ argv: [] });
    shell.input("echo one\n");
    await shell.until(/one\n/);
    shell.input("for i in 1 2; do\n");
    shell.input("echo $i; done\nexit 5\n");
    expect(await shell.exitCode).toBe(5);
    expect(shell.output).toBe("one\n1\n2\n");
  });
});

describe("signals", () => {
  it.each([["an endless loop", "echo running; while :; do :; done"], ["a program", "node endless"], ["a pipe", "node endless | cat"], ["a wait", "echo running; sleep 100 & wait"]])("end %s", async (_, script) => {
    for (const [signal, code] of [["SIGTERM", 143], ["SIGINT", 130]] as const) {
      const shell = start(script, { program });
      await shell.until(/running/);
      shell.signal(signal);
      expect(await shell.exitCode).toBe(code);
    }
  });

  it("leave a program that handles them to end by itself, and the script with it", async () => {
    const shell = start("node careful; echo after $?", { program });
    await shell.until(/careful\n/);
    shell.signal("SIGINT");
    await shell.exitCode;
    expect(shell.output).toBe("careful\ncleaned up\nafter 0\n");
  });

  it("run a trap and interrupt a wait", async () => {
    const shell = start("trap 'echo trapped; exit 7' TERM; echo ready; sleep 100 & wait");
    await shell.until(/ready/);
    shell.signal("SIGTERM");
    expect(await shell.exitCode).toBe(7);
    expect(shell.output).toBe("ready\ntrapped\n");
  });
});

describe("at a terminal", () => {
  /** What the screen says, moves and colours left out. */
  // oxlint-disable-next-line no-control-regex -- what a terminal is sent
  const text = (shell: ShellProcess): string => shell.output.replaceAll(/\u001b\[[\d;]*[A-Za-z]/g, "").replaceAll("\r", "");
  async function open(): Promise<ShellProcess> {
    const shell = new ShellProcess({ argv: [], terminal: { cols: 80, rows: 24 }, program, files: { "src/a.txt": "a\n", "src/b.txt": "b\n", "some file.txt": "" }, env: { PS1: "\\w% " } });
    await shell.until(/% /);
    return shell;
  }
  /** Types a line and waits for the next prompt. */
  async function enter(shell: ShellProcess, line: string): Promise<string> {
    const before = shell.output.length;
    shell.type(`${line}\r`);
    await shell.until(new RegExp(`^[^]{${before + line.length}}[^]*\\n[^\\n]*% \\r?(\\u001b\\[\\d+C)?$`));
    return text({ output: shell.output.slice(before) } as ShellProcess).replace(/[^\n]*% $/, "").replace(/^[^\n]*\n/, "");
  }

  /** A line for `cat`, and its end. The first lines may come before the terminal hears of the shell: then they are not echoed. */
  async function typeToCat(shell: ShellProcess, line: string): Promise<void> {
    const before = shell.output.length;
    shell.type(`${line}\r`);
    await shell.until(new RegExp(`^[^]{${before}}(${line}\n){1,2}$`));
    shell.type("\u0004");
    await shell.until(new RegExp(`^[^]{${before}}(${line}\n){1,2}[^]*% `));
  }

  it("keeps folder, variables, functions and status from line to line", async () => {
    const shell = await open();
    await enter(shell, "cd src; X=5; f() { echo f$1; }");
    expect(shell.output).toContain("~/project/src% ");
    expect(await enter(shell, "f $X; pwd; false")).toBe(`f5\n${CWD}/src\n`);
    expect(await enter(shell, "echo $?")).toBe("1\n");
    expect(await enter(shell, "nosuch; echo $((1/0))")).toBe("jsh: nosuch: command not found\njsh: 1/0: division by 0 (error token is \"0\")\n");
    shell.type("exit 4\r");
    expect(await shell.exitCode).toBe(4);
  });

  it("is edited, recalled and completed", async () => {
    const shell = await open();
    expect(await enter(shell, "echo helo\u001b[Dl")).toBe("hello\n");
    expect(await enter(shell, "\u001b[A")).toBe("hello\n");
    expect(await enter(shell, "echo a b\u0017c\u0001\u000b\u0019")).toBe("a c\n");
    expect(await enter(shell, "ec\tsom\t")).toBe("some file.txt\n");
    const before = shell.output.length;
    shell.type("cat src/\t\t");
    await shell.until(new RegExp(`^[^]{${before}}[^]*a\\.txt  b\\.txt\\n`));
    expect(await enter(shell, "a\t")).toContain("a\n");
  });

  it("asks on while a command is not whole, and Ctrl+C drops it", async () => {
    const shell = await open();
    shell.type("for i in 1 2; do\r");
    await shell.until(/> $|> \r/);
    expect(await enter(shell, "echo $i; done")).toBe("1\n2\n");
    shell.type("echo 'open\r");
    await shell.until(/open[^]*> \r/);
    shell.type("\u0003");
    await shell.until(/\^C\n[^]*% /);
    expect(await enter(shell, "echo $?")).toBe("130\n");
  });

  it("gives a program its input and its interrupt, and goes on", async () => {
    const shell = await open();
    shell.type("node ask\r");
    await shell.until(/name\? $/);
    expect(await enter(shell, "Bobx\u007f")).toContain("hello Bob\n");
    shell.type("node endless\r");
    await shell.until(/running\n$/);
    shell.type("\u0003");
    await shell.until(/running\n\^C\n[^]*% /);
    expect(await enter(shell, "echo $?")).toBe("130\n");
    shell.type("while :; do :; done\r");
    await shell.until(/done[^\n]*\n$/);
    shell.type("\u0003");
    await shell.until(/done[^\n]*\n\^C\n[^]*% /);
    shell.type("cat\r");
    await shell.until(/cat[^\n]*\n$/);
    await typeToCat(shell, "typed");
  });

  it("loses no interrupt that is typed before the command has begun", async () => {
    const shell = await open();
    // Up to so many steps of the shell's after it has heard of the line; the terminal has not yet heard of the shell.
    for (let steps = 0; steps < 40; steps++) {
      for (const command of ["while :; do :; done", "sleep 100", "node endless", "cat | cat"]) {
        const before = shell.output.length;
        if (steps === 0) shell.type(`${command}\r\u0003`);
        else shell.type(`${command}\r`);
        for (let step = 0; step < steps; step++) await Promise.resolve();
        if (steps > 0) shell.type("lost\u0003");
        await shell.until(new RegExp(`^[^]{${before}}[^]*\\^C\\n[^]*% `));
        expect(await enter(shell, "echo $?")).toBe("130\n");
      }
    }
    expect(await enter(shell, "true\recho next")).toContain("next\n");
  });

  it("has jobs, and tells of their end", async () => {
    const shell = await open();
    expect(await enter(shell, "sleep 100 &")).toMatch(/^\[1\] \d+\n$/);
    expect(await enter(shell, "jobs")).toMatch(/^\[1\]\+  Running +sleep 100 &\n$/);
    await enter(shell, "kill %1; wait %1");
    shell.type("exit\r");
    expect(await shell.exitCode).toBe(143);
  });

  it("stops with Ctrl+Z what it waits for, and goes on with it in the foreground or beside", async () => {
    const shell = await open();
    const suspend = async (line: string, running: RegExp): Promise<void> => {
      const before = shell.output.length;
      shell.type(`${line}\r`);
      await shell.until(new RegExp(`^[^]{${before}}[^]*${running.source}`));
      shell.type("\u001a");
      await shell.until(new RegExp(`^[^]{${before}}[^]*\\^Z\\n\\[\\d\\]\\+  Stopped [^\\n]*\\n[^]*% `));
    };
    await suspend("node ask", /name\? $/);
    expect(await enter(shell, "echo $?; jobs -s")).toMatch(/^148\n\[1\]\+ {2}Stopped +node ask\n$/);
    // What is typed meanwhile is another's.
    shell.type("cat\r");
    await shell.until(/cat[^\n]*\n$/);
    await typeToCat(shell, "mine");
    shell.type("fg\r");
    await shell.until(/fg[^\n]*\nnode ask\n$/);
    expect(await enter(shell, "Ann")).toContain("hello Ann\n");
    await suspend("(echo now; sleep 0.5; echo after)", /\nnow\n$/);
    expect(await enter(shell, "bg; wait")).toMatch(/&\nafter\n/);
    await suspend("cat | node ask", /name\? $/);
    expect(await enter(shell, "kill %1; wait %1; echo $?")).toMatch(/143\n$/);
    await suspend("while :; do echo turn; sleep 100; done", /\nturn\n$/);
    expect(await enter(shell, "jobs")).toMatch(/Stopped/);
    shell.type("exit\r");
    await shell.until(/stopped jobs; leaving again ends them\.\n[^]*% /);
    shell.type("exit 0\r");
    expect(await shell.exitCode).toBe(0);
  });

  it("finds earlier lines by Ctrl+R and !, and keeps them for the next shell", async () => {
    const shell = await open();
    await enter(shell, "echo first one");
    await enter(shell, "echo second");
    expect(await enter(shell, "\u0012first")).toBe("first one\n");
    expect(text(shell)).toContain("(reverse-i-search)`first': echo first one");
    expect(await enter(shell, "\u0012echo\u0012\u0012\u007f\u0005 more")).toMatch(/ more\n$/);
    expect(await enter(shell, "!echo\u0020x")).toMatch(/^echo .*x\n.*x\n$/);
    expect(await enter(shell, "!1; echo '!1'")).toBe("echo first one; echo '!1'\nfirst one\n!1\n");
    expect(await enter(shell, "!nothing")).toBe("jsh: !nothing: event not found\n");
    expect(await enter(shell, "history 1")).toMatch(/^ +\d+ {2}history 1\n$/);
    expect(new TextDecoder().decode(shell.vfs.readFile("/home/.jsh_history")).split("\n").slice(0, 2)).toEqual(["echo first one", "echo second"]);
  });

  it("shares its history with other shells of the container, and forgets what it is told to", async () => {
    const shell = await open();
    await enter(shell, "echo mine");
    shell.changed("/home/.jsh_history", "echo mine\necho of another\\nof two lines\n");
    expect(await enter(shell, "!echo | tail -n 1")).toMatch(/of another\nof two lines \| tail -n 1\n/);
    expect(await enter(shell, "history -d 1; history -d 99")).toBe("jsh: history: 99: history position out of range\n");
    expect(new TextDecoder().decode(shell.vfs.readFile("/home/.jsh_history"))).toMatch(/^echo of another\\nof two lines\n/);
    await enter(shell, "history -c");
    expect(new TextDecoder().decode(shell.vfs.readFile("/home/.jsh_history"))).toBe("");
    await enter(shell, " echo not kept");
    shell.changed("/home/.jsh_history", `${"x".repeat(150_000)}\n${"y".repeat(150_000)}\n`);
    await enter(shell, "true");
    expect(new TextDecoder().decode(shell.vfs.readFile("/home/.jsh_history"))).toBe(`${"y".repeat(150_000)}\ntrue\n`);
  });

  it("takes what is pasted as text: lines run with Enter, keys in it do nothing", async () => {
    const shell = await open();
    const pasted = (given: string): string => `\u001b[200~${given}\u001b[201~`;
    shell.type(`echo ${pasted("one\r\nfor i in 1 2; do\n\techo \"$i\"\ndone\necho t\u0003w\u0015\u0004o\u001b[A\n")}`);
    await shell.until(/done\n *echo two\[A\n\r/);
    expect(text(shell)).not.toMatch(/^(one|1)\n/m);
    expect(await enter(shell, "echo last")).toMatch(/one\n1\n2\ntwo\[A\nlast\n$/);
    // In pieces, and in the middle of a line.
    shell.type('echo "b"\u001b[D\u001b[D');
    for (const piece of ["\u001b[2", "00~x\ty", "\u001b[20", "1~"]) shell.type(piece);
    expect(await enter(shell, "\u0005 | tr '\\t' T")).toMatch(/xTyb\n/);
  });

  it("says that it takes pasted text apart only while a line is edited", async () => {
    const shell = await open();
    expect(shell.output).toContain("\u001b[?2004h");
    shell.type("cat\r");
    await shell.until(/cat[^\n]*\[\?2004l\n$/);
  });

  it("ends with Ctrl+D", async () => {
    const shell = await open();
    shell.type("\u0004");
    expect(await shell.exitCode).toBe(0);
    expect(shell.output).toContain("exit\n");
  });
});

describe("a line that is typed", () => {
  it("is drawn over as many rows as it takes, the cursor where it belongs", async () => {
    let out = "";
    const editor = new LineEditor({ write: (text) => (out += text), columns: () => 10, history: [] });
    const line = editor.read("> ");
    editor.type("abcdefghij");
    expect(out.endsWith("\r\u001b[J> abcdefghij\r\u001b[2C")).toBe(true);
    out = "";
    editor.type("\u0001");
    expect(out).toBe("\u001b[1A\r\u001b[J> abcdefghij\u001b[1A\r\u001b[2C");
    editor.type("\r");
    expect(await line).toEqual({ line: "abcdefghij" });
  });

  it("of several lines too, tabs as far as they go", async () => {
    let out = "";
    const editor = new LineEditor({ write: (text) => (out += text), columns: () => 10, history: ["for\n\tx\n0123456789\ndone"] });
    const line = editor.read("> ");
    out = "";
    editor.type("\u001b[A");
    expect(out).toBe("\r\u001b[J> for\n        x\n0123456789\ndone\r\u001b[4C");
    out = "";
    editor.type("\u0001");
    expect(out).toBe("\u001b[3A\r\u001b[J> for\n        x\n0123456789\ndone\u001b[3A\r\u001b[2C");
    editor.type("\r");
    expect(await line).toEqual({ line: "for\n\tx\n0123456789\ndone" });
  });
});

it("the kernel knows the shell's commands by name", () => {
  const programs = new Set(["sh", "bash", "history"]);
  expect([...SHELL_COMMANDS].filter((name) => name !== "exec").sort()).toEqual([...new Set([...Object.keys(BUILTINS), ...Object.keys(COMMANDS), ...getCommandNames()])].filter((name) => !programs.has(name)).sort());
});

// Last: what is left of it runs on, since here no Worker ends with its process.
describe("a signal", () => {
  it("ends a storm of subshells, which is held to a limit", async () => {
    const shell = start("f() { f | f & }; f; wait; sleep 100");
    await shell.until(/fork: Resource temporarily unavailable/);
    shell.signal("SIGTERM");
    expect(await shell.exitCode).toBe(143);
  });
});
