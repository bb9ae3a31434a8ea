// Causal grouped-query attention of a segment's tokens over the cache, which holds their own keys and values already.
//   out[t] = sigmoid(gate) ⊙ Σ_s softmax_s(q[t] · K[s]) V[s],  s <= position + t
// proj: [tokens, stride] f32 as attention-append.wgsl leaves it   out: [tokens, heads, head_dim] f32
// keys, values: [context, kv_heads, head_dim], f32 or (half) f16   segment: { tokens, position, … }
// A workgroup takes one head of 8 tokens. 64 cached positions at a time: a lane scores one of them for all 8, then sums 4
// dimensions of 4 or 8 tokens over all of them; sums and weights are rescaled as the maxima grow (online softmax).
override head_dim: u32 = 256u;
/// 64, or 16, which then score four positions each: for adapters that compute on the CPU, and heads of at most 64 dimensions.
override lanes: u32 = 64u;
/// 1 or 2: lanes that share 4 dimensions, each with 8 / splits of the tokens; head_dim / 4 × splits <= lanes.
override splits: u32 = 1u;
override gated: bool = true;
override half: bool = false;

struct Params { heads: u32, kv_heads: u32 }

@group(0) @binding(0) var<storage, read>       proj:    array<f32>;
@group(0) @binding(1) var<storage, read>       segment: array<u32>;
@group(0) @binding(2) var<storage, read>       keys:    array<vec2<u32>>;
@group(0) @binding(3) var<storage, read>       values:  array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> out:     array<f32>;
@group(0) @binding(5) var<uniform>             p:       Params;

var<workgroup> queries: array<vec4<f32>, head_dim * 2u>;
var<workgroup> scores: array<f32, 512>;
var<workgroup> partial: array<f32, lanes>;
var<workgroup> largest: array<f32, 8>;
var<workgroup> weights: array<f32, 8>;
var<workgroup> shrink: array<f32, 8>;

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

