// Second of four kernels that run Gated DeltaNet over a segment: what the 64 tokens of a chunk are to each other, for every
// chunk and value head at once. With D_ij = decay_{j+1} · … · decay_i, the chunk's updates d_i of the state solve
//   d_i + Σ_{j<i} A_ij d_j = beta_i (v_i − …),  A_ij = beta_i D_ij (k_i · k_j)
// solve[i, j] = ((I + A)^−1)_ij · beta_j      attend[i, j] = D_ij (q_i · k_j), j <= i
// Source: transformers modular_qwen3_next.py (torch_chunk_gated_delta_rule), with products of decays for sums of their logs:
// nothing is lost where a decay is tiny.
// conv: [tokens, q | k | v] f32   gates: [tokens, value_heads] (beta, decay)   segment: { tokens, position, … }
// mats: [chunks, value_heads, solve | attend, 64, 64] f32; what lies past the last token is 0
// A workgroup of 64 lanes takes a chunk and head; a lane takes one column j, first of the products, then of the inverse.
override key_dim: u32 = 128u;
override tiled: bool = false;

struct Params { key_heads: u32, value_heads: u32, channels: u32 }

@group(0) @binding(0) var<storage, read>       conv:    array<vec4<f32>>;
@group(0) @binding(1) var<storage, read>       gates:   array<vec2<f32>>;
@group(0) @binding(2) var<storage, read>       segment: array<u32>;
@group(0) @binding(3) var<storage, read_write> mats:    array<f32>;
@group(0) @binding(4) var<uniform>             p:       Params;

/// A below its diagonal, row after row: A_ij at i (i − 1) / 2 + j.
var<workgroup> lower: array<f32, 2016>;
var<workgroup> gate: array<vec2<f32>, 64>;

struct Eight { low: vec4<f32>, high: vec4<f32> }

/// Adds what `four` numbers of column j give with those of rows block … block + 7.
fn add_dots(sums: Eight, at: u32, block: u32, most: u32, row: u32, four: vec4<f32>) -> Eight {
  let i = vec4<u32>(block) + vec4<u32>(0u, 1u, 2u, 3u);
  let low = min(i, vec4<u32>(most)) * row + at;
  let high = min(i + 4u, vec4<u32>(most)) * row + at;
  return Eight(
    sums.low + vec4<f32>(dot(conv[low.x], four), dot(conv[low.y], four), dot(conv[low.z], four), dot(conv[low.w], four)),
    sums.high + vec4<f32>(dot(conv[high.x], four), dot(conv[high.y], four), dot(conv[high.z], four), dot(conv[high.w], four)));
}

@compute @workgroup_size(64)
fn deltanet_chunks(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let head = group.y;
  let first = group.x * 64u;
  let count = min(64u, segment[0] - first);
  let key_head = select(head / (p.value_heads / p.key_heads), head % p.key_heads, tiled);
  let row = p.channels / 4u;
  let q_at = first * row + key_head * (key_dim / 4u);
  let k_at = q_at + p.key_heads * (key_dim / 4u);
  let solve_at = (group.x * p.value_heads + head) * 8192u;
  let attend_at = solve_at + 4096u;
  gate[lane] = vec2<f32>(0.0, 1.0);
  if (lane < count) { gate[lane] = gates[(first + lane) * p.value_heads + head]; }
  workgroupBarrier();

  let column = min(lane, count - 1u) * row;
  var decay = 1.0;
  for (var block = 0u; block < 64u; block += 8u) {
    var kk = Eight();
    var qk = Eight();
    if (block < count && block + 7u >= lane) {
      for (var d = 0u; d < key_dim / 4u; d++) {
        let key = conv[k_at + column + d];
        kk = add_dots(kk, k_at + d, block, count - 1u, row, key);
        qk = add_dots(qk, q_at + d, block, count - 1u, row, key);
      }
    }
    let kk_of = array<vec4<f32>, 2>(kk.low, kk.high);
    let qk_of = array<vec4<f32>, 2>(qk.low, qk.high);
    for (var n = 0u; n < 8u; n++) {
      let i = block + n;
      if (i > lane) {
        decay *= gate[i].y;
        lower[i * (i - 1u) / 2u + lane] = select(0.0, gate[i].x * decay * kk_of[n / 4u][n % 4u], i < count);
      }
      mats[attend_at + i * 64u + lane] = select(0.0, decay * qk_of[n / 4u][n % 4u], i >= lane && i < count);
    }
  }
  workgroupBarrier();

  var inverse = array<f32, 64>();
  inverse[lane] = 1.0;
  for (var i = 0u; i < 64u; i++) {
    if (i > lane) {
      var sum = 0.0;
      for (var m = lane; m < i; m++) { sum += lower[i * (i - 1u) / 2u + m] * inverse[m]; }
      inverse[i] = -sum;
    }
    mats[solve_at + i * 64u + lane] = select(0.0, inverse[i] * gate[lane].x, i >= lane && i < count);
  }
}
