// Model files of the user's own, picked from the disk to be stored.

/** Asks for one, or for all parts of a split one; empty if the user changed their mind. */
export function pickModelFiles(): Promise<readonly File[]> {
  const input = document.createElement("input");
  input.type = "file";
  input.accept = ".gguf";
  input.multiple = true;
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve([...(input.files ?? [])]));
    input.addEventListener("cancel", () => resolve([]));
    input.click();
  });
}
