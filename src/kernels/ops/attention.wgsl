// One token of gated grouped-query attention, from its projections to the gated output; appends its key and value to the cache.
//   q, k = rope(rmsnorm(·) ⊙ norm);  out = sigmoid(gate) ⊙ Σ_s softmax_s(q · K[s] / sqrt(head_dim)) V[s],  s <= position
// Source: llama.cpp src/models/qwen3next.cpp. Rope: NEOX, pairs (i, i + rotary / 2), cos and sin from step.rope.
//
// proj: [heads × (q: head_dim | gate: head_dim) | k: kv_heads × head_dim | v: same] f32   norms: [q: head_dim | k: head_dim] f32
// step: { token, position, route, pad, rope: [rotary / 2] (cos, sin) }
// keys, values: [context, kv_heads, head_dim] f32   out: [heads, head_dim] f32
// One workgroup a head: 64 positions at a time, a lane scores one position, then sums some dimensions over the 64 (softmax
// rescaled as the maximum grows, so any context fits). The first head of a group stores the key and value; the token's own
// key never comes from the cache, so no head waits for another. head_dim is a multiple of 4.
override head_dim: u32 = 256u;

const lanes = 64u;
const lowest = -3.0e38;

struct Params { heads: u32, kv_heads: u32, rotary: u32, context: u32, eps: f32 }
struct Step { token: u32, position: u32, route: u32, pad: u32, rope: array<vec2<f32>> }

@group(0) @binding(0) var<storage, read>       proj:    array<f32>;
@group(0) @binding(1) var<storage, read>       norms:   array<f32>;
@group(0) @binding(2) var<storage, read>       step:    Step;
@group(0) @binding(3) var<storage, read>       routing: array<u32>;
@group(0) @binding(4) var<storage, read_write> keys:    array<vec4<f32>>;
@group(0) @binding(5) var<storage, read_write> values:  array<f32>;
@group(0) @binding(6) var<storage, read_write> out:     array<f32>;
@group(0) @binding(7) var<uniform>             p:       Params;

var<workgroup> q: array<f32, head_dim>;
var<workgroup> k: array<f32, head_dim>;
var<workgroup> acc: array<f32, head_dim>;
var<workgroup> partial: array<vec2<f32>, lanes>;
var<workgroup> scores: array<f32, lanes>;

@compute @workgroup_size(lanes)
fn attention(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u || step.position >= p.context) { return; }
  let head = group.x;
  let group_size = p.heads / p.kv_heads;
  let kv_head = head / group_size;
  let q_at = head * 2u * head_dim;
  let k_at = p.heads * 2u * head_dim + kv_head * head_dim;
  let v_at = k_at + p.kv_heads * head_dim;
  let row = p.kv_heads * head_dim;
  let position = step.position;

  var squares = vec2<f32>();
  for (var d = lane; d < head_dim; d += lanes) { squares += vec2<f32>(proj[q_at + d] * proj[q_at + d], proj[k_at + d] * proj[k_at + d]); }
  partial[lane] = squares;
  workgroupBarrier();
  var total = vec2<f32>();
  for (var i = 0u; i < lanes; i++) { total += partial[i]; }
  let scale = inverseSqrt(total / f32(head_dim) + p.eps);

  let pairs = p.rotary / 2u;
  for (var d = lane; d < head_dim; d += lanes) {
    var now = vec2<f32>(proj[q_at + d] * norms[d], proj[k_at + d] * norms[head_dim + d]);
    if (d < p.rotary) {
      let first = d < pairs;
      let partner = select(d - pairs, d + pairs, first);
      let turn = step.rope[select(d - pairs, d, first)];
      now = now * turn.x + vec2<f32>(proj[q_at + partner] * norms[partner], proj[k_at + partner] * norms[head_dim + partner]) * select(turn.y, -turn.y, first);
    }
    now *= scale;
    q[d] = now.x / sqrt(f32(head_dim));
    k[d] = now.y;
    acc[d] = 0.0;
  }
  workgroupBarrier();
  if (head % group_size == 0u) {
    for (var d = lane; d < head_dim / 4u; d += lanes) {
      keys[(position * row + kv_head * head_dim) / 4u + d] = vec4<f32>(k[4u * d], k[4u * d + 1u], k[4u * d + 2u], k[4u * d + 3u]);
    }
    for (var d = lane; d < head_dim; d += lanes) { values[position * row + kv_head * head_dim + d] = proj[v_at + d]; }
  }

  var largest = lowest;
  var sum = 0.0;
  for (var tile = 0u; tile <= position; tile += lanes) {
    let s = tile + lane;
    var score = 0.0;
    if (s < position) {
      let at = (s * row + kv_head * head_dim) / 4u;
      for (var d = 0u; d < head_dim / 4u; d++) { score += dot(keys[at + d], vec4<f32>(q[4u * d], q[4u * d + 1u], q[4u * d + 2u], q[4u * d + 3u])); }
    } else if (s == position) {
      for (var d = 0u; d < head_dim; d++) { score += q[d] * k[d]; }
    }
    scores[lane] = select(lowest, score, s <= position);
    workgroupBarrier();
    let count = min(lanes, position + 1u - tile);
    var grown = largest;
    for (var i = 0u; i < count; i++) { grown = max(grown, scores[i]); }
    workgroupBarrier();
    scores[lane] = select(0.0, exp(score - grown), s <= position);
    workgroupBarrier();
    let shrink = exp(largest - grown);
    sum *= shrink;
    for (var i = 0u; i < count; i++) { sum += scores[i]; }
    let stored = min(lanes, position - tile);
    for (var d = lane; d < head_dim; d += lanes) {
      var a = acc[d] * shrink;
      for (var i = 0u; i < stored; i++) { a += scores[i] * values[(tile + i) * row + kv_head * head_dim + d]; }
      if (stored < lanes) { a += scores[stored] * proj[v_at + d]; }
      acc[d] = a;
    }
    largest = grown;
    workgroupBarrier();
  }
  for (var d = lane; d < head_dim; d += lanes) {
    out[head * head_dim + d] = acc[d] / sum / (1.0 + exp(-proj[q_at + head_dim + d]));
  }
}
