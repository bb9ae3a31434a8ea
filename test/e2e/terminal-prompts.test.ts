// Programs that ask, at a terminal of the container: prompts, enquirer, @inquirer/prompts and readline-sync as they are, and
// reads that wait.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { openContainer } from "../support/container-page.ts";
import { packageFiles } from "../support/package-tree.ts";
import { PageShell } from "../support/page-shell.ts";

const PROGRAMS = {
  "prompts.js": `
    require("prompts")([
      { type: "text", name: "name", message: "Your name?" },
      { type: "number", name: "age", message: "Your age?" },
      { type: "select", name: "color", message: "A colour?", choices: [{ title: "Red", value: "r" }, { title: "Green", value: "g" }, { title: "Blue", value: "b" }] },
      { type: "password", name: "secret", message: "Secret?" },
      { type: "confirm", name: "sure", message: "Sure?" },
    ]).then((answers) => console.log("ANSWERS", JSON.stringify(answers)));`,
  "enquirer.js": `
    const { prompt } = require("enquirer");
    prompt([
      { type: "input", name: "name", message: "Your name" },
      { type: "multiselect", name: "fruits", message: "Fruits", choices: ["apple", "banana", "cherry"] },
      { type: "confirm", name: "sure", message: "Sure" },
    ]).then((answers) => console.log("ANSWERS", JSON.stringify(answers)), (error) => console.log("STOPPED", JSON.stringify(error)));`,
  "inquirer.mjs": `
    import { checkbox, confirm, input, password, select } from "@inquirer/prompts";
    const answers = [
      await input({ message: "Your name?", validate: (text) => text !== "" || "say it" }),
      await select({ message: "A colour?", choices: ["red", "green", "blue"] }),
      await checkbox({ message: "Fruits?", choices: ["apple", "banana", "cherry"] }),
      await password({ message: "Secret?", mask: "*" }),
      await confirm({ message: "Sure?", default: false }),
    ];
    console.log("ANSWERS", JSON.stringify(answers));`,
  "sync.js": `
    const ask = require("readline-sync");
    const name = ask.question("Your name? ");
    const secret = ask.question("Secret? ", { hideEchoBack: true });
    console.log("ANSWERS", JSON.stringify([name, secret, ask.keyInYN("Sure?")]));`,
};

let site: AppSite;
let page: Page;
let shell: PageShell;

beforeAll(async () => {
  ({ site, page } = await openContainer());
  shell = await PageShell.open(page, { ...packageFiles(["prompts", "enquirer", "@inquirer/prompts", "readline-sync"]), ...PROGRAMS });
});
afterAll(() => site?.close());

const UP = "\u001b[A";
const DOWN = "\u001b[B";

/** Keys for each question once it is shown; then the answers. */
async function answer(program: string, turns: readonly (readonly [question: string, keys: string])[], answers: unknown): Promise<void> {
  await shell.enter(`node ${program}`);
  for (const [question, keys] of turns) {
    await shell.shows(question);
    await shell.type(keys);
  }
  await shell.shows(`ANSWERS ${JSON.stringify(answers)}`);
  await shell.shows("$ ");
}

describe("programs that ask at the terminal", () => {
  it("prompts: text, numbers, choices, secrets", async () => {
    await answer("prompts.js", [["Your name?", "Anx\u007fn\r"], ["Your age?", "41\u001b[A\r"], ["A colour?", `${DOWN}${DOWN}${UP}\r`], ["Secret?", "geheim\r"], ["Sure?", "y"]], { name: "Ann", age: 42, color: "g", secret: "geheim", sure: true });
    expect(await shell.raw()).not.toMatch(/Secret\?[^\n]*geheim/);
  });

  it("enquirer: several choices, and Ctrl+C", async () => {
    await answer("enquirer.js", [["Your name", "Bob\r"], ["Fruits", ` ${DOWN}${DOWN} \r`], ["Sure", "y"]], { name: "Bob", fruits: ["apple", "cherry"], sure: true });
    await shell.enter("node enquirer.js");
    await shell.shows("Your name");
    await shell.type("\u0003");
    await shell.shows("STOPPED");
    await shell.shows("$ ");
  });

  it("@inquirer/prompts: a check that refuses, lists, a masked secret", async () => {
    await answer("inquirer.mjs", [["Your name?", "\r"], ["say it", "Cy\r"], ["A colour?", `${UP}\r`], ["Fruits?", ` ${DOWN} \r`], ["Secret?", "pst\r"], ["Sure?", "y\r"]], ["Cy", "blue", ["apple", "banana"], "pst", true]);
  });

  it("readline-sync, which waits inside a read", async () => {
    await answer("sync.js", [["Your name? ", "Dee\r"], ["Secret? ", "pst\r"], ["Sure?", "y"]], ["Dee", "pst", true]);
  });
});

describe("reads that wait", () => {
  it("read a pipe whole, whatever writes it and when, and what it has changed is there", async () => {
    await shell.enter(`(echo one; sleep 0.3; echo made > made.txt; echo two) | node -e 'const fs = require("fs"); console.log(JSON.stringify(fs.readFileSync(0, "utf8") + fs.readFileSync("made.txt")))'`);
    await shell.shows('"one\\ntwo\\nmade\\n"');
    await shell.enter(`seq 1 90000 | node -e 'console.log("lines", require("fs").readFileSync("/dev/stdin", "utf8").split("\\n").length)'`);
    await shell.shows("lines 90001");
    await shell.enter(`node -e 'console.log("size", require("fs").readFileSync(0).length)' < prompts.js`);
    await shell.shows(/size \d{3}/);
  });

  it("read lines of the terminal, Ctrl+D being the end, and leave to the stream what they have not taken", async () => {
    await shell.enter(`node -e 'const fs = require("fs"); const b = Buffer.alloc(100); console.log("got", b.toString("utf8", 0, fs.readSync(0, b)).trim()); console.log("rest", JSON.stringify(fs.readFileSync(0, "utf8"))); process.stdin.once("data", (d) => { console.log("stream", String(d).trim()); process.exit() })'`);
    await shell.type("first\r");
    await shell.shows("got first");
    await shell.type("a\rb\r\u0004");
    await shell.shows('rest "a\\nb\\n"');
    await shell.type("third\r");
    await shell.shows("stream third");
    await shell.shows("$ ");
  });

  it("know what is a terminal and what a pipe", async () => {
    const program = `node -e 'console.error([0, 1, 2].map((fd) => require("tty").isatty(fd)).join(), process.stdin.isTTY, process.stdout.isTTY)'`;
    for (const [line, said] of [[program, "true,true,true true true"], [`echo | ${program}`, "false,true,true undefined true"], [`${program} | cat`, "true,false,true true undefined"], [`echo 'console.log("from" + " a pipe")' | node`, "from a pipe"]] as const) {
      await shell.enter(line);
      await shell.shows(said);
    }
  });

  it("hear of another size", async () => {
    await shell.enter(`node -e 'process.on("SIGWINCH", () => { console.log("size", process.stdout.columns, process.stdout.rows); process.exit() }); process.stdin.resume(); console.log("was " + process.stdout.columns)'`);
    await shell.shows("was 80");
    await shell.resize(100, 30);
    await shell.shows("size 100 30");
  });
});
