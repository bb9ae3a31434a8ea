// y[t, c] = x[t, c] / sqrt(mean_c(x[t]^2) + eps) · weight[c]  for the tokens of a segment
// x, y: [chunk, columns] f32, the segment begins at row `first`   weight: [columns] f32   segment: { tokens, position, first, – }
// One workgroup a token; lanes stride the row and every lane adds up all their sums in the same order.
override lanes: u32 = 64u;

struct Params { columns: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       x:       array<vec4<f32>>;
@group(0) @binding(1) var<storage, read>       weight:  array<vec4<f32>>;
@group(0) @binding(2) var<storage, read>       segment: array<u32>;
@group(0) @binding(3) var<storage, read_write> y:       array<vec4<f32>>;
@group(0) @binding(4) var<uniform>             p:       Params;

var<workgroup> squares: array<f32, lanes>;

@compute @workgroup_size(lanes)
fn rmsnorm(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let count = p.columns / 4u;
  let at = (segment[2] + group.x) * count;
  var sum = 0.0;
  for (var i = lane; i < count; i += lanes) { sum += dot(x[at + i], x[at + i]); }
  squares[lane] = sum;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i++) { total += squares[i]; }
  let scale = inverseSqrt(total / f32(p.columns) + p.eps);
  for (var i = lane; i < count; i += lanes) { y[at + i] = x[at + i] * scale * weight[i]; }
}
