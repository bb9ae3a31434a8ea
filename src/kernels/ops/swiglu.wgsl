// gate[i, r] = silu(gate[i, r]) · up[i, r] · s_i  for the rows i of a segment or of a batch of pairs
// s_i: 1; or the pair's weight (`paired`); or the sigmoid of the token's logit scales[(first + i) · scale_stride + scale_at] (`sigmoid`)
// gate, up: [rows, width] f32   scales: pairs of { token, weight } or [chunk, scale_stride] f32   plan[0]: { tokens, position, first, – }
// One lane four columns.
override paired: bool = false;
override sigmoid: bool = false;

struct Params { width: u32, scale_stride: u32, scale_at: u32 }

@group(0) @binding(0) var<storage, read>       up:     array<vec4<f32>>;
@group(0) @binding(1) var<storage, read>       scales: array<f32>;
@group(0) @binding(2) var<storage, read>       plan:   array<u32>;
@group(0) @binding(3) var<storage, read_write> gate:   array<vec4<f32>>;
@group(0) @binding(4) var<uniform>             p:      Params;

fn scale_of(i: u32) -> f32 {
  if (paired) { return scales[2u * i + 1u]; }
  if (sigmoid) { return 1.0 / (1.0 + exp(-scales[(plan[2] + i) * p.scale_stride + p.scale_at])); }
  return 1.0;
}

@compute @workgroup_size(16)
fn swiglu(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x >= p.width / 4u) { return; }
  let at = id.y * (p.width / 4u) + id.x;
  let g = gate[at];
  gate[at] = g / (1.0 + exp(-g)) * up[at] * scale_of(id.y);
}
