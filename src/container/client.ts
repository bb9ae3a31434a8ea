// The only file that imports @webcontainer/api: which host answers it, and a boot that cannot hang. The client trusts
// its host completely, so `stackblitz` is a choice the user sees (network, their terms); `local` is our own /headless.
import { WebContainer, type WebContainerProcess } from "@webcontainer/api";
import { afterAwake } from "../base/awake-timer.ts";
import { AppError } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";

export type { FileSystemTree, WebContainer, WebContainerProcess } from "@webcontainer/api";

/** What is used of a booted container; the client's own, or one that is started again when it has crashed (steady-container.ts). */
export type Container = Pick<WebContainer, "fs" | "export" | "mount" | "spawn" | "on"> & {
  crashed?(process: WebContainerProcess): Promise<boolean>;
  restart?(): Promise<void>;
};

export type ContainerHost = "local" | "stackblitz";

const ORIGINS: Readonly<Record<ContainerHost, () => string>> = {
  local: () => location.origin,
  stackblitz: () => "https://stackblitz.com",
};

/** The client reads its host once per page, at the first boot; another choice takes a reload. */
let chosen: ContainerHost | undefined;

/**
 * Boots the container (one at a time; `teardown()` it before the next). Throws `container/unavailable` when the host
 * does not answer in time: the client itself would wait for ever, and after that only a reload helps.
 */
export async function bootContainer(host: ContainerHost = "local", timeoutMs: number = LIMITS.containerBootMs): Promise<WebContainer> {
  if (chosen !== undefined && chosen !== host) {
    throw new AppError("container/unavailable", `This page already uses the ${chosen} container. Reload it to use ${host}.`, { data: { host } });
  }
  chosen = host;
  Object.assign(globalThis, { WEBCONTAINER_API_IFRAME_URL: ORIGINS[host]() });
  let stopWaiting: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    stopWaiting = afterAwake(timeoutMs, () => reject(unavailable(host, `did not answer within ${Math.round(timeoutMs / 1000)} s`)));
  });
  try {
    return await Promise.race([WebContainer.boot({ coep: "require-corp", workdirName: "project" }), late]);
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw unavailable(host, error instanceof Error ? error.message : String(error), error);
  } finally {
    stopWaiting();
  }
}

function unavailable(host: ContainerHost, reason: string, cause?: unknown): AppError {
  const next =
    host === "local"
      ? "Reload the page; if that does not help, check that /headless is served at the root of this site."
      : "Check the network connection, or reload the page and choose the local container.";
  return new AppError("container/unavailable", `The container could not start: ${reason}. ${next}`, { data: { host }, cause });
}

