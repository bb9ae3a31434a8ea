// Processes through the real client: streams, input, signals, the shell, npm, and what Node programs are made of.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppSite } from "../support/app-page.ts";
import { type ContainerWindow, openContainer, type Ran, type RunInit } from "../support/container-page.ts";

let site: AppSite;
let page: Page;

beforeAll(async () => {
  ({ site, page } = await openContainer());
});
afterAll(() => site?.close());

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  await page.evaluate(async (entries) => {
    const { wc, tabwrightLab } = globalThis as ContainerWindow;
    await wc.mount(tabwrightLab.container.encodeTree(new Map(entries.map(([path, text]) => [path, new TextEncoder().encode(text)]))));
  }, Object.entries(files));
}

function run(command: string, args: readonly string[] = [], init: RunInit = {}): Promise<Ran> {
  return page.evaluate(([name, list, options]) => (globalThis as ContainerWindow).run(name, list, options), [command, args, init] as const);
}
const sh = (script: string): Promise<Ran> => run("sh", ["-c", script]);

describe("a spawned process", () => {
  it("gets its arguments, folder, environment and terminal", async () => {
    await write({ "sub/show.js": "console.log(JSON.stringify([process.argv.slice(2), process.cwd(), process.env.COLOUR, process.stdout.columns]))" });
    const { code, output } = await run("node", ["show.js", "a b", "ü"], { cwd: "sub", env: { COLOUR: "red" }, terminal: { cols: 91, rows: 20 } });
    expect([code, JSON.parse(output)]).toEqual([0, [["a b", "ü"], "/home/project/sub", "red", 91]]);
  });

  it("streams: the first line arrives while it still runs", async () => {
    const times = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const process = await wc.spawn("node", ["-e", "console.log('a'); setTimeout(() => console.log('b'), 300)"]);
      const at: number[] = [];
      await process.output.pipeTo(new WritableStream({ write: () => void at.push(performance.now()) }));
      return { gap: (at[1] ?? 0) - (at[0] ?? 0), code: await process.exit };
    });
    expect(times.gap).toBeGreaterThan(150);
    expect(times.code).toBe(0);
  });

  it("is heard even if it never returns to its event loop", async () => {
    const output = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const process = await wc.spawn("node", ["-e", "console.log('one'); console.log('two'); for (;;);"]);
      const reader = process.output.getReader();
      let text = "";
      while (!text.includes("two")) text += (await reader.read()).value ?? "";
      process.kill();
      return [text, await process.exit];
    });
    expect(output).toEqual(["one\ntwo\n", 143]);
  });

  it("has TypeScript's compiler for decorators and namespaces, with places as written", async () => {
    await write({
      "typed/tsconfig.json": `{ "compilerOptions": { "experimentalDecorators": true } }`,
      "typed/main.ts": `namespace N { export const one: number = 1 }\n\nconst twice = (_: object, key: string, d: PropertyDescriptor) => { const f = d.value; d.value = function () { return f.call(this) * 2 }; void key };\nclass A { @twice m(): number { return N.one + 20 } }\nconsole.log(new A().m(), typeof process.version);\nconsole.log((new Error("here").stack as string).split("\\n")[1]);\nexport {};\n`,
    });
    expect(await run("node", ["main.ts"], { cwd: "typed" })).toEqual({ code: 0, output: "42 string\n    at file:///home/project/typed/main.ts:6:14\n" });
  });

  it("reads its input until it ends", async () => {
    await write({ "echo.js": "let all = ''; process.stdin.on('data', (d) => (all += d)).on('end', () => console.log(all.toUpperCase()))" });
    expect(await run("node", ["echo.js"], { input: ["héllo ", "world", "\u0004"] })).toEqual({ code: 0, output: "HÉLLO WORLD\n" });
    expect(await run("sh", ["-c", "node echo.js && echo done"], { input: ["x", "\u0004"] })).toEqual({ code: 0, output: "X\ndone\n" });
  });

  it("keeps characters whole and every byte of a megabyte in order", async () => {
    await write({ "big.js": "for (let i = 0; i < 20000; i++) process.stdout.write(`${i} é€😀\\n`)" });
    const { code, output } = await run("node", ["big.js"]);
    expect(code).toBe(0);
    expect(output).toBe(Array.from({ length: 20_000 }, (_, i) => `${i} é€😀\n`).join(""));
  });

  it("can be silenced, and its command can be missing", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, failure } = globalThis as ContainerWindow;
      const quiet = await wc.spawn("node", ["-e", "console.log(1); process.exit(5)"], { output: false });
      return [await quiet.exit, await failure(wc.spawn("no-such-command"))];
    });
    expect(seen).toEqual([5, expect.stringContaining("ENOENT")]);
  });

  it("is stopped when it floods, and the page stays awake meanwhile", async () => {
    const seen = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const process = await wc.spawn("node", ["-e", "const line = 'x'.repeat(10000); for (;;) console.log(line);"]);
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 20);
      let tail = "";
      await process.output.pipeTo(new WritableStream({ write: (text) => void (tail = (tail + text).slice(-200)) }));
      clearInterval(timer);
      return { code: await process.exit, tail, longest };
    });
    expect(seen.code).toBe(137);
    expect(seen.tail).toContain("The container stopped this process");
    expect(seen.longest).toBeLessThan(1500);
  });

  it("keeps the page awake while it prints each of ten thousand changes that it watches", async () => {
    await write({
      "changes.js": "const fs = require('fs'); for (let i = 0; i < 5000; i++) { fs.writeFileSync('changing/a', 'x'); fs.rmSync('changing/a'); }",
      "watch.js": "const fs = require('fs'); fs.mkdirSync('changing'); const watcher = fs.watch('changing', { recursive: true }, (event, name) => console.log(name, event)); require('child_process').spawn('node', ['changes.js'], { stdio: 'inherit' }).on('exit', (code) => { watcher.close(); process.exitCode = code; });",
    });
    const seen = await page.evaluate(async () => {
      const process = await (globalThis as ContainerWindow).wc.spawn("node", ["watch.js"]);
      let lines = 0;
      let longest = 0;
      let last = performance.now();
      const timer = setInterval(() => {
        longest = Math.max(longest, performance.now() - last);
        last = performance.now();
      }, 20);
      await process.output.pipeTo(new WritableStream({ write: (text) => void (lines += text.split("\n").length - 1) }));
      clearInterval(timer);
      return { code: await process.exit, lines, longest };
    });
    expect(seen.code).toBe(0);
    expect(seen.lines).toBeGreaterThan(4000); // those of the end are lost in Node too
    expect(seen.longest).toBeLessThan(1500);
  }, 20_000);

  it("shares files with the page and with other processes, both ways, while it runs", async () => {
    await write({ "wait.js": "const fs = require('fs'); console.log('ready'); const t = setInterval(() => { if (fs.existsSync('go.txt')) { clearInterval(t); fs.writeFileSync('gone.txt', fs.readFileSync('go.txt', 'utf8') + '!'); } }, 10)" });
    const seen = await page.evaluate(async () => {
      const { wc, run } = globalThis as ContainerWindow;
      const process = await wc.spawn("node", ["wait.js"]);
      await process.output.getReader().read();
      await run("node", ["-e", "require('fs').writeFileSync('go.txt', 'from another')"]);
      return [await process.exit, await wc.fs.readFile("gone.txt", "utf8")];
    });
    expect(seen).toEqual([0, "from another!"]);
  });

  it("cannot be had more often than the limit, and the container says so", async () => {
    const { output } = await run("node", ["-e", "const { spawn } = require('child_process'); let errors = 0; for (let i = 0; i < 72; i++) spawn('node', ['-e', 'setTimeout(() => {}, 3000)']).on('error', (e) => { if (++errors === 1) console.log(e.code); if (errors === 9) process.exit(0); })"]);
    expect(output).toContain("EAGAIN");
  });
});

