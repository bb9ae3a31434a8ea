// npm run container: one command in the container, in a real browser through the real client.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { AppError } from "../base/errors.ts";
import { encodeTree } from "../container/snapshot.ts";
import type { CommandRequest, ContainerLab } from "../ui/lab/lab-container.ts";
import { required, runCommand, type Values } from "./args.ts";
import { buildIfNeeded } from "./build.ts";
import { readProject } from "./project-files.ts";
import { serveSite } from "./serve.ts";

const HELP = `
Usage: npm run container -- --project DIR [--host local|stackblitz] [--registry URL] [--allow-registry URL] -- CMD ARGS…

Runs one command on a copy of a folder, inside the container, in a headless browser.
Its output is streamed to stdout (stdout and stderr of the command together), its
input is this command's input when that is a pipe, and its exit code is the exit code.
The folder itself is never changed.

  --project DIR   the folder; .git is left out, node_modules is included
  --host HOST     local (default): the container of this project, no network
                  stackblitz: StackBlitz's WebContainer, needs the network
  --registry URL  the registry that npm asks, in place of https://registry.npmjs.org
  --allow-registry URL
                  npm may fetch packages from this host (no other is asked); may be
                  given more than once; https, or a server of this computer
  --help          this text

Exit code: the command's own; 127 if there is no such command; 2 for wrong
arguments; 1 if the container could not start.

Example: npm run container -- --project examples/demo -- npm test
`;

const SNAPSHOT_PATH = "/lab/project.snapshot";
const OUTPUT = "tabwrightOutput";
/** Ctrl+D: how the container is told that its input has ended. */
const END_OF_INPUT = "\u0004";
const LAB_MS = 30_000;

/** The page's globals, as the functions below see them once they run there. */
type LabWindow = typeof globalThis & { tabwrightLab?: { container?: ContainerLab } };
type OutputWindow = typeof globalThis & { [OUTPUT](text: string): void };

async function run(values: Values, positionals: readonly string[]): Promise<number> {
  const folder = required(values, "project");
  const host = values["host"] ?? "local";
  if (host !== "local" && host !== "stackblitz") throw new AppError("command/usage", `--host must be local or stackblitz, not "${String(host)}".`);
  const registry = values["registry"] === undefined ? undefined : registryUrl("registry", values["registry"]);
  const registries = [values["allow-registry"] ?? []].flat().map((url) => registryUrl("allow-registry", url).origin);
  const [command, ...args] = positionals;
  if (command === undefined) throw new AppError("command/usage", "No command was given. Put it after --, for example: -- npm test");
  const { files, links } = await readProject(folder);

  const scratch = await mkdtemp(join(tmpdir(), "tabwright-container-"));
  const snapshot = join(scratch, "project.snapshot");
  await writeFile(snapshot, encodeTree(files, links));
  await buildIfNeeded();
  const site = await serveSite({ port: 0, files: new Map([[SNAPSHOT_PATH, snapshot]]) });
  // Its driver takes longest to load: a wrong argument does not wait for it.
  const { launchBrowser } = await import("./browser.ts");
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.exposeFunction(OUTPUT, (text: string) => void process.stdout.write(text));
    await page.goto(`${site.origin}/?lab`);
    await page.waitForFunction(() => (globalThis as LabWindow).tabwrightLab?.container !== undefined, undefined, { timeout: LAB_MS });
    process.once("SIGINT", () => void page.evaluate(() => (globalThis as LabWindow).tabwrightLab?.container?.kill()));
    if (!process.stdin.isTTY) passInput(page);
    return await runInPage(page, { host, snapshotUrl: SNAPSHOT_PATH, command, args, registries, ...(registry ? { env: { npm_config_registry: registry.href } } : {}) });
  } finally {
    await browser.close();
    await site.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

function registryUrl(option: string, value: unknown): URL {
  const url = typeof value === "string" && URL.canParse(value) ? new URL(value) : undefined;
  const isLocal = url?.hostname === "localhost" || url?.hostname === "127.0.0.1";
  if (url && (url.protocol === "https:" || (url.protocol === "http:" && isLocal))) return url;
  throw new AppError("command/usage", `--${option} must be a registry's https address, not "${String(value)}".`);
}

async function runInPage(page: Page, request: CommandRequest): Promise<number> {
  const end = await page.evaluate(async (asked) => {
    const lab = (globalThis as LabWindow).tabwrightLab?.container;
    if (!lab) throw new Error("The page has no lab.");
    return lab.run(asked, (text) => (globalThis as OutputWindow).tabwrightOutput(text)).then(
      (code) => ({ code, message: "" }),
      (error: unknown) => ({ code: undefined, message: error instanceof Error ? error.message : String(error) }),
    );
  }, request);
  if (end.code !== undefined) return end.code;
  if (!/ENOENT/.test(end.message)) throw new AppError("container/unavailable", end.message);
  process.stderr.write(`${request.command}: command not found\n`);
  return 127;
}

/** Pipes our input into the command's, in order. */
function passInput(page: Page): void {
  const send = (text: string): Promise<unknown> => page.evaluate((data) => (globalThis as LabWindow).tabwrightLab?.container?.input(data), text).catch(() => undefined);
  let sent = Promise.resolve<unknown>(undefined);
  process.stdin.setEncoding("utf8");
  process.stdin.on("data", (text: string) => {
    sent = sent.then(() => send(text));
  });
  process.stdin.on("end", () => {
    sent = sent.then(() => send(END_OF_INPUT));
  });
}

await runCommand({ help: HELP, options: { project: { type: "string" }, host: { type: "string" }, registry: { type: "string" }, "allow-registry": { type: "string", multiple: true } }, run });
