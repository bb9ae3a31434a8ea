// How files come in from the disk and go out to it, for browsers with and without the File System Access API.

/** A chosen folder: a directory handle where the browser has them, else the list of its files. */
export type PickedFolder = FileSystemDirectoryHandle | readonly File[];

interface DirectoryPicker {
  showDirectoryPicker?: (options: { mode: "read" }) => Promise<FileSystemDirectoryHandle>;
}

/** Asks for a folder; undefined if the user changed their mind. */
export async function pickFolder(): Promise<PickedFolder | undefined> {
  const picker = (globalThis as DirectoryPicker).showDirectoryPicker;
  if (picker) {
    try {
      return await picker.call(globalThis, { mode: "read" });
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return undefined;
      throw error;
    }
  }
  const input = document.createElement("input");
  input.type = "file";
  input.webkitdirectory = true;
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve(undefined));
    input.click();
  });
}

/** Offers bytes as a download. */
export function downloadBytes(bytes: Uint8Array, name: string, type: string): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
