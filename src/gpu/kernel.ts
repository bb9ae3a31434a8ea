// What a compute kernel is, as data: its WGSL, its bindings in order, its parameters and how many workgroups it takes.
// Bindings are numbered from 0 in the order they are listed; the uniform `p` with the parameters comes last.

export interface Binding {
  /** `write` is read_write in WGSL. */
  readonly access: "read" | "write";
  /** Shape and element type in words: `[tokens, hidden] f32`. */
  readonly shape: string;
}

/** What a device does beyond what every WebGPU device does, as far as kernels make use of it. */
export interface KernelFeatures {
  readonly subgroups: boolean;
  readonly f16: boolean;
  /** A subgroup is the four lanes of a CPU's register: they share loads. Not together with `subgroups`. */
  readonly quads: boolean;
}

/** Nothing: runs everywhere. */
export const PLAIN: KernelFeatures = { subgroups: false, f16: false, quads: false };

export type Workgroups = readonly [x: number, y: number, z: number];

/**
 * `B` are the names of the bindings, `P` of the parameters (u32 unless listed in `floats`), `W` of the bindings that hold weights
 * of a type chosen per pipeline, `C` of the override constants.
 */
export interface Kernel<B extends string = string, P extends string = string, W extends string = string, C extends string = string> {
  /** Also the entry point's name. */
  readonly name: string;
  readonly source: string;
  readonly bindings: Readonly<Record<B, Binding>>;
  /** In the order of the uniform's struct. */
  readonly params: readonly P[];
  readonly floats?: readonly P[];
  readonly weights: readonly W[];
  /** Override constants and their usual values. */
  readonly constants: Readonly<Record<C, number>>;
  /** The source with the code for the chosen weight types and the device's features in place. Absent: it is the same for all. */
  readonly specialise?: (types: Readonly<Record<W, string>>, features: KernelFeatures) => string;
  readonly workgroups: (params: Readonly<Record<P, number>>, constants: Readonly<Record<C, number>>) => Workgroups;
}
