// One token of gated grouped-query attention, from its projections to the gated output; appends its key and value to the cache.
//   q, k = rope(rmsnorm(·) ⊙ norm);  out = sigmoid(gate) ⊙ Σ_s softmax_s(q · K[s] / sqrt(head_dim)) V[s],  s <= position
// Source: llama.cpp src/models/qwen3next.cpp. Rope: NEOX, pairs (i, i + rotary / 2), cos and sin from step.rope.
//
// proj: [heads × (q: head_dim | gate: head_dim) | k: kv_heads × head_dim | v: same] f32   norms: [q: head_dim | k: head_dim] f32
// step: { token, position, route, pad, rope: [rotary / 2] (cos, sin) }
// keys, values: [context, kv_heads, head_dim] f32   out: [heads, head_dim] f32
// A workgroup takes two query heads of one kv head (the last one alone when their number is odd: it is computed twice), so
// that each key and value is loaded once for both. lanes × 4 cached positions at a time: a lane scores four of them, then
// sums four dimensions over all of them; the sums are rescaled as the maximum grows, so any context fits. The token's own key
// and value come from proj, never from the cache: no workgroup waits for the one that stores them. head_dim: a multiple of 4.
override head_dim: u32 = 256u;
override lanes: u32 = 64u;

struct Params { heads: u32, kv_heads: u32, rotary: u32, context: u32, eps: f32 }
struct Step { token: u32, position: u32, route: u32, pad: u32, rope: array<vec2<f32>> }

@group(0) @binding(0) var<storage, read>       proj:    array<f32>;
@group(0) @binding(1) var<storage, read>       norms:   array<f32>;
@group(0) @binding(2) var<storage, read>       step:    Step;
@group(0) @binding(3) var<storage, read>       routing: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys:    array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> values:  array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> out:     array<f32>;
@group(0) @binding(7) var<uniform>             p:       Params;

// The two heads' queries and the key: first of (q, q', k), then apart, in fours.
var<workgroup> turned: array<vec3<f32>, head_dim>;
var<workgroup> queries: array<array<vec4<f32>, 2>, head_dim / 4u>;
var<workgroup> sums: array<array<vec4<f32>, 2>, head_dim / 4u>;
var<workgroup> partial: array<vec3<f32>, lanes>;
var<workgroup> scores: array<vec2<f32>, lanes * 4u>;

/// The sum of every lane's three numbers, in the same order for all.
fn total(lane: u32, value: vec3<f32>) -> vec3<f32> {
  partial[lane] = value;
  workgroupBarrier();
  var sum = vec3<f32>();
  for (var i = 0u; i < lanes; i++) { sum += partial[i]; }
  workgroupBarrier();
  return sum;
}

fn largest_of(lane: u32, value: vec2<f32>) -> vec2<f32> {
  partial[lane] = vec3<f32>(value, 0.0);
  workgroupBarrier();
  var largest = value;
  for (var i = 0u; i < lanes; i++) { largest = max(largest, partial[i].xy); }
  workgroupBarrier();
  return largest;
}

fn normed(at: vec3<u32>, d: u32) -> vec3<f32> {
  return vec3<f32>(proj[at.x + d], proj[at.y + d], proj[at.z + d]) * vec3<f32>(norms[d], norms[d], norms[head_dim + d]);
}

@compute @workgroup_size(lanes)
fn attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u || step.position >= p.context) { return; }
  let group_heads = p.heads / p.kv_heads;
  let pairs = (group_heads + 1u) / 2u;
  let kv_head = group.x / pairs;
  let first = kv_head * group_heads + group.x % pairs * 2u;
  let second = min(first + 1u, kv_head * group_heads + group_heads - 1u);
  let kv_at = p.heads * 2u * head_dim + kv_head * head_dim;
  let at = vec3<u32>(first * 2u * head_dim, second * 2u * head_dim, kv_at);
  let own_value = kv_at + p.kv_heads * head_dim;
  let row = p.kv_heads * head_dim / 4u;
  let head_at = kv_head * head_dim / 4u;
  let position = step.position;

  var squares = vec3<f32>();
  for (var d = lane; d < head_dim; d += lanes) {
    let x = vec3<f32>(proj[at.x + d], proj[at.y + d], proj[at.z + d]);
    squares += x * x;
  }
  let scale = inverseSqrt(total(lane, squares) / f32(head_dim) + p.eps) * vec3<f32>(vec2<f32>(1.0 / sqrt(f32(head_dim))), 1.0);
  let turning = p.rotary / 2u;
  var own = vec3<f32>();
  for (var d = lane; d < head_dim; d += lanes) {
    var x = normed(at, d);
    if (d < p.rotary) {
      let low = d < turning;
      let turn = step.rope[select(d - turning, d, low)];
      x = x * turn.x + normed(at, select(d - turning, d + turning, low)) * select(turn.y, -turn.y, low);
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
    let value = vec4<f32>(proj[own_value + 4u * d], proj[own_value + 4u * d + 1u], proj[own_value + 4u * d + 2u], proj[own_value + 4u * d + 3u]);
    queries[d][0] = vec4<f32>(a.x, b.x, c.x, e.x);
    queries[d][1] = vec4<f32>(a.y, b.y, c.y, e.y);
    sums[d][0] = value;
    sums[d][1] = value;
    if (group.x % pairs == 0u) {
      keys[position * row + head_at + d] = vec4<f32>(a.z, b.z, c.z, e.z);
      values[position * row + head_at + d] = value;
    }
  }
  workgroupBarrier();

  // Of this lane's positions; the token's own weight, 1, is counted by lane 0.
  var weights = select(vec2<f32>(), vec2<f32>(1.0), lane == 0u);
  for (var tile = 0u; tile < position; tile += lanes * 4u) {
    let s = vec4<u32>(tile + lane) + vec4<u32>(0u, lanes, 2u * lanes, 3u * lanes);
    let key_at = min(s, vec4<u32>(position - 1u)) * row + head_at;
    var a = vec4<f32>();
    var b = vec4<f32>();
    for (var d = 0u; d < head_dim / 4u; d++) {
      let qa = queries[d][0];
      let qb = queries[d][1];
      let k0 = keys[key_at.x + d];
      let k1 = keys[key_at.y + d];
      let k2 = keys[key_at.z + d];
      let k3 = keys[key_at.w + d];
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
        let value = values[(tile + i) * row + head_at + d];
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
    out[first * head_dim + d] = sums[d / 4u][0][d % 4u] / all.x / (1.0 + exp(-proj[at.x + head_dim + d]));
    if (second != first) { out[second * head_dim + d] = sums[d / 4u][1][d % 4u] / all.y / (1.0 + exp(-proj[at.y + head_dim + d])); }
  }
}
