// One token of grouped-query attention, from its projections to its output; appends its key and value to the cache.
//   q, k = rope(rmsnorm(· + bias) ⊙ norm), v = · + bias;  out = sigmoid(gate) ⊙ Σ_s softmax_s(q · K[s] / sqrt(head_dim)) V[s],
//   s <= position; without `gated` no gate, without `normed` no norms, without `biased` no biases
// Source: llama.cpp src/models/qwen3next.cpp, qwen3.cpp, qwen2.cpp. Rope: NEOX, pairs (i, i + rotary / 2), cos and sin from step.rope.
//
// proj: [heads × (q: head_dim | gate: head_dim) | k: kv_heads × head_dim | v: same] f32, the gate only if `gated`
// constants: [norm of q: head_dim | of k: head_dim | biases, only if `biased`: as proj] f32
// step: { token, position, route, pad, rope: [rotary / 2] (cos, sin) }
// keys, values: [context, kv_heads, head_dim], f32 or (half) f16, two or four numbers a vec2<u32>   out: [heads, head_dim] f32
// A workgroup takes two query heads of one kv head (the last one alone when their number is odd: it is computed twice), so
// that each key and value is loaded once for both. lanes × 4 cached positions at a time: a lane scores four of them, then
// sums four dimensions over all of them; the sums are rescaled as the maximum grows, so any context fits. The token's own key
// and value come from proj, never from the cache: no workgroup waits for the one that stores them. head_dim: a multiple of 4.
override head_dim: u32 = 256u;
override lanes: u32 = 64u;
override gated: bool = true;
override normed: bool = true;
override biased: bool = false;
override half: bool = false;

struct Params { heads: u32, kv_heads: u32, rotary: u32, context: u32, eps: f32 }
struct Step { token: u32, position: u32, route: u32, pad: u32, rope: array<vec2<f32>> }

@group(0) @binding(0) var<storage, read>       proj:      array<f32>;
@group(0) @binding(1) var<storage, read>       constants: array<f32>;
@group(0) @binding(2) var<storage, read>       step:      Step;
@group(0) @binding(3) var<storage, read>       routing:   array<u32>;
@group(0) @binding(4) var<storage, read_write> keys:      array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> values:    array<vec2<u32>>;
@group(0) @binding(6) var<storage, read_write> out:       array<f32>;
@group(0) @binding(7) var<uniform>             p:         Params;

// The two heads' queries and the key: first of (q, q', k), then apart, in fours.
var<workgroup> turned: array<vec3<f32>, head_dim>;
var<workgroup> queries: array<array<vec4<f32>, 2>, head_dim / 4u>;
var<workgroup> sums: array<array<vec4<f32>, 2>, head_dim / 4u>;
var<workgroup> partial: array<vec3<f32>, lanes>;
var<workgroup> tops: array<vec2<f32>, lanes>;
var<workgroup> scores: array<vec2<f32>, lanes * 4u>;

// reduce total: vec3<f32> in partial
/// The sum of every lane's three numbers, in the same order for all.
fn total(lane: u32, value: vec3<f32>) -> vec3<f32> {
  partial[lane] = value;
  workgroupBarrier();
  var sum = vec3<f32>();
  for (var i = 0u; i < lanes; i++) { sum += partial[i]; }
  workgroupBarrier();
  return sum;
}
// end reduce
// reduce largest_of: vec2<f32> in tops
fn largest_of(lane: u32, value: vec2<f32>) -> vec2<f32> {
  tops[lane] = value;
  workgroupBarrier();
  var largest = value;
  for (var i = 0u; i < lanes; i++) { largest = max(largest, tops[i]); }
  workgroupBarrier();
  return largest;
}
// end reduce

fn key_at(i: u32) -> vec4<f32> {
  if (half) {
    let packed = keys[i];
    return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
  }
  return vec4<f32>(bitcast<vec2<f32>>(keys[2u * i]), bitcast<vec2<f32>>(keys[2u * i + 1u]));
}

fn value_at(i: u32) -> vec4<f32> {
  if (half) {
    let packed = values[i];
    return vec4<f32>(unpack2x16float(packed.x), unpack2x16float(packed.y));
  }
  return vec4<f32>(bitcast<vec2<f32>>(values[2u * i]), bitcast<vec2<f32>>(values[2u * i + 1u]));
}

/// The token's own, to be read by the tokens after it.
fn store(i: u32, key: vec4<f32>, value: vec4<f32>) {
  if (half) {
    keys[i] = vec2<u32>(pack2x16float(key.xy), pack2x16float(key.zw));
    values[i] = vec2<u32>(pack2x16float(value.xy), pack2x16float(value.zw));
    return;
  }
  keys[2u * i] = bitcast<vec2<u32>>(key.xy);
  keys[2u * i + 1u] = bitcast<vec2<u32>>(key.zw);
  values[2u * i] = bitcast<vec2<u32>>(value.xy);
  values[2u * i + 1u] = bitcast<vec2<u32>>(value.zw);
}

fn projected(i: u32) -> f32 {
  if (biased) { return proj[i] + constants[2u * head_dim + i]; }
  return proj[i];
}

/// Of the two queries and the key.
fn heads_at(at: vec3<u32>, d: u32) -> vec3<f32> { return vec3<f32>(projected(at.x + d), projected(at.y + d), projected(at.z + d)); }

fn weighted(at: vec3<u32>, d: u32) -> vec3<f32> {
  if (!normed) { return heads_at(at, d); }
  return heads_at(at, d) * vec3<f32>(constants[d], constants[d], constants[head_dim + d]);
}