/// What four of the tokens have summed up of four dimensions. Named and not an array: SwiftShader keeps arrays in memory.
struct Four { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

fn add_values(sums: Four, row: u32, tile: u32, count: u32, stride: u32, at: u32) -> Four {
  var a = sums.a * shrink[row];
  var b = sums.b * shrink[row + 1u];
  var c = sums.c * shrink[row + 2u];
  var d = sums.d * shrink[row + 3u];
  let weight = row * 64u;
  var k = 0u;
  loop {
    let value = value_at((tile + k) * stride + at);
    a += scores[weight + k] * value;
    b += scores[weight + 64u + k] * value;
    c += scores[weight + 128u + k] * value;
    d += scores[weight + 192u + k] * value;
    continuing { k++; break if k >= count; }
  }
  return Four(a, b, c, d);
}

/// One position for the 8 tokens, each of which sees what lies before it and itself.
fn score_one(lane: u32, tile: u32, seen: u32, first: u32, row: u32, head_at: u32) {
  let fours = head_dim / 4u;
  let position = tile + lane;
  let begin = min(position, seen - 1u) * row + head_at;
  var low = vec4<f32>();
  var high = vec4<f32>();
  for (var d = 0u; d < fours; d++) {
    let key = key_at(begin + d);
    low += vec4<f32>(dot(queries[d], key), dot(queries[fours + d], key), dot(queries[2u * fours + d], key), dot(queries[3u * fours + d], key));
    high += vec4<f32>(dot(queries[4u * fours + d], key), dot(queries[5u * fours + d], key), dot(queries[6u * fours + d], key), dot(queries[7u * fours + d], key));
  }
  let ahead = vec4<i32>(i32(position) - i32(segment[1] + first));
  let there = vec4<bool>(position < seen);
  low = select(vec4<f32>(-1e30), low, (ahead <= vec4<i32>(0, 1, 2, 3)) & there);
  high = select(vec4<f32>(-1e30), high, (ahead <= vec4<i32>(4, 5, 6, 7)) & there);
  scores[lane] = low.x;
  scores[64u + lane] = low.y;
  scores[128u + lane] = low.z;
  scores[192u + lane] = low.w;
  scores[256u + lane] = high.x;
  scores[320u + lane] = high.y;
  scores[384u + lane] = high.z;
  scores[448u + lane] = high.w;
}

/// Four positions, 16 apart, for the 8 tokens, four at a time: a query that is loaded serves four keys.
fn score_four(lane: u32, tile: u32, seen: u32, first: u32, row: u32, head_at: u32) {
  let fours = head_dim / 4u;
  let position = vec4<u32>(tile + lane) + vec4<u32>(0u, 16u, 32u, 48u);
  let begin = min(position, vec4<u32>(seen - 1u)) * row + head_at;
  var token = 0u;
  loop {
    var a = vec4<f32>();
    var b = vec4<f32>();
    var c = vec4<f32>();
    var e = vec4<f32>();
    var d = 0u;
    loop {
      let k0 = key_at(begin.x + d);
      let k1 = key_at(begin.y + d);
      let k2 = key_at(begin.z + d);
      let k3 = key_at(begin.w + d);
      let q = token * fours + d;
      let q0 = queries[q];
      let q1 = queries[q + fours];
      let q2 = queries[q + 2u * fours];
      let q3 = queries[q + 3u * fours];
      a += vec4<f32>(dot(q0, k0), dot(q0, k1), dot(q0, k2), dot(q0, k3));
      b += vec4<f32>(dot(q1, k0), dot(q1, k1), dot(q1, k2), dot(q1, k3));
      c += vec4<f32>(dot(q2, k0), dot(q2, k1), dot(q2, k2), dot(q2, k3));
      e += vec4<f32>(dot(q3, k0), dot(q3, k1), dot(q3, k2), dot(q3, k3));
      continuing { d++; break if d == fours; }
    }
    store_four(lane, token, a, position, seen, first);
    store_four(lane, token + 1u, b, position, seen, first);
    store_four(lane, token + 2u, c, position, seen, first);
    store_four(lane, token + 3u, e, position, seen, first);
    continuing { token += 4u; break if token == 8u; }
  }
}

fn store_four(lane: u32, token: u32, dots: vec4<f32>, position: vec4<u32>, seen: u32, first: u32) {
  let masked = select(vec4<f32>(-1e30), dots, (position <= vec4<u32>(segment[1] + first + token)) & (position < vec4<u32>(seen)));
  let at = token * 64u + lane;
  scores[at] = masked.x;
  scores[at + 16u] = masked.y;
  scores[at + 32u] = masked.z;
  scores[at + 48u] = masked.w;
}

fn write(sum: vec4<f32>, row: u32, dims: u32, first: u32, last: u32, head: u32) {
  let token = first + row;
  if (token > last) { return; }
  let result = sum / weights[row];
  let per_query = select(head_dim, 2u * head_dim, gated);
  let gate_at = token * (p.heads * per_query + 2u * p.kv_heads * head_dim) + head * per_query + head_dim + dims * 4u;
  let to = (token * p.heads + head) * head_dim + dims * 4u;
  for (var i = 0u; i < 4u; i++) {
    if (gated) { out[to + i] = result[i] / (1.0 + exp(-proj[gate_at + i])); } else { out[to + i] = result[i]; }
  }
}

@compute @workgroup_size(lanes)
fn attention_tiles(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tokens = segment[0];
  let first = group.x * 8u;
  let last = min(first + 8u, tokens) - 1u;
  let head = group.y;
  let fours = head_dim / 4u;
  let per_query = select(head_dim, 2u * head_dim, gated);
  let stride = p.heads * per_query + 2u * p.kv_heads * head_dim;
  let row = p.kv_heads * fours;
  let head_at = head * p.kv_heads / p.heads * fours;
  let seen = segment[1] + last + 1u;

  for (var i = lane; i < 8u * fours; i += lanes) {
    let at = min(first + i / fours, last) * stride + head * per_query + i % fours * 4u;
    queries[i] = vec4<f32>(proj[at], proj[at + 1u], proj[at + 2u], proj[at + 3u]);
  }
  if (lane < 8u) {
    largest[lane] = -1e30;
    weights[lane] = 0.0;
  }
  workgroupBarrier();

  // A token's weights are added up by several lanes, each over a part of the positions.
  let parts = lanes / 8u;
  let each = 64u / parts;
  let mine = lane / parts;
  let part = lane % parts * each;
  let dims = lane % fours;
  let first_row = lane / fours * 4u;
  let sums_here = lane < fours * splits;
  var sums_a = Four();
  var sums_b = Four();
  for (var tile = 0u; tile < seen; tile += 64u) {
    if (lanes == 64u) { score_one(lane, tile, seen, first, row, head_at); } else { score_four(lane, tile, seen, first, row, head_at); }
    workgroupBarrier();

    var most = scores[mine * 64u + part];
    for (var n = 1u; n < each; n++) { most = max(most, scores[mine * 64u + part + n]); }
    partial[lane] = most;
    workgroupBarrier();
    most = largest[mine];
    for (var n = 0u; n < parts; n++) { most = max(most, partial[mine * parts + n]); }
    var sum = 0.0;
    for (var n = 0u; n < each; n++) {
      let at = mine * 64u + part + n;
      let weight = exp(scores[at] - most);
      scores[at] = weight;
      sum += weight;
    }
    let grown = exp(largest[mine] - most);
    workgroupBarrier();
    partial[lane] = sum;
    if (part == 0u) {
      largest[mine] = most;
      shrink[mine] = grown;
    }
    workgroupBarrier();
    if (part == 0u) {
      sum = weights[mine] * grown;
      for (var n = 0u; n < parts; n++) { sum += partial[mine * parts + n]; }
      weights[mine] = sum;
    }
    if (sums_here) {
      sums_a = add_values(sums_a, first_row, tile, min(64u, seen - tile), row, head_at + dims);
      if (splits == 1u) { sums_b = add_values(sums_b, 4u, tile, min(64u, seen - tile), row, head_at + dims); }
    }
    workgroupBarrier();
  }

  if (sums_here) {
    write(sums_a.a, first_row, dims, first, last, head);
    write(sums_a.b, first_row + 1u, dims, first, last, head);
    write(sums_a.c, first_row + 2u, dims, first, last, head);
    write(sums_a.d, first_row + 3u, dims, first, last, head);
    if (splits == 1u) {
      write(sums_b.a, 4u, dims, first, last, head);
      write(sums_b.b, 5u, dims, first, last, head);
      write(sums_b.c, 6u, dims, first, last, head);
      write(sums_b.d, 7u, dims, first, last, head);
    }
  }
}
