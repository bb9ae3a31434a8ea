// Whether what is written to a stream may have colours.
import type { Runtime, StreamLike } from "../runtime.ts";

export function colorizes(runtime: Runtime, stream: StreamLike): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none } = runtime.process.env;
  if (force !== undefined) return ["", "1", "true", "2", "3"].includes(force);
  const depth = (stream as unknown as { getColorDepth?: () => number }).getColorDepth;
  return stream.isTTY === true && (depth === undefined ? none === undefined : depth.call(stream) > 2);
}