describe("servers and clients", () => {
  const SERVER = "const http = require('http'); http.createServer((req, res) => { let n = 0; req.on('data', (d) => (n += d.length)).on('end', () => { res.end(JSON.stringify([req.method, req.url, n])); if (req.url === '/stop') process.exit(); }); }).listen(3123, () => console.log('up'))";

  it("in different processes talk over http, net and fetch, and the page hears of the port", async () => {
    await write({
      "server.js": SERVER,
      "client.mjs": "import net from 'node:net'; const r = await fetch('http://127.0.0.1:3123/a', { method: 'POST', body: 'x'.repeat(3e6) }); console.log(r.status, await r.text());\n" +
        "await new Promise((done) => net.connect(3123, function () { this.end('GET /b HTTP/1.0\\r\\n\\r\\n'); }).on('data', (d) => console.log(String(d).split('\\r\\n').at(-1))).on('close', done));\n" +
        "console.log(await fetch('http://localhost:3999/').catch((e) => e.cause.code), await fetch('http://example.com/').catch((e) => e.cause.code));\n" +
        "await fetch('http://[::1]:3123/stop').then((r) => r.text()).then(console.log);",
    });
    const seen = await page.evaluate(async () => {
      const { wc, run } = globalThis as ContainerWindow;
      const events: unknown[] = [];
      const offPort = wc.on("port", (port, type, url) => void events.push([port, type, url]));
      const ready = new Promise((resolve) => wc.on("server-ready", (port, url) => resolve([port, url])));
      const server = await wc.spawn("node", ["server.js"]);
      const first = await ready;
      const client = await run("node", ["client.mjs"]);
      const code = await server.exit;
      offPort();
      return { events, first, client, code };
    });
    expect(seen.client).toEqual({ code: 0, output: '200 ["POST","/a",3000000]\n["GET","/b",0]\nECONNREFUSED ENOTFOUND\n["GET","/stop",0]\n' });
    const url = `${site.origin}/headless/preview.html#3123`;
    expect(seen).toMatchObject({ code: 0, first: [3123, url], events: [[3123, "open", url], [3123, "close", url]] });
  });

  it("are asked by curl, while a script has them in the background and as a command of its own", async () => {
    await write({ "server.js": SERVER, "big.txt": "x".repeat(1_000_000) });
    const script = "node server.js & curl -s --retry 9 --retry-delay 1 --retry-connrefused localhost:3123/a; echo; curl -s -d @big.txt localhost:3123/b; echo; curl -s localhost:3123/stop; wait";
    expect(await sh(script)).toEqual({ code: 0, output: 'up\n["GET","/a",0]\n["POST","/b",1000000]\n["GET","/stop",0]' });
    const alone = await run("curl", ["-s", "-w", "%{http_code}", "http://localhost:3123/"]);
    expect(alone).toEqual({ code: 7, output: "000" });
  });

  it("waits for an engine's stream that it iterates, and applies functions to lists as long as Node takes", async () => {
    const seen = await page.evaluate(async () => {
      const { run } = globalThis as ContainerWindow;
      return [
        await run("node", ["-e", "(async () => { let n = 0; for await (const part of new Blob([new Uint8Array(4e6)]).stream()) n += part.length; console.log(n) })()"]),
        await run("node", ["-p", "const list = Array.from({ length: 65536 }, (_, i) => i); const a = []; [String.fromCharCode.apply(String, list).length, Math.max.apply(null, list), Math.min.apply(Math, list), a.push.apply(a, list), a[65535]].join()"]),
      ];
    });
    expect(seen).toEqual([{ code: 0, output: "4000000\n" }, { code: 0, output: "65536,65535,0,65536,65535\n" }]);
  });

  it("cannot have one port twice, and a server that dies hangs up on its clients", async () => {
    await write({
      "server.js": SERVER,
      "second.js": "require('http').createServer().listen(3123).on('error', (e) => console.log(e.code, e.message)).on('listening', () => console.log('?'))",
      "hung.js": "const q = require('http').get('http://localhost:3124'); q.on('error', (e) => console.log(e.code, e.message)); setTimeout(() => console.log('late'), 5000).unref()",
    });
    const seen = await page.evaluate(async () => {
      const { wc, run } = globalThis as ContainerWindow;
      const server = await wc.spawn("node", ["server.js"]);
      await server.output.getReader().read();
      const second = await run("node", ["second.js"]);
      server.kill();
      const mute = await wc.spawn("node", ["-e", "require('net').createServer(() => setTimeout(() => process.exit(), 50)).listen(3124, () => console.log('up'))"]);
      await mute.output.getReader().read();
      return [second, await run("node", ["hung.js"])];
    });
    expect(seen).toEqual([
      { code: 0, output: "EADDRINUSE listen EADDRINUSE: address already in use :::3123\n" },
      { code: 0, output: "ECONNRESET socket hang up\n" },
    ]);
  });
});

