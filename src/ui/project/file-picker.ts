// How files come in from the disk and go out to it, for browsers with and without the File System Access API.

/** A chosen folder: a directory handle where the browser has them, else the list of its files. */
export type PickedFolder = FileSystemDirectoryHandle | readonly File[];

interface DirectoryPicker {
  showDirectoryPicker?: (options: { mode: "read" | "readwrite" }) => Promise<FileSystemDirectoryHandle>;
}

/** Can this browser write to a folder that the user chooses? */
export function canWriteFolders(): boolean {
  return (globalThis as DirectoryPicker).showDirectoryPicker !== undefined;
}

/** Asks for a folder; undefined if the user changed their mind. Writing is asked for when it comes to that. */
export async function pickFolder(): Promise<PickedFolder | undefined> {
  if (canWriteFolders()) return pickDirectory("read");
  const input = document.createElement("input");
  input.type = "file";
  input.webkitdirectory = true;
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve(undefined));
    input.click();
  });
}

/** A directory handle; undefined if the user changed their mind. Only where `canWriteFolders`. */
export async function pickDirectory(mode: "read" | "readwrite"): Promise<FileSystemDirectoryHandle | undefined> {
  try {
    return await (globalThis as DirectoryPicker).showDirectoryPicker?.({ mode });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return undefined;
    throw error;
  }
}

interface AskableHandle {
  requestPermission?(options: { mode: "readwrite" }): Promise<PermissionState>;
}

/** Asks the user where it is not granted yet: call it from a click. After a reload the browser asks again. */
export async function mayWrite(handle: FileSystemDirectoryHandle): Promise<boolean> {
  return ((await (handle as AskableHandle).requestPermission?.({ mode: "readwrite" })) ?? "granted") === "granted";
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
