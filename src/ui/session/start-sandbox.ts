// The local container with a project's files in it, started again when it has crashed; its client is loaded with the first call.
import type { AppError } from "../../base/errors.ts";
import type { Sandbox } from "../../container/sandbox.ts";

/** What the session does for its container. */
export interface SandboxOwner {
  /** Puts the project into a container that has just been started: the first, and each after a crash. */
  fill(sandbox: Sandbox): Promise<void>;
  /** It has crashed and is being started again. */
  lost(): void;
  back(): void;
  /** It is not started again by itself. */
  gaveUp(error: AppError): void;
}

/** `reachable` resolves when the container's host can be loaded. Throws `container/unavailable`. */
export async function startSandbox(owner: SandboxOwner, reachable?: () => Promise<void>): Promise<Sandbox> {
  const [{ bootContainer }, { SteadyContainer }, { containerSandbox }] = await Promise.all([
    import("../../container/client.ts"), import("../../container/steady-container.ts"), import("../../container/container-sandbox.ts"),
  ]);
  await reachable?.();
  return containerSandbox(await SteadyContainer.start({ ...owner, boot: () => bootContainer(), fill: (container) => owner.fill(containerSandbox(container)) }));
}
