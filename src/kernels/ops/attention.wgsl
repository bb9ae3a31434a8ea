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
// With `splits` > 1 that many workgroups share the cached positions of two heads (flash-decoding, Dao et al. 2023), the first of them
// with the token's own, and out is [heads, splits, head_dim + 2]: the sums, the largest score, the sum of the weights, for
// attention-join.wgsl. A split without positions writes nothing.
override head_dim: u32 = 256u;
override lanes: u32 = 64u;
override gated: bool = true;
override normed: bool = true;
override biased: bool = false;
override half: bool = false;
override splits: u32 = 1u;

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
  let span = max(lanes, (position + splits - 1u) / splits);
  let start = group.y * span;
  let end = min(position, start + span);
  if (group.y > 0u && start >= position) { return; }
  let has_own = group.y == 0u;

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
  var largest = select(vec2<f32>(-1e30), total(lane, own).xy, has_own);

  for (var d = lane; d < head_dim / 4u; d += lanes) {
    let a = turned[4u * d];
    let b = turned[4u * d + 1u];
    let c = turned[4u * d + 2u];
    let e = turned[4u * d + 3u];
    let v_at = own_value + 4u * d;
    let value = vec4<f32>(projected(v_at), projected(v_at + 1u), projected(v_at + 2u), projected(v_at + 3u));
    queries[d][0] = vec4<f32>(a.x, b.x, c.x, e.x);
    queries[d][1] = vec4<f32>(a.y, b.y, c.y, e.y);
    sums[d][0] = select(vec4<f32>(), value, has_own);
    sums[d][1] = sums[d][0];
    if (has_own && group.x % pairs == 0u) { store(position * row + head_at + d, vec4<f32>(a.z, b.z, c.z, e.z), value); }
  }
  workgroupBarrier();

  // Of this lane's positions; the token's own weight, 1, is counted by lane 0.
  var weights = select(vec2<f32>(), vec2<f32>(1.0), has_own && lane == 0u);
  for (var tile = start; tile < end; tile += lanes * 4u) {
    let s = vec4<u32>(tile + lane) + vec4<u32>(0u, lanes, 2u * lanes, 3u * lanes);
    let begin = min(s, vec4<u32>(end - 1u)) * row + head_at;
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
    let inside = s < vec4<u32>(end);
    a = select(vec4<f32>(), exp(a - grown.x), inside);
    b = select(vec4<f32>(), exp(b - grown.y), inside);
    scores[lane] = vec2<f32>(a.x, b.x);
    scores[lane + lanes] = vec2<f32>(a.y, b.y);
    scores[lane + 2u * lanes] = vec2<f32>(a.z, b.z);
    scores[lane + 3u * lanes] = vec2<f32>(a.w, b.w);
    workgroupBarrier();
    let shrink = exp(largest - grown);
    weights = weights * shrink + vec2<f32>(a.x + a.y + a.z + a.w, b.x + b.y + b.z + b.w);
    let count = min(lanes * 4u, end - tile);
    for (var d = lane; d < head_dim / 4u; d += lanes) {
      var sum_a = sums[d][0] * shrink.x;
      var sum_b = sums[d][1] * shrink.y;
      // Four at a time, so that their loads are under way together; past the end the weights are 0.
      for (var i = 0u; i < count; i += 4u) {
        let at_value = (vec4<u32>(tile) + min(vec4<u32>(i, i + 1u, i + 2u, i + 3u), vec4<u32>(count - 1u))) * row + head_at + d;
        let v0 = value_at(at_value.x);
        let v1 = value_at(at_value.y);
        let v2 = value_at(at_value.z);
        let v3 = value_at(at_value.w);
        sum_a += scores[i].x * v0 + scores[i + 1u].x * v1 + scores[i + 2u].x * v2 + scores[i + 3u].x * v3;
        sum_b += scores[i].y * v0 + scores[i + 1u].y * v1 + scores[i + 2u].y * v2 + scores[i + 3u].y * v3;
      }
      sums[d][0] = sum_a;
      sums[d][1] = sum_b;
    }
    largest = grown;
    workgroupBarrier();
  }

  let all = total(lane, vec3<f32>(weights, 0.0));
  if (splits > 1u) {
    let a_at = (first * splits + group.y) * (head_dim + 2u);
    let b_at = (second * splits + group.y) * (head_dim + 2u);
    for (var d = lane; d < head_dim; d += lanes) {
      out[a_at + d] = sums[d / 4u][0][d % 4u];
      out[b_at + d] = sums[d / 4u][1][d % 4u];
    }
    if (lane < 2u) {
      out[a_at + head_dim + lane] = select(all.x, largest.x, lane == 0u);
      out[b_at + head_dim + lane] = select(all.y, largest.y, lane == 0u);
    }
    return;
  }
  for (var d = lane; d < head_dim; d += lanes) {
    out[first * head_dim + d] = sums[d / 4u][0][d % 4u] / all.x * gate(at.x + head_dim + d);
    if (second != first) { out[second * head_dim + d] = sums[d / 4u][1][d % 4u] / all.y * gate(at.y + head_dim + d); }
  }
}
