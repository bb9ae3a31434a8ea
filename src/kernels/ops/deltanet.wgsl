// One token of Gated DeltaNet, from its projections to the gated, normed output.
//   c = silu(Σ_j conv[ch, j] · qkv(t − kernel + 1 + j)[ch])            causal depthwise convolution
//   q, k = the key head's channels / max(‖·‖, eps);  v = the value head's channels
//   beta = sigmoid(b),  decay = exp(a_h · softplus(a + dt_h))
//   m = decay · Sᵀk;  S = decay · S + k (beta (v − m))ᵀ;  o = Sᵀq / sqrt(key_dim)
//   out = o / sqrt(mean(o^2) + eps) ⊙ norm ⊙ silu(z)
// Source: llama.cpp src/models/qwen3next.cpp, qwen35moe.cpp; transformers modular_qwen3_next.py.
//
// proj: [q: key_heads × key_dim | k: same | v: value_heads × value_dim | z: same as v | ba] f32
// A key head has ratio = value_heads / key_heads value heads. Grouped: they are neighbours, and ba holds, for every key head,
//   the b of its value heads, then their a. `tiled`: value head h is of key head h % key_heads; ba is the b of all, then the a.
// constants: [a: value_heads | dt: value_heads | norm: value_dim | conv: channels × kernel] f32
// history: [kernel, channels] f32, a ring: row position % kernel is written, the others are read
// state: [value_heads, key_dim, value_dim] f32   out: [value_heads, value_dim] f32
// One workgroup a value head. Key channels are convolved once for each of the head's value heads; the first one keeps them.
// At position 0 history and state count as zero.
override key_dim: u32 = 128u;
override value_dim: u32 = 128u;
override lanes: u32 = 64u;
override tiled: bool = false;

struct Params { key_heads: u32, value_heads: u32, kernel: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       proj:      array<f32>;
@group(0) @binding(1) var<storage, read>       constants: array<f32>;
@group(0) @binding(2) var<storage, read>       step:      array<u32>;
@group(0) @binding(3) var<storage, read>       routing:   array<u32>;
@group(0) @binding(4) var<storage, read_write> history:   array<f32>;
@group(0) @binding(5) var<storage, read_write> state:     array<f32>;
@group(0) @binding(6) var<storage, read_write> out:       array<f32>;
@group(0) @binding(7) var<uniform>             p:         Params;

var<workgroup> q: array<f32, key_dim>;
var<workgroup> k: array<f32, key_dim>;
var<workgroup> o: array<f32, value_dim>;
var<workgroup> partial: array<vec2<f32>, lanes>;

fn silu(x: f32) -> f32 { return x / (1.0 + exp(-x)); }

/// Convolves one channel; `keep` also stores its input for the tokens that follow.
fn convolve(channel: u32, channels: u32, position: u32, keep: bool) -> f32 {
  let weights = 2u * p.value_heads + value_dim + channel * p.kernel;
  let now = proj[channel];
  var sum = constants[weights + p.kernel - 1u] * now;
  for (var back = 1u; back < p.kernel && back <= position; back++) {
    sum += constants[weights + p.kernel - 1u - back] * history[((position - back) % p.kernel) * channels + channel];
  }
  if (keep) { history[(position % p.kernel) * channels + channel] = now; }
  return silu(sum);
}

// reduce total: vec2<f32> in partial
/// The sum of every lane's pair, in the same order for all.
fn total(lane: u32, value: vec2<f32>) -> vec2<f32> {
  partial[lane] = value;
  workgroupBarrier();
  var sum = vec2<f32>();
  for (var i = 0u; i < lanes; i++) { sum += partial[i]; }
  workgroupBarrier();
  return sum;
}
// end reduce

@compute @workgroup_size(lanes)
fn deltanet(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u) { return; }
  let head = group.x;
  let ratio = p.value_heads / p.key_heads;
  let key_head = select(head / ratio, head % p.key_heads, tiled);
  let keys = p.key_heads * key_dim;
  let values = p.value_heads * value_dim;
  let channels = 2u * keys + values;
  let position = step[1];

  var squares = vec2<f32>();
  for (var i = lane; i < key_dim; i += lanes) {
    let keep = select(head % ratio == 0u, head < p.key_heads, tiled);
    q[i] = convolve(key_head * key_dim + i, channels, position, keep);
    k[i] = convolve(keys + key_head * key_dim + i, channels, position, keep);
    squares += vec2<f32>(q[i] * q[i], k[i] * k[i]);
  }
  let norms = 1.0 / max(sqrt(total(lane, squares)), vec2<f32>(p.eps));
  for (var i = lane; i < key_dim; i += lanes) {
    q[i] *= norms.x / sqrt(f32(key_dim));
    k[i] *= norms.y;
  }
  workgroupBarrier();

  let ba = channels + values + select(key_head * 2u * ratio + head % ratio, head, tiled);
  let beta = 1.0 / (1.0 + exp(-proj[ba]));
  let x = proj[ba + select(ratio, p.value_heads, tiled)] + constants[p.value_heads + head];
  let softplus = max(x, 0.0) + log(1.0 + exp(-abs(x)));
  let decay = select(exp(constants[head] * softplus), 0.0, position == 0u);

  var square = 0.0;
  for (var v = lane; v < value_dim; v += lanes) {
    let column = head * key_dim * value_dim + v;
    let value = convolve(2u * keys + head * value_dim + v, channels, position, true);
    var recalled = 0.0;
    if (position != 0u) {
      for (var i = 0u; i < key_dim; i++) { recalled += state[column + i * value_dim] * k[i]; }
    }
    let delta = beta * (value - decay * recalled);
    var result = 0.0;
    for (var i = 0u; i < key_dim; i++) {
      let at = column + i * value_dim;
      let updated = select(decay * state[at], 0.0, position == 0u) + k[i] * delta;
      state[at] = updated;
      result += updated * q[i];
    }
    o[v] = result;
    square += result * result;
  }
  let scale = inverseSqrt(total(lane, vec2<f32>(square, 0.0)).x / f32(value_dim) + p.eps);
  for (var v = lane; v < value_dim; v += lanes) {
    let at = head * value_dim + v;
    out[at] = o[v] * scale * constants[2u * p.value_heads + v] * silu(proj[channels + at]);
  }
}
