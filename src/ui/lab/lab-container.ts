// The container's part of the lab: the real client and a booted sandbox for the commands and tests that drive the page.
import { bootContainer, type ContainerHost, type WebContainer, type WebContainerProcess } from "../../container/client.ts";
import { containerSandbox } from "../../container/container-sandbox.ts";
import { answerAsks } from "../../headless/registry/consent.ts";
import { encodeTree } from "../../container/snapshot.ts";
import { manyFiles, STORMS, weather } from "./lab-bench-container.ts";

export interface CommandRequest {
  readonly host: ContainerHost;
  /** Where this site serves a binary snapshot of the project. */
  readonly snapshotUrl: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Origins of package registries that may be asked. */
  readonly registries?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** What `tabwrightLab.container` offers. Tests reach the client itself through `boot`. */
export interface ContainerLab {
  boot(host?: ContainerHost, timeoutMs?: number): Promise<WebContainer>;
  allowRegistries(origins: readonly string[]): void;
  sandbox: typeof containerSandbox;
  encodeTree: typeof encodeTree;
  /** Programs that do harm, by name, and what comes of one (lab-bench-container.ts). */
  storms: typeof STORMS;
  weather: typeof weather;
  manyFiles: typeof manyFiles;
  /** Boots, mounts and runs one command to its end; resolves with its exit code. */
  run(request: CommandRequest, onOutput: (text: string) => void): Promise<number>;
  /** Input for the command that runs; what comes before it runs waits. U+0004 alone ends the input. */
  input(text: string): void;
  kill(): void;
}

let running: WebContainerProcess | undefined;
let early: string[] = [];

function input(text: string): void {
  if (!running) {
    early.push(text);
    return;
  }
  const writer = running.input.getWriter();
  void writer.write(text);
  writer.releaseLock();
}

async function run({ host, snapshotUrl, command, args, registries = [], env }: CommandRequest, onOutput: (text: string) => void): Promise<number> {
  const response = await fetch(snapshotUrl);
  if (!response.ok) throw new Error(`The project could not be read: ${response.status}.`);
  const snapshot = new Uint8Array(await response.arrayBuffer());
  allowRegistries(registries);
  const container = await bootContainer(host);
  await container.mount(snapshot);
  running = await container.spawn(command, [...args], env ? { env: { ...env } } : {});
  for (const text of early.splice(0)) input(text);
  await running.output.pipeTo(new WritableStream({ write: onOutput }));
  return running.exit;
}

/** In place of the person who would be asked. */
function allowRegistries(origins: readonly string[]): void {
  answerAsks(({ origin }) => Promise.resolve(origins.includes(origin) ? { allowed: true } : { allowed: false, why: `Packages may not be fetched from ${origin}: pass --allow-registry ${origin}` }));
}

export const containerLab: ContainerLab = {
  boot: bootContainer,
  allowRegistries,
  sandbox: containerSandbox,
  encodeTree,
  storms: STORMS,
  weather,
  manyFiles,
  run,
  input,
  kill: () => running?.kill(),
};
