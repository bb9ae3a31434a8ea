// less: the screen and the keys alone, and the command at a terminal.
import { describe, expect, it } from "vitest";
import { keysOf, Pager, type PagerOptions } from "../../../src/headless/shell/pager.ts";
import { runShell, ShellProcess } from "../../support/shell-process.ts";

const LINES = Array.from({ length: 40 }, (_, i) => `line ${i + 1}`);
const OPTIONS: PagerOptions = { name: "a.txt", chops: false, colors: false, numbers: false, anyCase: false, endsAtEnd: false };

function pager(text = `${LINES.join("\n")}\n`, more: Partial<PagerOptions> = {}, size = { rows: 11, columns: 20 }): Pager {
  const made = new Pager({ ...OPTIONS, ...more }, size);
  made.add(text);
  made.end();
  return made;
}

/** First and last row, and what stands below. */
function seen(of: Pager): string[] {
  // oxlint-disable-next-line no-control-regex -- what a terminal is sent
  const rows = of.draw().replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, "").split("\n");
  return [rows[0] ?? "", rows.at(-2) ?? "", rows.at(-1) ?? ""];
}

const press = (of: Pager, keys: string): boolean => keysOf(keys).map((key) => of.key(key)).at(-1) ?? true;

describe("a pager", () => {
  it.each([
    ["", "line 1", "line 10", "a.txt"],
    [" ", "line 11", "line 20", ":"],
    ["  b", "line 11", "line 20", ":"],
    ["jj\r\u001b[B", "line 5", "line 14", ":"],
    ["jjk\u001b[A", "line 1", "line 10", ":"],
    ["5j", "line 6", "line 15", ":"],
    ["d", "line 6", "line 15", ":"],
    ["G", "line 31", "line 40", "(END)"],
    ["Gg", "line 1", "line 10", ":"],
    ["20g", "line 20", "line 29", ":"],
    ["50%", "line 21", "line 30", ":"],
    ["G   ", "line 31", "line 40", "(END)"],
    ["/line 2\r", "line 2", "line 11", ":"],
    ["/ne 2\rnn", "line 21", "line 30", ":"],
    ["/ne 2\rnnN", "line 20", "line 29", ":"],
    ["G?e 1\\d\r", "line 19", "line 28", ":"],
    ["/wrong\r", "line 1", "line 10", "Pattern not found  (press RETURN)"],
    ["/[\r", "line 1", "line 10", "Invalid pattern  (press RETURN)"],
    ["/ab\u007f", "line 1", "line 10", "/a"],
    ["12", "line 1", "line 10", ":12"],
  ])("after %j shows %s to %s", (keys, first, last, status) => {
    const shown = pager();
    expect(press(shown, keys)).toBe(true);
    expect(seen(shown)).toEqual([first, last, status]);
  });

  it("is left by q, ZZ's neighbours do nothing", () => {
    expect(press(pager(), "q")).toBe(false);
    expect(press(pager(), ":q\r")).toBe(false);
    expect(press(pager(), "xZ\u001a")).toBe(true);
    expect(press(pager(undefined, { endsAtEnd: true }), "   ")).toBe(true);
    expect(press(pager(undefined, { endsAtEnd: true }), "    ")).toBe(false);
  });

  it("wraps, cuts, counts, and shows control characters as such", () => {
    const long = `${"x".repeat(25)}\n\tb\u0007\u001b[31mred\u001b[0m\n`;
    expect(pager(long).text).toBe(`${"x".repeat(20)}\n${"x".repeat(5)}\n        b\u001b[7m^G\u001b[0m\u001b[7mESC\u001b[0m[31mre\nd\u001b[7mESC\u001b[0m[0m\n`);
    expect(pager(long, { chops: true, colors: true, numbers: true }).text).toBe(`      1 ${"x".repeat(12)}\n      2         b\u001b[7m^G\u001b[0m\u001b[31mr\u001b[0m\n`);
    const resized = pager(long);
    resized.resize({ rows: 11, columns: 30 });
    expect(resized.text.split("\n")[0]).toBe("x".repeat(25));
  });

  it("reads no further than it must, until it is asked for the end", () => {
    const endless = new Pager(OPTIONS, { rows: 11, columns: 20 });
    expect(endless.wantsMore).toBe(true);
    endless.add("y\n".repeat(30));
    expect(endless.wantsMore).toBe(false);
    endless.key("G");
    expect(endless.wantsMore).toBe(true);
    expect(seen(endless)[2]).toBe("Waiting for the rest (Ctrl+C stops)");
    endless.key("\u0003");
    expect(endless.wantsMore).toBe(false);
    endless.key("G");
    endless.add("last");
    endless.end();
    expect(seen(endless).slice(1)).toEqual(["last", "(END)"]);
  });
});

