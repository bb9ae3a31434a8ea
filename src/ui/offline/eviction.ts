// When a disk is full, a browser may delete all of a site's databases and caches at once, and says nothing. Local storage is
// not part of that in Chromium (its quota system clears databases, caches, workers and file systems), so a mark there
// outlives it and says what there was. It promises nothing: where it is gone too, the page opens like the first time.
import { AppError } from "../../base/errors.ts";
import { onStorageLost } from "../../storage/shelf.ts";

const MARK = "tabwright:kept";

/** Notes that a project is stored from now on. */
export function noteKept(project: string): void {
  try {
    localStorage.setItem(MARK, project);
  } catch {
    return; // site data is blocked: then nothing is stored that could be lost
  }
}

/** What the browser has deleted since the last visit; undefined when nothing is missing. `found`: a project is stored. */
export function lostSinceLastVisit(found: boolean): AppError | undefined {
  try {
    const project = localStorage.getItem(MARK);
    if (project === null || found) return undefined;
    localStorage.removeItem(MARK); // said once
    return new AppError("storage/evicted", `The browser has deleted what this page had stored here: the project “${project}” and others, chats and models. Open the project again from your folder, zip or repository.`, { data: { project } });
  } catch {
    return undefined; // site data is blocked
  }
}

/** Data that is deleted under an open page: what is open is in memory, so it is stored again, and the user is told. */
export function surviveEviction(saveAgain: () => Promise<void>, report: (error: AppError) => void): void {
  onStorageLost(() => {
    void saveAgain();
    report(new AppError("storage/evicted", "The browser has deleted what this page had stored here. The project and the chat that are open were in memory and have been stored again; other projects, chats and models are gone. Export what matters."));
  });
}
