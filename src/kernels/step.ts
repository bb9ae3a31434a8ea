// What changes from token to token, in one small storage buffer written before each submission: bind groups never change.
//
//   struct Step { token: u32, position: u32, route: u32, pad: u32, rope: array<vec2<f32>> }   // 16 + 8 × rotaryPairs bytes
//
// The rotary angles come from here in double precision: WGSL promises sin and cos only between −π and π.

export interface Step {
  /** The input token. */
  readonly token: number;
  /** Of that token, from 0. At 0 the recurrent state counts as zero, whatever the buffers hold. */
  readonly position: number;
  /** Where this token's choices begin in `routing`: 0, or layers × n for the n-th of several tokens submitted without reading back. */
  readonly route: number;
}

/** A runtime array has at least one element: without rotary pairs there is room for one. */
export function stepBytes(rotaryPairs: number): number {
  return 16 + Math.max(1, rotaryPairs) * 8;
}

/** Rotates the first 2 × `rotaryPairs` dimensions of each head by position × base^(−i / rotaryPairs). */
export function packStep({ token, position, route }: Step, rotaryPairs: number, ropeBase: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(stepBytes(rotaryPairs));
  new Uint32Array(bytes.buffer).set([token, position, route, 0]);
  const rope = new Float32Array(bytes.buffer, 16);
  for (let i = 0; i < rotaryPairs; i++) {
    const angle = position * ropeBase ** (-i / rotaryPairs);
    rope[2 * i] = Math.cos(angle);
    rope[2 * i + 1] = Math.sin(angle);
  }
  return bytes;
}
