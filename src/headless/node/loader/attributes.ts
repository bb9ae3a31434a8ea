// Import attributes: which a module may or must be imported with, and Node 20's errors for the others.
import { nodeError } from "../errors.ts";

type Attributes = Readonly<Record<string, string>> | undefined;

/** Throws for what is no attribute at all. */
export function checkAttributeNames(attributes: Attributes): void {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key !== "type") throw nodeError(TypeError, "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED", `Import attribute "${key}" with value "${value}" is not supported`);
  }
}

/** As Node's table of imports has it: what the first import of a module with that type was told is the answer to later ones. */
export class AttributeChecks {
  readonly #answers = new Map<string, { readonly error: unknown } | undefined>();

  check(url: string, format: string, attributes: Attributes): void {
    const key = `${attributes?.["type"] ?? ""} ${url}`;
    if (!this.#answers.has(key)) this.#answers.set(key, answer(() => checkAttributes(url, format, attributes)));
    const refused = this.#answers.get(key);
    if (refused) throw refused.error;
  }
}

function answer(check: () => void): { readonly error: unknown } | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** Throws unless `with { … }` suits what is imported. */
export function checkAttributes(url: string, format: string, attributes: Attributes): void {
  checkAttributeNames(attributes);
  const type = attributes?.["type"];
  if (format === "json") {
    if (type === "json") return;
    if (type === undefined) throw nodeError(TypeError, "ERR_IMPORT_ASSERTION_TYPE_MISSING", `Module "${url}" needs an import attribute of type "json"`);
  }
  if (type === undefined) return;
  if (type !== "json") throw nodeError(TypeError, "ERR_IMPORT_ASSERTION_TYPE_UNSUPPORTED", `Import attribute type "${type}" is unsupported`);
  throw nodeError(TypeError, "ERR_IMPORT_ASSERTION_TYPE_FAILED", `Module "${url}" is not of type "${type}"`);
}
