// The tensors of a file while a plan is made: each is taken by name with the shape it must have, and none may be left over.
import { AppError } from "../base/errors.ts";
import { type WeightType, blockWeights, weightType } from "../gguf/blocks.ts";
import type { RowRun } from "../gguf/weight-rows.ts";
import type { Weight } from "./weights.ts";

/** What the plan needs to know of a tensor. GgufTensor and StoredTensor both fit. */
export interface TensorHeader {
  readonly name: string;
  /** Fastest axis first. */
  readonly shape: readonly number[];
  /** ggml type id. */
  readonly type: number;
}

/** Kernels take a row in units of this many weights. */
const UNIT = 32;

/** Types of what is used element by element and not as a matrix. */
const PLAIN: readonly WeightType[] = ["F32", "F16", "BF16"];

function sameShape(found: readonly number[], wanted: readonly number[]): boolean {
  const trim = (shape: readonly number[]): string => shape.join("×").replace(/(×1)+$/, "");
  return trim(found) === trim(wanted);
}

/** In the file's order: columns, rows, experts. */
type Shape = readonly [columns: number, ...rest: number[]];

export class Tensors {
  readonly #byName: ReadonlyMap<string, TensorHeader>;
  readonly #used = new Set<string>();
  readonly #architecture: string;

  constructor(tensors: readonly TensorHeader[], architecture: string) {
    this.#byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
    this.#architecture = architecture;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** A matrix, or the matrices of a stack: `shape` has the experts last, and the weight is one of them. Also under another name. */
  matrix(name: string, shape: Shape, alias?: string): Weight {
    return this.#take(this.#nameOf(name, alias), shape, name);
  }

  /** What is used element by element: a vector, or the taps of a convolution. Also under another name. */
  vector(name: string, shape: Shape, alias?: string): Weight {
    const found = this.#nameOf(name, alias);
    const weight = this.#take(found, shape, name, false);
    if (PLAIN.includes(weight.type)) return weight;
    throw new AppError("model/unsupported", `Tensor ${found} is of type ${weight.type}, but a ${PLAIN.join(", ")} one is needed there. Use another file.`, {
      data: { tensor: found, type: weight.type },
    });
  }

  /** Rows of another tensor under this name: for files that keep several matrices in one. */
  rows(name: string, tensor: string, shape: Shape, runs: readonly RowRun[]): Weight {
    const whole = this.#take(tensor, shape, name);
    return { ...whole, rows: runs.reduce((sum, { count }) => sum + count, 0), source: { tensor, runs } };
  }

  /** A tensor of a layer that exists but plays no part would be computed wrongly in silence. */
  refuseTheRest(layers: number): void {
    for (const { name, type } of this.#byName.values()) {
      if (this.#used.has(name)) continue;
      weightType(type, name);
      const layer = /^blk\.(\d+)\./.exec(name)?.[1];
      if (layer !== undefined && Number(layer) >= layers) continue;
      throw new AppError("model/unsupported", `Tensor ${name} is not part of the ${this.#architecture} models this engine knows, so the file would give wrong answers. Use another file.`, {
        data: { tensor: name },
      });
    }
  }

  #nameOf(name: string, alias: string | undefined): string {
    return alias !== undefined && !this.has(name) && this.has(alias) ? alias : name;
  }

  #take(tensorName: string, shape: Shape, name: string, units = true): Weight {
    const tensor = this.#byName.get(tensorName);
    if (!tensor) {
      throw new AppError("model/format", `The model file has no tensor ${tensorName}. It is incomplete, or made by a converter that is not supported: get another.`, {
        data: { tensor: tensorName },
      });
    }
    if (!sameShape(tensor.shape, shape)) {
      throw new AppError("model/format", `Tensor ${tensorName} has the shape ${tensor.shape.join(" × ")}; the model's settings need ${shape.join(" × ")}. The file is damaged: get it again.`, {
        data: { tensor: tensorName, found: tensor.shape.join(","), expected: shape.join(",") },
      });
    }
    const type = weightType(tensor.type, tensorName);
    const [columns, rows = 1] = shape;
    if (units && columns % blockWeights(type) !== 0) {
      throw new AppError("model/format", `Tensor ${tensorName} has rows of ${columns} weights, which do not fill whole ${type} blocks of ${blockWeights(type)}. The file is damaged: get it again.`, {
        data: { tensor: tensorName, columns },
      });
    }
    if (units && columns % UNIT !== 0) {
      throw new AppError("model/unsupported", `Tensor ${tensorName} has rows of ${columns} weights; this engine needs a multiple of ${UNIT}. Use another model.`, { data: { tensor: tensorName, columns } });
    }
    this.#used.add(tensorName);
    return { name, type, rows, columns, source: { tensor: tensorName } };
  }
}
