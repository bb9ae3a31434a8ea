// A folder as `showDirectoryPicker` would give it: a real directory handle, of the origin private file system, which has
// the same interface. Only the picker is replaced; its question to the user cannot be answered in a headless browser.
import type { BrowserContext, Page } from "playwright-core";

/** The picker gives the folder `name` from now on. */
export async function stubPicker(context: BrowserContext, name: string): Promise<void> {
  await context.addInitScript((folder) => {
    Object.assign(globalThis, { showDirectoryPicker: async () => (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true }) });
  }, name);
}

/** Writes, and with `undefined` removes, files as another program would. */
export async function changeFolder(page: Page, name: string, files: Readonly<Record<string, string | undefined>>): Promise<void> {
  await page.evaluate(
    async ([folder, entries]) => {
      const root = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder, { create: true });
      for (const [path, text] of entries) {
        const names = path.split("/");
        let parent = root;
        for (const part of names.slice(0, -1)) parent = await parent.getDirectoryHandle(part, { create: true });
        if (text === null) await parent.removeEntry(names.at(-1)!);
        else {
          const writable = await (await parent.getFileHandle(names.at(-1)!, { create: true })).createWritable();
          await writable.write(text);
          await writable.close();
        }
      }
    },
    [name, Object.entries(files).map(([path, text]) => [path, text ?? null] as const)] as const,
  );
}

/** Path → text of everything in the folder. */
export async function readOpfsFolder(page: Page, name: string): Promise<Record<string, string>> {
  return page.evaluate(async (folder) => {
    const found: Record<string, string> = {};
    const pending: [string, FileSystemDirectoryHandle][] = [["", await (await navigator.storage.getDirectory()).getDirectoryHandle(folder)]];
    for (let next = pending.pop(); next; next = pending.pop()) {
      for await (const [entry, handle] of next[1].entries()) {
        if (handle.kind === "directory") pending.push([`${next[0]}${entry}/`, handle as FileSystemDirectoryHandle]);
        else found[next[0] + entry] = await (await (handle as FileSystemFileHandle).getFile()).text();
      }
    }
    return found;
  }, name);
}