fn gate(at: u32) -> f32 {
  if (!gated) { return 1.0; }
  return 1.0 / (1.0 + exp(-projected(at)));
}

@compute @workgroup_size(lanes)
fn attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u || step.position >= p.context) { return; }
  let group_heads = p.heads / p.kv_heads;
  let pairs = (group_heads + 1u) / 2u;
  let kv_head = group.x / pairs;
  let first = kv_head * group_heads + group.x % pairs * 2u;
  let second = min(first + 1u, kv_head * group_heads + group_heads - 1u);
  let query_stride = select(head_dim, 2u * head_dim, gated);
  let kv_at = p.heads * query_stride + kv_head * head_dim;
  let at = vec3<u32>(first * query_stride, second * query_stride, kv_at);
  let own_value = kv_at + p.kv_heads * head_dim;
  let row = p.kv_heads * head_dim / 4u;
  let head_at = kv_head * head_dim / 4u;
  let position = step.position;

  var scale = vec3<f32>(vec2<f32>(1.0 / sqrt(f32(head_dim))), 1.0);
  if (normed) {
    var squares = vec3<f32>();
    for (var d = lane; d < head_dim; d += lanes) {
      let x = heads_at(at, d);
      squares += x * x;
    }
    scale *= inverseSqrt(total(lane, squares) / f32(head_dim) + p.eps);
  }
  let turning = p.rotary / 2u;
  var own = vec3<f32>();
  for (var d = lane; d < head_dim; d += lanes) {
    var x = weighted(at, d);
    if (d < p.rotary) {
      let low = d < turning;
      let turn = step.rope[select(d - turning, d, low)];
      x = x * turn.x + weighted(at, select(d - turning, d + turning, low)) * select(turn.y, -turn.y, low);
    }
    x *= scale;
    turned[d] = x;
    own += vec3<f32>(x.xy * x.z, 0.0);
  }
  var largest = total(lane, own).xy;

  for (var d = lane; d < head_dim / 4u; d += lanes) {
    let a = turned[4u * d];
    let b = turned[4u * d + 1u];
    let c = turned[4u * d + 2u];
    let e = turned[4u * d + 3u];
    let v_at = own_value + 4u * d;
    let value = vec4<f32>(projected(v_at), projected(v_at + 1u), projected(v_at + 2u), projected(v_at + 3u));
    queries[d][0] = vec4<f32>(a.x, b.x, c.x, e.x);
    queries[d][1] = vec4<f32>(a.y, b.y, c.y, e.y);
    sums[d][0] = value;
    sums[d][1] = value;
    if (group.x % pairs == 0u) { store(position * row + head_at + d, vec4<f32>(a.z, b.z, c.z, e.z), value); }
  }
  workgroupBarrier();

  // Of this lane's positions; the token's own weight, 1, is counted by lane 0.
  var weights = select(vec2<f32>(), vec2<f32>(1.0), lane == 0u);
  for (var tile = 0u; tile < position; tile += lanes * 4u) {
    let s = vec4<u32>(tile + lane) + vec4<u32>(0u, lanes, 2u * lanes, 3u * lanes);
    let begin = min(s, vec4<u32>(position - 1u)) * row + head_at;
    var a = vec4<f32>();
    var b = vec4<f32>();
    for (var d = 0u; d < head_dim / 4u; d++) {
      let qa = queries[d][0];
      let qb = queries[d][1];
      let k0 = key_at(begin.x + d);
      let k1 = key_at(begin.y + d);
      let k2 = key_at(begin.z + d);
      let k3 = key_at(begin.w + d);
      a += vec4<f32>(dot(qa, k0), dot(qa, k1), dot(qa, k2), dot(qa, k3));
      b += vec4<f32>(dot(qb, k0), dot(qb, k1), dot(qb, k2), dot(qb, k3));
    }
    // A position past the end was clamped to the last one: it cannot raise the maximum.
    let grown = largest_of(lane, max(largest, vec2<f32>(max(max(a.x, a.y), max(a.z, a.w)), max(max(b.x, b.y), max(b.z, b.w)))));
    let inside = s < vec4<u32>(position);
    a = select(vec4<f32>(), exp(a - grown.x), inside);
    b = select(vec4<f32>(), exp(b - grown.y), inside);
    scores[lane] = vec2<f32>(a.x, b.x);
    scores[lane + lanes] = vec2<f32>(a.y, b.y);
    scores[lane + 2u * lanes] = vec2<f32>(a.z, b.z);
    scores[lane + 3u * lanes] = vec2<f32>(a.w, b.w);
    workgroupBarrier();
    let shrink = exp(largest - grown);
    weights = weights * shrink + vec2<f32>(a.x + a.y + a.z + a.w, b.x + b.y + b.z + b.w);
    let count = min(lanes * 4u, position - tile);
    for (var d = lane; d < head_dim / 4u; d += lanes) {
      var sum_a = sums[d][0] * shrink.x;
      var sum_b = sums[d][1] * shrink.y;
      for (var i = 0u; i < count; i++) {
        let value = value_at((tile + i) * row + head_at + d);
        let weight = scores[i];
        sum_a += weight.x * value;
        sum_b += weight.y * value;
      }
      sums[d][0] = sum_a;
      sums[d][1] = sum_b;
    }
    largest = grown;
    workgroupBarrier();
  }

  let all = total(lane, vec3<f32>(weights, 0.0));
  for (var d = lane; d < head_dim; d += lanes) {
    out[first * head_dim + d] = sums[d / 4u][0][d % 4u] / all.x * gate(at.x + head_dim + d);
    if (second != first) { out[second * head_dim + d] = sums[d / 4u][1][d % 4u] / all.y * gate(at.y + head_dim + d); }
  }
}
