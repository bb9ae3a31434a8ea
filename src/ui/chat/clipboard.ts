// Copying, for every button that does it. A browser may refuse: the site around a frame forbids it, the window has no focus.
import { t } from "../strings/more.ts";

/** Whether the text is on the clipboard now, and what to say of it. Never throws. */
export async function copyText(text: string): Promise<{ readonly copied: boolean; readonly said: string }> {
  const words = t().chatParts.clipboard;
  try {
    await navigator.clipboard.writeText(text);
    return { copied: true, said: words.copied };
  } catch {
    return { copied: false, said: words.refused }; // where there is no clipboard at all, too
  }
}
