// deltanet.wgsl for GPUs: the same formula, layouts and parameters. One workgroup a value head, whose lanes are value_dim / 4 columns
// × key_dim / 16 keys: a lane asks for its 16 keys × 4 columns of the state before anything else, keeps them in registers, and writes them back
// once. What it recalls and answers is added up over the lanes of a column in shared memory, always in the same order.
override key_dim: u32 = 128u;
override value_dim: u32 = 128u;
override lanes: u32 = 256u;
override tiled: bool = false;

struct Params { key_heads: u32, value_heads: u32, kernel: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       proj:      array<f32>;
@group(0) @binding(1) var<storage, read>       constants: array<f32>;
@group(0) @binding(2) var<storage, read>       step:      array<u32>;
@group(0) @binding(3) var<storage, read>       routing:   array<u32>;
@group(0) @binding(4) var<storage, read_write> history:   array<f32>;
@group(0) @binding(5) var<storage, read_write> state:     array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out:       array<f32>;
@group(0) @binding(7) var<uniform>             p:         Params;

/// q, k and v of this head after the convolution.
var<workgroup> mixed: array<f32, 2u * key_dim + value_dim>;
var<workgroup> shares: array<vec4<f32>, lanes>;
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

fn four(at: u32) -> vec4<f32> { return vec4<f32>(mixed[at], mixed[at + 1u], mixed[at + 2u], mixed[at + 3u]); }

/// Four keys' rows of the state, four columns each.
fn read_rows(at: u32, columns: u32) -> mat4x4<f32> {
  return mat4x4<f32>(state[at], state[at + columns], state[at + 2u * columns], state[at + 3u * columns]);
}

fn write_rows(at: u32, columns: u32, rows: mat4x4<f32>) {
  state[at] = rows[0];
  state[at + columns] = rows[1];
  state[at + 2u * columns] = rows[2];
  state[at + 3u * columns] = rows[3];
}

fn updated(rows: mat4x4<f32>, decay: f32, k: vec4<f32>, delta: vec4<f32>) -> mat4x4<f32> {
  return mat4x4<f32>(decay * rows[0] + k.x * delta, decay * rows[1] + k.y * delta, decay * rows[2] + k.z * delta, decay * rows[3] + k.w * delta);
}

@compute @workgroup_size(lanes)
fn deltanet_wide(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u) { return; }
  let head = group.x;
  let ratio = p.value_heads / p.key_heads;
  let key_head = select(head / ratio, head % p.key_heads, tiled);
  let keys = p.key_heads * key_dim;
  let values = p.value_heads * value_dim;
  let channels = 2u * keys + values;
  let position = step[1];

  let columns = value_dim / 4u;
  let column = lane % columns;
  let first_key = lane / columns * 16u;
  let at = (head * key_dim + first_key) * columns + column;
  var a = mat4x4<f32>();
  var b = mat4x4<f32>();
  var c = mat4x4<f32>();
  var d = mat4x4<f32>();
  if (position != 0u) {
    a = read_rows(at, columns);
    b = read_rows(at + 4u * columns, columns);
    c = read_rows(at + 8u * columns, columns);
    d = read_rows(at + 12u * columns, columns);
  }

  let keep = select(head % ratio == 0u, head < p.key_heads, tiled);
  for (var i = lane; i < 2u * key_dim + value_dim; i += lanes) {
    let of_keys = select(0u, keys - key_dim, i >= key_dim) + key_head * key_dim + i;
    let of_values = 2u * keys + head * value_dim + i - 2u * key_dim;
    let is_value = i >= 2u * key_dim;
    mixed[i] = convolve(select(of_keys, of_values, is_value), channels, position, keep || is_value);
  }
  workgroupBarrier();

  var squares = vec2<f32>();
  for (var i = lane; i < key_dim; i += lanes) { squares += vec2<f32>(mixed[i] * mixed[i], mixed[key_dim + i] * mixed[key_dim + i]); }
  let norms = 1.0 / max(sqrt(total(lane, squares)), vec2<f32>(p.eps));
  let q_scale = norms.x / sqrt(f32(key_dim));

  let ba = channels + values + select(key_head * 2u * ratio + head % ratio, head, tiled);
  let beta = 1.0 / (1.0 + exp(-proj[ba]));
  let x = proj[ba + select(ratio, p.value_heads, tiled)] + constants[p.value_heads + head];
  let softplus = max(x, 0.0) + log(1.0 + exp(-abs(x)));
  let decay = exp(constants[head] * softplus);

  let k_at = key_dim + first_key;
  let k0 = norms.y * four(k_at);
  let k1 = norms.y * four(k_at + 4u);
  let k2 = norms.y * four(k_at + 8u);
  let k3 = norms.y * four(k_at + 12u);
  shares[lane] = a * k0 + b * k1 + c * k2 + d * k3;
  workgroupBarrier();
  var recalled = vec4<f32>();
  for (var i = column; i < lanes; i += columns) { recalled += shares[i]; }
  let delta = beta * (four(2u * key_dim + 4u * column) - decay * recalled);
  a = updated(a, decay, k0, delta);
  b = updated(b, decay, k1, delta);
  c = updated(c, decay, k2, delta);
  d = updated(d, decay, k3, delta);
  workgroupBarrier();
  shares[lane] = q_scale * (a * four(first_key) + b * four(first_key + 4u) + c * four(first_key + 8u) + d * four(first_key + 12u));
  write_rows(at, columns, a);
  write_rows(at + 4u * columns, columns, b);
  write_rows(at + 8u * columns, columns, c);
  write_rows(at + 12u * columns, columns, d);
  workgroupBarrier();

  // There are at least as many lanes as columns.
  var answer = 0.0;
  if (lane < value_dim) {
    for (var i = lane / 4u; i < lanes; i += columns) { answer += shares[i][lane % 4u]; }
  }
  let scale = inverseSqrt(total(lane, vec2<f32>(answer * answer, 0.0)).x / f32(value_dim) + p.eps);
  if (lane < value_dim) {
    let to = head * value_dim + lane;
    out[to] = answer * scale * constants[2u * p.value_heads + lane] * silu(proj[channels + to]);
  }
}