describe("the shell", () => {
  it.each([
    ["echo one two | tr a-z A-Z", 0, "ONE TWO\n"],
    ["printf 'b\\na\\n' > s.txt && sort < s.txt && rm s.txt", 0, "a\nb\n"],
    ["node -e 'process.exit(3)' || echo failed", 0, "failed\n"],
    ["false && echo no; echo yes", 0, "yes\n"],
    ["x=$(node -p 6*7); echo \"got $x\"", 0, "got 42\n"],
    ["node -e 'console.error(1); console.log(2)' 2>/dev/null", 0, "2\n"],
    ["node -e 'console.log(\"a\\nb\\nc\"); process.exit(4)' | tail -1", 0, "c\n"],
    ["echo é | node -e \"process.stdin.on('data', (d) => console.log(d.length))\"", 0, "3\n"],
    ["cd / && pwd", 0, "/\n"],
    ["mkdir -p g && touch g/1.js g/2.js && echo g/*.js", 0, "g/1.js g/2.js\n"],
    ["if [ -f nowhere ]; then echo a; else echo b; fi", 0, "b\n"],
    ["FOO=bar node -p process.env.FOO", 0, "bar\n"],
    ["exit 9", 9, ""],
    ["node -e 'process.exit(6)'", 6, ""],
    ["cat nowhere.txt", 1, "cat: nowhere.txt: No such file or directory\n"],
  ])("runs %s", async (script, code, output) => {
    expect(await sh(script)).toEqual({ code, output });
  });

  it("runs a script file, with its arguments", async () => {
    await write({ "hello.sh": "#!/bin/sh\necho \"hello $1\"\nnode -p 1+1 | cat\nexit 2\n" });
    expect(await run("sh", ["hello.sh", "you"])).toEqual({ code: 2, output: "hello you\n2\n" });
    expect(await sh("sh hello.sh me || echo $?")).toEqual({ code: 0, output: "hello me\n2\n2\n" });
  });

  it("streams the commands of a list one after the other", async () => {
    const gap = await page.evaluate(async () => {
      const { wc } = globalThis as ContainerWindow;
      const process = await wc.spawn("sh", ["-c", "node -p 1 && node -e 'setTimeout(() => {}, 300)' && echo end"]);
      const at: number[] = [];
      await process.output.pipeTo(new WritableStream({ write: () => void at.push(performance.now()) }));
      return (at.at(-1) ?? 0) - (at[0] ?? 0);
    });
    expect(gap).toBeGreaterThan(200);
  });

  it("dies with all it started", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, pause } = globalThis as ContainerWindow;
      const process = await wc.spawn("sh", ["-c", "node -e \"setInterval(() => require('fs').writeFileSync('beat.txt', String(Date.now())), 20)\" | cat"]);
      await pause(600);
      const started = performance.now();
      process.kill();
      const code = await process.exit;
      const ms = performance.now() - started;
      await pause(50);
      const first = await wc.fs.readFile("beat.txt", "utf8");
      await pause(150);
      return { code, ms, stopped: first === (await wc.fs.readFile("beat.txt", "utf8")) };
    });
    expect(seen).toMatchObject({ code: 143, stopped: true });
    expect(seen.ms).toBeLessThan(1000);
  });
});

