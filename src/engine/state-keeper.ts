// Brings what a model holds of a chat into storage and back. Keys and values go by pieces of so many tokens: they are only
// appended, so that a longer chat writes only its new ones.
import { AppError, rethrowIfFatal } from "../base/errors.ts";
import { LIMITS } from "../base/limits.ts";
import type { Transformer } from "../model/transformer.ts";
import { type PartSource, StateStore } from "../storage/kept-states.ts";

/** Of the 80 B model 12.6 MB. */
const PIECE_TOKENS = 256;

type KeepingModel = Pick<Transformer, "position" | "begun" | "stateLayout" | "readCache" | "writeCache" | "readRecurrent" | "resume" | "contextTokens">;

const RECURRENT = "recurrent";
const pieceName = (piece: number): string => `cache/${piece}`;
const pieces = (tokens: number): readonly number[] => Array.from({ length: Math.ceil(tokens / PIECE_TOKENS) }, (_, piece) => piece);

export class StateKeeper {
  readonly #fingerprint: string;
  #store: Promise<StateStore | undefined> | undefined;

  /** `fingerprint` names the model's content. */
  constructor(fingerprint: string) {
    this.#fingerprint = fingerprint;
  }

  /** Of what is kept for the chat and this model: the ids it is the state of, and the one that was chosen next (-1: none). */
  async known(chat: string, model: KeepingModel): Promise<{ readonly ids: readonly number[]; readonly next: number } | undefined> {
    const store = await this.#open();
    const header = await store?.header(chat, this.#model(model));
    return header && { ids: [...header.ids], next: header.next };
  }

  /** Puts the state after `ids` back, all that is kept of the chat. False, and the model at its beginning, where it is damaged: it is deleted then. */
  async restore(chat: string, ids: readonly number[], model: KeepingModel): Promise<boolean> {
    const store = await this.#open();
    if (!store || ids.length > model.contextTokens) return false;
    try {
      for (const piece of pieces(ids.length)) model.writeCache(piece * PIECE_TOKENS, await store.part(chat, pieceName(piece)));
      model.resume(ids.length, await store.part(chat, RECURRENT));
      return true;
    } catch (error) {
      rethrowIfFatal(error);
      await store.delete(chat);
      return false;
    }
  }

  /** Stores the state after `ids`, which is the model's present one. Throws `aborted`, and nothing else that stands in the way: then nothing is kept. */
  async save(chat: string, { ids, next }: { readonly ids: readonly number[]; readonly next: number }, model: KeepingModel, signal: AbortSignal): Promise<void> {
    const store = await this.#open();
    if (!store || ids.length < LIMITS.keptStateTokens || model.begun || model.position !== ids.length) return;
    const { cacheBytesPerToken, recurrentBytes } = model.stateLayout;
    const chains = await chained(ids);
    const parts = pieces(ids.length).map((piece): PartSource => {
      const [from, to] = [piece * PIECE_TOKENS, Math.min(ids.length, (piece + 1) * PIECE_TOKENS)];
      return { name: pieceName(piece), of: `${this.#model(model)} ${to} ${chains[piece]}`, bytes: (to - from) * cacheBytesPerToken, read: () => model.readCache(from, to) };
    });
    const recurrent: PartSource = { name: RECURRENT, of: `${this.#model(model)} ${ids.length} ${chains.at(-1)}`, bytes: recurrentBytes, read: () => model.readRecurrent() };
    try {
      await store.save({ chat, model: this.#model(model), ids: Int32Array.from(ids), next }, [recurrent, ...parts], signal);
    } catch (error) {
      if (signal.aborted) return;
      rethrowIfFatal(error);
      if (error instanceof AppError && error.code === "storage/quota") await store.delete(chat);
      else throw error;
    }
  }

  async close(): Promise<void> {
    (await this.#store)?.close();
  }

  #open(): Promise<StateStore | undefined> {
    this.#store ??= StateStore.open();
    return this.#store;
  }

  #model({ stateLayout }: KeepingModel): string {
    return `${this.#fingerprint} ${stateLayout.cacheBytesPerToken} ${stateLayout.recurrentBytes}`;
  }
}

/** A name of all ids up to the end of each piece. */
async function chained(ids: readonly number[]): Promise<readonly string[]> {
  const all = Int32Array.from(ids);
  return Promise.all(
    pieces(ids.length).map(async (piece) => {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", all.slice(0, (piece + 1) * PIECE_TOKENS)));
      return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    }),
  );
}
