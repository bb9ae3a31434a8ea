// A binding that is not used: no weights.
fn unpack_weights(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>();
}