describe("a shell at a terminal", () => {
  it("prompts, echoes, passes input on, stops what runs with Ctrl+C, and tells programs of a new size", async () => {
    const seen = await page.evaluate(async () => {
      const { wc, pause } = globalThis as ContainerWindow;
      const shell = await wc.spawn("jsh", [], { terminal: { cols: 80, rows: 24 }, env: { PS1: "% " } });
      const keys = shell.input.getWriter();
      const reader = shell.output.getReader();
      let all = "";
      const until = async (pattern: RegExp): Promise<void> => {
        while (!pattern.test(all)) {
          const next = await Promise.race([reader.read(), pause(30_000)]);
          if (!next?.value) throw new Error(`No ${pattern} in what it printed: ${JSON.stringify(all)}`);
          all += next.value;
        }
        all = "";
      };
      await until(/% /);
      await keys.write("node -e \"process.stdout.on('resize', () => console.log('now ' + process.stdout.columns)); process.stdin.on('data', (d) => console.log('got', String(d).trim())); console.log('rea' + 'dy')\"\r");
      await until(/ready\n/);
      await keys.write("typed\r");
      await until(/typed\ngot typed\n/);
      shell.resize({ cols: 100, rows: 30 });
      await until(/now 100/);
      await keys.write("\u0003");
      await until(/% /);
      await keys.write("while :; do echo again; done\r");
      await until(/again\nagain/);
      await keys.write("\u0003");
      await until(/\^C\n[^]*% /);
      await keys.write("cd / && exit 5\r");
      return shell.exit;
    });
    expect(seen).toBe(5);
  });
});