describe("less", () => {
  const files = { "a.txt": `${LINES.join("\n")}\n`, "short.txt": "short\n" };
  // oxlint-disable-next-line no-control-regex -- what a terminal is sent
  const plain = (text: string): string => text.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, "").replaceAll("\r", "");

  it("is cat where nobody looks at a terminal", async () => {
    expect(await runShell("less short.txt nosuch; echo $?; cat short.txt | more", { files })).toEqual({ stdout: "short\n1\nshort\n", stderr: "cat: nosuch: No such file or directory\n", code: 0 });
  });

  it("pages a file and a pipe at a prompt, takes its keys from the terminal, and leaves what is typed ahead", async () => {
    const shell = new ShellProcess({ argv: [], terminal: { cols: 40, rows: 11 }, files, env: { PS1: "% " } });
    await shell.until(/% /);
    const type = async (keys: string, shown: RegExp): Promise<void> => {
      const before = shell.output.length;
      shell.type(keys);
      while (!shown.test(plain(shell.output.slice(before)))) await shell.until(new RegExp(`^[^]{${shell.output.length + 1}}`));
    };
    await type("less a.txt\r", /line 10\na\.txt$/);
    expect(shell.output).toContain("\u001b[?1049h");
    await type(" ", /line 20\n:$/);
    await type("/line 3\r", /line 30\n[^]*line 39\n:$/);
    await type("qecho next\r", /\nnext\n/);
    expect(shell.output).toContain("\u001b[?1049l");
    await type("seq 100 | tail -n 50 | less\r", /51\n[^]*60\n:$/);
    await type("G", /100\n\(END\)$/);
    await type("\u0003q", /% $/);
    await type("yes | less +5\r", /y\n:$/);
    await type("q", /% $/);
    await type("more short.txt; more a.txt\r", /^[^]*short\n[^]*line 10\n--More--/);
    await type("    ", /% $/);
    await type("less\r", /Missing filename/);
    await type("less nosuch; echo code $?\r", /nosuch: No such file or directory\ncode 1\n/);
  });

  it("watch shows a command again and again until Ctrl+C", async () => {
    const shell = new ShellProcess({ argv: [], terminal: { cols: 80, rows: 11 }, files, env: { PS1: "% " } });
    await shell.until(/% /);
    shell.type("n=0; watch -n 0.1 'echo x >> count; wc -l < count; seq 20'\r");
    await shell.until(/Every 0\.1s: echo x >> count[^]*container: \w{3} \d\d[^]*\n3/);
    expect(plain(shell.output)).not.toContain("\n9\n10");
    shell.type("\u0003");
    await shell.until(/1049l[^]*% /);
    shell.type("watch -t -g -n 0.1 'wc -l < count; echo y >> count'; echo ended $?\r");
    await shell.until(/ended 0\n/);
    expect((await runShell("watch -n x date; watch", {})).stderr).toBe("watch: failed to parse argument: 'x'\nUsage:\n watch [options] command\n");
  });
});
