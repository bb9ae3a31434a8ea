// ps over processes that the kernel tells of, as procps prints them; headings and widths are those of procps 4.0.2.
import { describe, expect, it } from "vitest";
import type { ProcessInfo, Signal } from "../../../src/headless/protocol.ts";
import { runShell } from "../../support/shell-process.ts";

const at = Date.UTC(2026, 0, 2, 3, 4, 5);
const info = (pid: number, ppid: number, words: string, more: Partial<ProcessInfo> = {}): ProcessInfo => ({ pid, ppid, words: words.split(" "), terminal: false, stopped: false, startedMs: at, ...more });
const LIVE: readonly ProcessInfo[] = [
  info(501, 0, "jsh", { terminal: true }), info(502, 501, "node server.js --port 80", { terminal: true }), info(507, 0, "npm test"), info(508, 507, "node test.js", { stopped: true }), info(512, 0, "/usr/bin/long-name-of-a-program x"),
];
const killed: [number, Signal][] = [];
const run = (script: string) => runShell(script, { processes: () => LIVE, killed: (pid, signal) => killed.push([pid, signal]) });
const out = async (script: string): Promise<string> => (await run(script)).stdout;

describe("pgrep and pkill", () => {
  it.each([
    ["pgrep node", "502\n508\n"], ["pgrep -f server", "502\n"], ["pgrep -a no", "502 node server.js --port 80\n508 node test.js\n"], ["pgrep -l npm", "507 npm\n"], ["pgrep -x no; echo $?", "1\n"], ["pgrep -c node; pgrep -n node; pgrep -o node", "2\n508\n502\n"],
    ["pgrep -P 507", "508\n"], ["pgrep -d, node", "502,508\n"], ["pgrep -f 'server|test'", "502\n507\n508\n"], ["pgrep 2>/dev/null; echo $?", "2\n"],
    ["pkill zzz; echo $?", "1\n"], ["killall zzz 2>&1; echo $?", "zzz: no process found\n1\n"], ["kill -l TERM; kill -l 9", "15\nKILL\n"], ["sleep 50 & pgrep sleep > /dev/null && pkill sleep; wait; echo done", "done\n"],
  ])("%s", async (script, printed) => {
    expect(await out(script)).toBe(printed);
  });

  it("signal what they find, and never the shell that asks", async () => {
    killed.length = 0;
    expect((await run("pkill -9 -f 'server|pkill'; pkill -INT npm; killall -s HUP node; pkill --signal TERM -x npm")).code).toBe(0);
    expect(killed).toEqual([[502, "SIGKILL"], [507, "SIGINT"], [502, "SIGHUP"], [508, "SIGHUP"], [507, "SIGTERM"]]);
    killed.length = 0;
  });
});

describe("ps", () => {
  it("lists what is at the own terminal, or all", async () => {
    // The shell of the test has none, and is none of those that the kernel tells of.
    expect(await out("ps | sed 's/^ *[0-9]\\{4,\\}/ 9999/'")).toBe("  PID TTY          TIME CMD\n  507 ?        00:00:00 npm\n  508 ?        00:00:00 node\n  512 ?        00:00:00 long-name-of-a-program\n 9999 ?        00:00:00 ps\n");
    expect(await out("ps -e | head -n 3")).toBe("  PID TTY          TIME CMD\n  501 pts/0    00:00:00 jsh\n  502 pts/0    00:00:00 node\n");
  });

  it.each([
    ["ps aux | head -n 3", "USER       PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND\nuser       501  0.0  0.0      0     0 pts/0    Ss   03:04   0:00 jsh\nuser       502  0.0  0.0      0     0 pts/0    S    03:04   0:00 node server.js --port 80\n"],
    ["ps -aux | sed -n 2p", "user       501  0.0  0.0      0     0 pts/0    Ss   03:04   0:00 jsh\n"],
    ["ps -ef | head -n 3", "UID        PID  PPID  C STIME TTY          TIME CMD\nuser       501     0  0 03:04 pts/0    00:00:00 jsh\nuser       502   501  0 03:04 pts/0    00:00:00 node server.js --port 80\n"],
    ["ps -lx | head -n 2", "F   UID   PID  PPID PRI  NI    VSZ   RSS WCHAN  STAT TTY        TIME COMMAND\n0  1000   501     0  20   0      0     0 -      Ss   pts/0      0:00 jsh\n"],
    ["ps x | sed -n 1p", "  PID TTY      STAT   TIME COMMAND\n"],
    ["ps -p 508", "  PID TTY          TIME CMD\n  508 ?        00:00:00 node\n"],
    ["ps -p 502,508 -o pid,comm,args,ppid", "  PID COMMAND         COMMAND                      PPID\n  502 node            node server.js --port 80      501\n  508 node            node test.js                  507\n"],
    ["ps -o pid= -o comm= -p 502", "  502 node\n"],
    ["ps -o pid=,stat=,args= -p 508", "  508 T    node test.js\n"],
    ["ps -o pid --no-headers --ppid 507", "  508\n"],
    ["ps -o comm= 512", "long-name-of-a-program\n"],
    ["ps -C npm -o pid=", "  507\n"],
    ["ps -o lstart,start,stime,bsdstart,time,bsdtime,tt -p 507", "                 STARTED  STARTED STIME  START     TIME   TIME TT\nFri Jan  2 03:04:05 2026 03:04:05 03:04  03:04 00:00:00   0:00 ?\n"],
    ["ps awwxo pid,ppid,uid,%cpu,%mem,comm | head -n 2", "  PID  PPID   UID %CPU %MEM COMMAND\n  501     0  1000  0.0  0.0 jsh\n"],
  ])("%s", async (script, printed) => {
    expect(await out(script)).toBe(printed);
  });

  it("says by its code whether there are any, and what it does not know", async () => {
    expect(await out("ps -p 999 > /dev/null; echo $?; ps -p 507 > /dev/null; echo $?; ps -p x 2> /dev/null; echo $?")).toBe("1\n0\n1\n");
    expect((await run("ps -o foo")).stderr).toMatch(/^error: unknown user-defined format specifier "foo"\n\nUsage:/);
    expect((await run("ps --wrong")).stderr).toMatch(/^unknown gnu long option\n/);
  });

  it("knows the own jobs by the number that $! has, and kill what another has started", async () => {
    expect(await out("sleep 100 & ps -p $! -o args=; kill $!")).toBe("sleep 100\n");
    expect(await run("kill -9 508; kill -0 502; echo $?; kill 999")).toEqual({ stdout: "0\n", stderr: "bash: line 1: kill: (999) - No such process\n", code: 1 });
    expect(killed).toEqual([[508, "SIGKILL"]]);
  });
});

describe("id", () => {
  it.each([["id", "uid=1000(user) gid=1000(user) groups=1000(user)\n"], ["id -u; id -un; id -Gn; id -g", "1000\nuser\nuser\n1000\n"]])("%s", async (script, printed) => {
    expect(await out(script)).toBe(printed);
  });

  it("says what it cannot print", async () => {
    expect(await run("id -u -g")).toEqual({ stdout: "", stderr: 'id: cannot print "only" of more than one choice\n', code: 1 });
    expect((await run("id -n")).stderr).toBe("id: cannot print only names or real IDs in default format\n");
  });
});
