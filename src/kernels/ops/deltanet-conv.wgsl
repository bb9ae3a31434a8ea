// First of four kernels that run Gated DeltaNet over the tokens of a segment (formula: deltanet.wgsl): the convolution, the L2
// norms and the gates, every token and head for itself.
//   conv: c = silu(Σ_j weight[ch, j] · qkv(t − kernel + 1 + j)[ch]);  q / ‖q‖ / sqrt(key_dim), k / ‖k‖, v
//   gates: beta = sigmoid(b), decay = exp(a_h · softplus(a + dt_h))
// proj: [tokens, q | k | v | z | ba] f32; ba holds, for every key head, the b of its value heads, then their a; `tiled`: the b of
//   all value heads, then their a
// constants: [a: value_heads | dt: value_heads | norm: value_dim | conv: channels × kernel] f32
// history: [kernel, channels] f32, a ring over positions: the tokens before the segment   segment: { tokens, position, … }
// conv: [tokens, channels] f32   gates: [tokens, value_heads] (beta, decay)
// A workgroup takes one token and one head: a key head with its query, or a value head with its gates.
override key_dim: u32 = 128u;
override value_dim: u32 = 128u;
override lanes: u32 = 64u;
override tiled: bool = false;

struct Params { key_heads: u32, value_heads: u32, kernel: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       proj:      array<f32>;
@group(0) @binding(1) var<storage, read>       constants: array<f32>;
@group(0) @binding(2) var<storage, read>       segment:   array<u32>;
@group(0) @binding(3) var<storage, read>       history:   array<f32>;
@group(0) @binding(4) var<storage, read_write> conv:      array<f32>;
@group(0) @binding(5) var<storage, read_write> gates:     array<vec2<f32>>;
@group(0) @binding(6) var<uniform>             p:         Params;

var<workgroup> partial: array<vec2<f32>, lanes>;

fn convolve(channel: u32, channels: u32, stride: u32, token: u32) -> f32 {
  let weights = 2u * p.value_heads + value_dim + channel * p.kernel + p.kernel - 1u;
  let position = segment[1] + token;
  var sum = constants[weights] * proj[token * stride + channel];
  for (var back = 1u; back < p.kernel && back <= position; back++) {
    var before = 0.0;
    if (back <= token) { before = proj[(token - back) * stride + channel]; } else { before = history[((position - back) % p.kernel) * channels + channel]; }
    sum += constants[weights - back] * before;
  }
  return sum / (1.0 + exp(-sum));
}

@compute @workgroup_size(lanes)
fn deltanet_conv(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let token = group.x;
  let keys = p.key_heads * key_dim;
  let values = p.value_heads * value_dim;
  let channels = 2u * keys + values;
  let stride = channels + values + 2u * p.value_heads;
  if (group.y < p.key_heads) {
    let q_at = group.y * key_dim;
    var squares = vec2<f32>();
    for (var i = lane; i < key_dim; i += lanes) {
      let q = convolve(q_at + i, channels, stride, token);
      let k = convolve(keys + q_at + i, channels, stride, token);
      conv[token * channels + q_at + i] = q;
      conv[token * channels + keys + q_at + i] = k;
      squares += vec2<f32>(q * q, k * k);
    }
    partial[lane] = squares;
    workgroupBarrier();
    var total = vec2<f32>();
    for (var i = 0u; i < lanes; i++) { total += partial[i]; }
    let norms = 1.0 / max(sqrt(total), vec2<f32>(p.eps));
    for (var i = lane; i < key_dim; i += lanes) {
      conv[token * channels + q_at + i] *= norms.x / sqrt(f32(key_dim));
      conv[token * channels + keys + q_at + i] *= norms.y;
    }
    return;
  }
  let head = group.y - p.key_heads;
  for (var i = lane; i < value_dim; i += lanes) {
    let channel = 2u * keys + head * value_dim + i;
    conv[token * channels + channel] = convolve(channel, channels, stride, token);
  }
  if (lane == 0u) {
    let ratio = p.value_heads / p.key_heads;
    let b_at = token * stride + channels + values + select(head / ratio * 2u * ratio + head % ratio, head, tiled);
    let a_at = b_at + select(ratio, p.value_heads, tiled);
    let x = proj[a_at] + constants[p.value_heads + head];
    let softplus = max(x, 0.0) + log(1.0 + exp(-abs(x)));
    gates[token * p.value_heads + head] = vec2<f32>(1.0 / (1.0 + exp(-proj[b_at])), exp(constants[head] * softplus));
  }
}
