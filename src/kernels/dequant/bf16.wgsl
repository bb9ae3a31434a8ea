// BF16: the upper halves of f32, two a word, 4 × vec4<u32> a unit.
fn halves_weights(pair: vec2<u32>) -> vec4<f32> {
  return bitcast<vec4<f32>>(vec4<u32>(pair.x << 16u, pair.x & 0xffff0000u, pair.y << 16u, pair.y & 0xffff0000u));
}

fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  let at = start + (row * units + unit) * 4u;
  let a = weights[at];
  let b = weights[at + 1u];
  let c = weights[at + 2u];
  let d = weights[at + 3u];
  return array<vec4<f32>, 8>(
    halves_weights(a.xy), halves_weights(a.zw), halves_weights(b.xy), halves_weights(b.zw),
    halves_weights(c.xy), halves_weights(c.zw), halves_weights(d.xy), halves_weights(d.zw));
}

fn four_weights(at: u32, odd: bool) -> vec4<f32> {
  let eight = weights[at];
  return halves_weights(select(eight.xy, eight.zw, odd));
}

fn part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> array<vec4<f32>, 8> {
  let at = start + (row * units + (place & ~7u)) * 4u + ((place & 7u) >> 1u);
  let odd = (place & 1u) != 0u;
  return array<vec4<f32>, 8>(
    four_weights(at, odd), four_weights(at + 4u, odd), four_weights(at + 8u, odd), four_weights(at + 12u, odd),
    four_weights(at + 16u, odd), four_weights(at + 20u, odd), four_weights(at + 24u, odd), four_weights(at + 28u, odd));
}
