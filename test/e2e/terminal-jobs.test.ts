// Ctrl+Z at a terminal of the container: a program's process is stopped, and goes on where it was.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer } from "../support/container-page.ts";
import { PageShell } from "../support/page-shell.ts";

let site: AppSite;
let page: Page;
let shell: PageShell;

beforeAll(async () => {
  ({ site, page } = await openContainer());
  shell = await PageShell.open(page, { "count.js": `let n = 0; const count = () => require("fs").writeFileSync("count.txt", String(++n)); count(); setInterval(count, 20); console.log("counting");` });
});
afterAll(() => site?.close());

async function count(): Promise<number> {
  await shell.enter("echo at $(cat count.txt).");
  await shell.shows(/at \d+\./);
  return Number(/at (\d+)\./.exec(await shell.output())?.[1]);
}

it("stops a process, timers and all, lets it go on beside, and in the foreground again", async () => {
  await shell.enter("node count.js");
  await shell.shows("counting");
  await shell.type("\u001a");
  await shell.shows(/\[1\]\+ {2}Stopped +node count\.js/);
  const stopped = await count();
  await page.waitForTimeout(300);
  expect(await count()).toBe(stopped);
  await shell.enter("bg; jobs");
  await shell.shows(/Running +node count\.js &/);
  await expect.poll(count, { timeout: 10_000 }).toBeGreaterThan(stopped);
  await shell.enter("fg");
  await shell.shows(/fg\n.*node count\.js\n/);
  await shell.type("\u0003");
  await shell.shows("$ ");
  await shell.enter("echo code $?; jobs");
  await shell.shows(/code 130\n~/);
});

it("stops a program that reads key by key, which shows its line again when it goes on", async () => {
  await shell.enter(`node -e 'const rl = require("readline").createInterface({ input: process.stdin, output: process.stdout }); rl.on("SIGCONT", () => rl.prompt(true)); rl.question("name? ", (name) => { console.log("hello " + name); process.exit() })'`);
  await shell.shows(/name\? $/);
  await shell.type("An");
  await shell.shows("An");
  await shell.type("\u001a");
  await shell.shows("Stopped");
  await shell.enter("fg");
  await shell.shows(/name\? An/);
  await shell.type("n\r");
  await shell.shows("hello Ann");
  await shell.shows("$ ");
});

it("shows all processes by ps, and kills one that another shell has started", async () => {
  const other = (command: string, ...args: string[]) => page.evaluate(([name, words]) => (globalThis as ContainerWindow).run(name, words), [command, args] as const);
  await shell.enter("node count.js x &");
  await shell.shows("counting");
  await shell.enter("ps -o comm=,args=,stat=");
  await shell.shows(/node +node count\.js x +S\n/);
  await shell.shows(/ps +ps -o comm=,args=,stat= +R/);
  await shell.shows("$ ");
  const { output } = await other("ps", "-ef");
  expect(output).toMatch(/^UID +PID +PPID +C STIME TTY +TIME CMD\n/);
  expect(output).toMatch(/\n[^\n]+ \? +00:00:00 ps -ef\n$/);
  const pid = /\nuser +(\d+) +\d+ [^\n]+ pts\/0 +00:00:00 node count\.js x\n/.exec(output)?.[1] ?? "";
  expect(await other("kill", pid)).toEqual({ code: 0, output: "" });
  await shell.enter("wait; ps -p " + pid + "; echo code $?");
  await shell.shows(/CMD\ncode 1\n/);
  expect((await other("kill", pid)).output).toBe(`bash: line 1: kill: (${pid}) - No such process\n`);
});
