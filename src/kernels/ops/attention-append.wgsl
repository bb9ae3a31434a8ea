// Queries, keys and values of a segment's tokens: bias, norm, rope; keys and values go to the cache, queries stay in place.
//   q, k = rope(rmsnorm(· + bias) ⊙ norm),  q / sqrt(head_dim);  v + bias
// Rope: NEOX, pairs (i, i + rotary / 2), cos and sin from `rope`. Source: llama.cpp src/models/qwen3next.cpp, qwen3.cpp, qwen2.cpp.
// proj: [tokens, stride] f32: heads × (q: head_dim, then the gate: head_dim when gated) | k: kv_heads × head_dim | v: same
// constants: [norm of q: head_dim | of k: head_dim | biases, only if `biased`: as proj] f32
// segment: { tokens, position, … }   rope: [tokens, rotary / 2] (cos, sin)
// keys, values: [context, kv_heads, head_dim], f32 or (half) f16, two or four numbers a vec2<u32>
// A workgroup takes one head of one token: the query heads first, then the key heads with their values.
override head_dim: u32 = 256u;
override lanes: u32 = 64u;
override gated: bool = true;
override normed: bool = true;
override biased: bool = false;
override half: bool = false;

struct Params { heads: u32, kv_heads: u32, rotary: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       constants: array<f32>;
@group(0) @binding(1) var<storage, read>       segment:   array<u32>;
@group(0) @binding(2) var<storage, read>       rope:      array<vec2<f32>>;
@group(0) @binding(3) var<storage, read_write> proj:      array<f32>;
@group(0) @binding(4) var<storage, read_write> keys:      array<vec2<u32>>;
@group(0) @binding(5) var<storage, read_write> values:    array<vec2<u32>>;
@group(0) @binding(6) var<uniform>             p:         Params;

var<workgroup> head: array<f32, head_dim>;
var<workgroup> turned: array<f32, head_dim>;
var<workgroup> partial: array<f32, lanes>;

fn store_key(i: u32, four: vec4<f32>) {
  if (half) {
    keys[i] = vec2<u32>(pack2x16float(four.xy), pack2x16float(four.zw));
  } else {
    keys[2u * i] = bitcast<vec2<u32>>(four.xy);
    keys[2u * i + 1u] = bitcast<vec2<u32>>(four.zw);
  }
}

fn store_value(i: u32, four: vec4<f32>) {
  if (half) {
    values[i] = vec2<u32>(pack2x16float(four.xy), pack2x16float(four.zw));
  } else {
    values[2u * i] = bitcast<vec2<u32>>(four.xy);
    values[2u * i + 1u] = bitcast<vec2<u32>>(four.zw);
  }
}

fn bias(i: u32) -> f32 {
  if (biased) { return constants[2u * head_dim + i]; }
  return 0.0;
}

@compute @workgroup_size(lanes)
fn attention_append(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let token = group.x;
  let is_key = group.y >= p.heads;
  let kv_head = group.y - p.heads;
  let per_query = select(head_dim, 2u * head_dim, gated);
  let keys_at = p.heads * per_query;
  let stride = keys_at + 2u * p.kv_heads * head_dim;
  let column = select(group.y * per_query, keys_at + kv_head * head_dim, is_key);
  let at = token * stride + column;

  var squares = 0.0;
  for (var d = lane; d < head_dim; d += lanes) {
    let x = proj[at + d] + bias(column + d);
    head[d] = x;
    squares += x * x;
  }
  partial[lane] = squares;
  workgroupBarrier();
  var total = 0.0;
  for (var i = 0u; i < lanes; i++) { total += partial[i]; }
  let scale = select(1.0, inverseSqrt(total / f32(head_dim) + p.eps), normed) * select(1.0 / sqrt(f32(head_dim)), 1.0, is_key);
  let turning = p.rotary / 2u;
  let norm_at = select(0u, head_dim, is_key);
  for (var d = lane; d < head_dim; d += lanes) {
    var x = head[d];
    if (normed) { x *= constants[norm_at + d]; }
    if (d < p.rotary) {
      let low = d < turning;
      let other = select(d - turning, d + turning, low);
      var y = head[other];
      if (normed) { y *= constants[norm_at + other]; }
      let turn = rope[token * turning + select(d - turning, d, low)];
      x = x * turn.x + y * select(turn.y, -turn.y, low);
    }
    turned[d] = x * scale;
  }
  workgroupBarrier();
  if (is_key) {
    let row = ((segment[1] + token) * p.kv_heads + kv_head) * (head_dim / 4u);
    let value = column + p.kv_heads * head_dim;
    for (var d = lane; d < head_dim / 4u; d += lanes) {
      store_key(row + d, vec4<f32>(turned[4u * d], turned[4u * d + 1u], turned[4u * d + 2u], turned[4u * d + 3u]));
      let c = value + 4u * d;
      let v = token * stride + c;
      store_value(row + d, vec4<f32>(proj[v] + bias(c), proj[v + 1u] + bias(c + 1u), proj[v + 2u] + bias(c + 2u), proj[v + 3u] + bias(c + 3u)));
    }
  } else {
    for (var d = lane; d < head_dim; d += lanes) { proj[at + d] = turned[d]; }
  }
}
