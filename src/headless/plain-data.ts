// The parts that every check of a hostile message is made of: each returns the value in its proper type, or throws
// Malformed. What the checks build from them is new, field by field, so nothing that was not asked for travels on.

/** The value is not what the protocol says. */
export class Malformed extends Error {}

export type Fields = Readonly<Record<string, unknown>>;

export function fields(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw new Malformed();
  return value as Fields;
}

export function text(value: unknown, max: number): string {
  if (typeof value !== "string" || value.length > max) throw new Malformed();
  return value;
}

export function integer(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new Malformed();
  return value;
}

export function finite(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw new Malformed();
  return value;
}

/**
 * Bytes alone in a buffer of their own. Shared memory could change after the check; a view of one byte could keep a
 * gigabyte alive that no limit counts; a buffer that can grow would do so later.
 */
export function bytes(value: unknown): Uint8Array<ArrayBuffer> {
  if (!(value instanceof Uint8Array)) throw new Malformed();
  const { buffer } = value;
  const isAlone = buffer instanceof ArrayBuffer && buffer.byteLength === value.byteLength && (buffer as { resizable?: boolean }).resizable !== true;
  return isAlone ? (value as Uint8Array<ArrayBuffer>) : new Uint8Array(value);
}
