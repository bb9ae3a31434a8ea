// The local container with a project's files in it; its client is loaded with the first call.
import type { Sandbox } from "../../container/sandbox.ts";
import type { FileTree } from "../../project/tree.ts";

/** `reachable` resolves when the container's host can be loaded. Throws `container/unavailable`. */
export async function startSandbox(files: FileTree, reachable?: () => Promise<void>): Promise<Sandbox> {
  const [{ bootContainer }, { containerSandbox }] = await Promise.all([import("../../container/client.ts"), import("../../container/container-sandbox.ts")]);
  await reachable?.();
  const sandbox = containerSandbox(await bootContainer());
  await sandbox.restore(files);
  return sandbox;
}
