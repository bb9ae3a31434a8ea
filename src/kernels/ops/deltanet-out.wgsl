// Last of four kernels that run Gated DeltaNet over a segment: the gated norm, and the inputs that the tokens behind will convolve.
//   out = o / sqrt(mean(o^2) + eps) ⊙ norm ⊙ silu(z);  history[position % kernel] = qkv, of the last `kernel` tokens
// proj: [tokens, q | k | v | z | ba] f32   conv: [tokens, q | k | o] f32   constants: as in deltanet-conv.wgsl
// out: [tokens, value_heads, value_dim] f32   history: [kernel, channels] f32   segment: { tokens, position, … }
// A workgroup takes one token and value head; channels are shared out among a token's workgroups.
override value_dim: u32 = 128u;
override lanes: u32 = 64u;

struct Params { value_heads: u32, channels: u32, kernel: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       proj:      array<f32>;
@group(0) @binding(1) var<storage, read>       conv:      array<f32>;
@group(0) @binding(2) var<storage, read>       constants: array<f32>;
@group(0) @binding(3) var<storage, read>       segment:   array<u32>;
@group(0) @binding(4) var<storage, read_write> out:       array<f32>;
@group(0) @binding(5) var<storage, read_write> history:   array<f32>;
@group(0) @binding(6) var<uniform>             p:         Params;

var<workgroup> partial: array<f32, lanes>;

@compute @workgroup_size(lanes)
fn deltanet_out(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let token = group.x;
  let head = group.y;
  let values = p.value_heads * value_dim;
  let stride = p.channels + values + 2u * p.value_heads;
  let begin = token * p.channels + p.channels - values + head * value_dim;
  var square = 0.0;
  for (var v = lane; v < value_dim; v += lanes) { square += conv[begin + v] * conv[begin + v]; }
  partial[lane] = square;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i++) { total += partial[i]; }
  let scale = inverseSqrt(total / f32(value_dim) + p.eps);
  for (var v = lane; v < value_dim; v += lanes) {
    let z = proj[token * stride + p.channels + head * value_dim + v];
    out[token * values + head * value_dim + v] = conv[begin + v] * scale * constants[2u * p.value_heads + v] * z / (1.0 + exp(-z));
  }
  if (token + p.kernel >= segment[0]) {
    let at = (segment[1] + token) % p.kernel * p.channels;
    for (var c = head * lanes + lane; c < p.channels; c += p.value_heads * lanes) { history[at + c] = proj[token * stride + c]; }
  }
}
