// Weights in the user's own file, read where they are: nothing is copied, and nothing is known of them beforehand, so that
// there are no hashes to hold them to. That the file is still the same one is checked when it is opened.
import { AppError } from "../base/errors.ts";
import { type PieceSource, readFromFile } from "./file-piece.ts";
import type { Groups } from "./pieces.ts";
import type { WeightStore } from "./weight-store.ts";

export function fileWeights(source: PieceSource, groups: Groups): WeightStore {
  return {
    kind: "file",
    write: () => Promise.reject(new AppError("bug", `${source.name} is the user's own file: nothing is written into it.`)),
    async readPiece(group, index, target, signal) {
      const bytes = await readFromFile(source, group, index, signal);
      target.set(bytes);
      return bytes.byteLength;
    },
    async readRecord(layer, expert, target, signal) {
      const parts = groups.experts[layer] ?? [];
      const found = await Promise.all(
        parts.map(async (group) => {
          const bytes = await readFromFile(source, group, expert, signal);
          target.set(bytes, group.matrix.offset);
          return bytes.byteLength;
        }),
      );
      return found.reduce((sum, bytes) => sum + bytes, 0);
    },
    close: async () => undefined,
  };
}
