// What making tasks asks of the page: several projects side by side in one container, each with files of its own.
import { bootContainer } from "../../container/client.ts";
import { containerSandbox } from "../../container/container-sandbox.ts";
import type { RunResult, Sandbox } from "../../container/sandbox.ts";
import type { FileTree } from "../../project/tree.ts";
import { type PackedFiles, unpack } from "./lab-solve.ts";

export interface TasksLab {
  /** Boots the container; `packagesUrl` is where this site serves a snapshot of the project's packages. */
  open(slots: number, packagesUrl: string | undefined): Promise<void>;
  /** Runs a command on the files that the slot had, with these changed and those removed. */
  run(slot: number, changed: PackedFiles, removed: readonly string[], command: string, timeoutMs: number): Promise<RunResult>;
}

interface Slot {
  readonly sandbox: Sandbox;
  files: FileTree;
}

let slots: Slot[] = [];

export const tasksLab: TasksLab = {
  async open(count, packagesUrl) {
    const container = await bootContainer();
    if (packagesUrl !== undefined) await container.mount(new Uint8Array(await (await fetch(packagesUrl)).arrayBuffer()));
    const project = containerSandbox(container);
    slots = await Promise.all(Array.from({ length: count }, async (_, i) => ({ sandbox: await project.beside!(String(i)), files: new Map() })));
  },
  async run(number, changed, removed, command, timeoutMs) {
    const slot = slots[number]!;
    slot.files = new Map([...[...slot.files].filter(([path]) => !removed.includes(path)), ...unpack(changed)]);
    await slot.sandbox.restore(slot.files);
    return slot.sandbox.run(command, { timeoutMs });
  },
};
