// Parts of the page that are loaded when they are first shown, and could not be: nobody waits for them, so nobody else says so.
import { AppError } from "../../base/errors.ts";

/** How Chromium, Firefox and WebKit say that an `import()` could not be fetched. */
const NOT_FETCHED = /dynamically imported module|importing a module script failed/i;

/** Reports each part that could not be fetched, once: it is asked for again each time its place is drawn. */
export function reportMissingParts(report: (error: AppError) => void): void {
  const told = new Set<string>();
  addEventListener("unhandledrejection", ({ reason }) => {
    if (!(reason instanceof Error) || !NOT_FETCHED.test(reason.message) || told.has(reason.message)) return;
    told.add(reason.message);
    report(new AppError("download/failed", "A part of the page could not be fetched.", { cause: reason }));
  });
}
