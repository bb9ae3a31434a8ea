// F16: two weights a word, 4 × vec4<u32> a unit.
fn halves_weights(pair: vec2<u32>) -> vec4<f32> {
  return vec4<f32>(unpack2x16float(pair.x), unpack2x16float(pair.y));
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