describe("npm", () => {
  const manifest = (scripts: Record<string, string>): string => JSON.stringify({ name: "demo", version: "1.0.0", scripts });

  it("runs scripts with its banner and passes their exit code on", async () => {
    await write({ "n/package.json": manifest({ test: "node t.js", both: "echo a && node t.js x", pretest: "echo before" }), "n/t.js": "console.log('args', process.argv[2] ?? '', process.env.npm_lifecycle_event); process.exitCode = 4" });
    expect(await run("npm", ["test"], { cwd: "n" })).toEqual({
      code: 4,
      output: "\n> demo@1.0.0 pretest\n> echo before\n\nbefore\n\n> demo@1.0.0 test\n> node t.js\n\nargs  test\n",
    });
    expect(await run("npm", ["run", "both"], { cwd: "n" })).toEqual({ code: 4, output: "\n> demo@1.0.0 both\n> echo a && node t.js x\n\na\nargs x both\n" });
    expect((await run("npm", ["run", "nope"], { cwd: "n" })).code).toBe(1);
    expect((await sh("cd n && npm test -- --more | tail -1")).output).toBe("args --more test\n");
  });

  it("finds binaries of node_modules by npx and in scripts", async () => {
    await write({ "m/package.json": manifest({ tool: "tool hi" }), "m/node_modules/tool/cli.js": "#!/usr/bin/env node\nconsole.log('tool', ...process.argv.slice(2))\n" });
    await page.evaluate(() => (globalThis as ContainerWindow).wc.mount({ m: { directory: { node_modules: { directory: { ".bin": { directory: { tool: { file: { symlink: "../tool/cli.js" } } } } } } } } }));
    expect(await run("npx", ["tool", "a"], { cwd: "m" })).toEqual({ code: 0, output: "tool a\n" });
    expect((await run("npm", ["run", "-s", "tool"], { cwd: "m" })).output).toBe("tool hi\n");
    expect((await sh("cd m && npm run -s tool -- 'a b' | cat")).output).toBe("tool hi a b\n");
    expect((await sh("cd m && npx tool $(echo x)")).output).toBe("tool x\n");
    await write({ "m/tool.js": "#!/usr/bin/env node\nconsole.log('by path', ...process.argv.slice(2))\n", "m/all.sh": "./tool.js a | cat; tool *.sh | tr a-z A-Z\n" });
    expect(await run("sh", ["all.sh"], { cwd: "m" })).toEqual({ code: 0, output: "by path a\nTOOL ALL.SH\n" });
  });
});

describe("a Node program", () => {
  it("is ES modules with top-level await, also in what it imports", async () => {
    await write({
      "esm/package.json": '{"type":"module"}',
      "esm/main.js": "import slow, { count, up } from './slow.js';\nimport { readFileSync } from 'node:fs';\nup();\nconst lazy = await import('./cjs.cjs');\nconsole.log(slow, count, lazy.default.x, readFileSync(new URL('./package.json', import.meta.url), 'utf8').length > 0);\nexport {};\n",
      "esm/slow.js": "export let count = 0;\nexport const up = () => count++;\nexport default await new Promise((r) => setTimeout(r, 20, 'late'));\n",
      "esm/cjs.cjs": "exports.x = typeof require + typeof module;\n",
    });
    expect(await run("node", ["main.js"], { cwd: "esm" })).toEqual({ code: 0, output: "late 1 functionobject true\n" });
  });

  it("is CommonJS with cycles, JSON and packages", async () => {
    await write({
      "cjs/main.js": "const a = require('./a'); const { version } = require('./package.json'); const p = require('pkg'); console.log(a.done, version, p, __filename)",
      "cjs/a.js": "exports.done = false; const b = require('./b'); exports.done = b.sawA === false;",
      "cjs/b.js": "exports.sawA = require('./a').done;",
      "cjs/package.json": '{"version":"3.2.1"}',
      "cjs/node_modules/pkg/package.json": '{"exports":{"require":"./r.cjs","import":"./i.mjs"}}',
      "cjs/node_modules/pkg/r.cjs": "module.exports = 'required'",
      "cjs/node_modules/pkg/i.mjs": "export default 'imported'",
    });
    expect(await run("node", ["main.js"], { cwd: "cjs" })).toEqual({ code: 0, output: "true 3.2.1 required /home/project/cjs/main.js\n" });
  });

  it("may be TypeScript", async () => {
    await write({ "ts/main.ts": "import { type Point, add } from './point.ts';\nconst p: Point = add({ x: 1 }, { x: 2 } as Point);\nconsole.log(p.x satisfies number);\n", "ts/point.ts": "export interface Point { x: number }\nexport function add(a: Point, b: Point): Point { return { x: a.x + b.x }; }\n" });
    expect(await run("node", ["ts/main.ts"])).toEqual({ code: 0, output: "3\n" });
  });

  it("starts children of its own", async () => {
    await write({ "kids.js": "const { exec } = require('child_process'); exec('echo $((1+2)) | cat', (e, out) => { console.log(e, out.trim()); exec('exit 3', (e2) => console.log(e2.code)); })" });
    expect(await run("node", ["kids.js"])).toEqual({ code: 0, output: "null 3\n3\n" });
  });
});
