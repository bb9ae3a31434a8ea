// Answers the container when it wants to fetch packages: hosts that were allowed for good or for this project at once, any
// other by asking the person. What was allowed is kept beside the settings.
import { rethrowIfFatal } from "../../base/errors.ts";
import { answerAsks } from "../../headless/registry/consent.ts";
import { openShelf } from "../../storage/shelf.ts";

/** Of the settings shelf. */
const CONSENTS = "registry-consents";

/** How far a yes goes. `once`: until the container starts anew. */
export type Scope = "once" | "project" | "always";

interface Consents {
  /** Origins. */
  readonly always: readonly string[];
  /** By project. */
  readonly projects: Readonly<Record<string, readonly string[]>>;
}

/** `project`: the id of the one that is open now. */
export function answerRegistryAsks(project: () => string): void {
  answerAsks(async ({ origin, what }, withdrawn) => {
    const id = project();
    if (isAllowed(await kept(), origin, id)) return { allowed: true };
    // With its words: neither is needed before something is asked.
    const { askConsent, refusal } = await import("./consent-dialog.ts");
    const scope = await askConsent(origin, what, withdrawn);
    if (scope === undefined) return { allowed: false, why: refusal(origin) };
    if (scope !== "once") await keep(origin, scope === "project" ? id : undefined);
    return { allowed: true };
  });
}

function isAllowed({ always, projects }: Consents, origin: string, project: string): boolean {
  return always.includes(origin) || (projects[project] ?? []).includes(origin);
}

async function kept(): Promise<Consents> {
  try {
    const value = (await (await openShelf<Partial<Consents>>("settings")).get(CONSENTS)) ?? {};
    return { always: value.always ?? [], projects: value.projects ?? {} };
  } catch (error) {
    rethrowIfFatal(error);
    return { always: [], projects: {} };
  }
}

async function keep(origin: string, project: string | undefined): Promise<void> {
  const { always, projects } = await kept();
  const next: Consents =
    project === undefined ? { always: [...new Set([...always, origin])], projects } : { always, projects: { ...projects, [project]: [...new Set([...(projects[project] ?? []), origin])] } };
  try {
    await (await openShelf<Consents>("settings")).put(CONSENTS, next);
  } catch (error) {
    rethrowIfFatal(error); // it is asked again next time
  }
}

/** Takes back every consent, for all projects. */
export async function forgetConsents(): Promise<void> {
  await (await openShelf<Consents>("settings")).delete(CONSENTS);
}

/** Origins that are allowed for good or for this project. */
export async function allowedRegistries(project: string): Promise<readonly string[]> {
  const { always, projects } = await kept();
  return [...new Set([...always, ...(projects[project] ?? [])])];
}
