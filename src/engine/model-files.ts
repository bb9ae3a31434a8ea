// Models given as files of the user's disk: one, or all parts of a split one.
import type { ModelFiles } from "./api.ts";

export function filesOfModel(model: ModelFiles): readonly File[] {
  return model instanceof File ? [model] : model;
}

/** What the catalogue calls a model: an id, or its file's name without the number of a part. */
export function modelIdOf(model: string | ModelFiles): string {
  if (typeof model === "string") return model;
  const files = filesOfModel(model);
  const name = files[0]?.name ?? "";
  return files.length > 1 ? name.replace(/-\d{5}-of-\d{5}(?=\.gguf$)/i, "") : name;
}
