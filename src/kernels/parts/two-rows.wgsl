// A row and the next one: all words of both are asked for before anything is computed of either, so that a lane has twice as much
// under way.
struct Two_weights { a: Part_weights, b: Part_weights }

fn read_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_weights {
  return Two_weights(read_part_weights(start, rows, units, row, place), read_part_weights(start, rows, units, min(row + 1u, rows - 1u), place));
}

fn dots_weights(two: Two_weights, x: Inputs) -> vec2<f32> {
  return vec2<f32>(dot_part_weights(two.a, x), dot_part_weights(two.b, x));
}
