// x[token, c] += Σ_n out[order[start + n], c], n < count: what the experts of a batch give, back to their tokens
// sums: per token of the batch { token, start, count, – }   order: places of pairs   out: [pairs, columns] f32, weighed already
// x: [chunk, columns] f32
// One lane four columns of a token. They are added to x one by one, by rising expert: how the pairs were cut into batches
// leaves no trace in the result.
struct Params { columns: u32 }

@group(0) @binding(0) var<storage, read>       sums:  array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       order: array<u32>;
@group(0) @binding(2) var<storage, read>       out:   array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> x:     array<vec4<f32>>;
@group(0) @binding(4) var<uniform>             p:     Params;

@compute @workgroup_size(16)
fn combine(@builtin(global_invocation_id) id: vec3<u32>) {
  let width = p.columns / 4u;
  if (id.x >= width) { return; }
  let entry = sums[id.y];
  let at = entry.x * width + id.x;
  var sum = x[at];
  for (var n = entry.y; n < entry.y + entry.z; n++) { sum += out[order[n] * width + id.x]; }
  x[at] = sum;
}
