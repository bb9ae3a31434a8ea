// Third of four kernels that run Gated DeltaNet over a segment: the state from chunk to chunk of 64 tokens.
// With g_i = decay_1 · … · decay_i inside the chunk, S the state before it:
//   d = solve (v − g ⊙ K S);  o = g ⊙ Q S + attend d;  S = g_last S + Σ_j (g_last / g_j) k_j d_jᵀ
// (g_last / g_j as the product of the decays after j; `solve` and `attend`: deltanet-chunks.wgsl, which has the source.)
// conv: [tokens, q | k | v] f32, o takes the place of v   mats: as deltanet_chunks writes them   gates: [tokens, value_heads] (beta, decay)
// state: [value_heads, key_dim, value_dim] f32; at position 0 it counts as zero   segment: { tokens, position, … }
// A workgroup of 64 lanes takes up to 16 value columns of a head, whose part of the state stays in shared memory: a lane is a
// token of the chunk, then (for the state's update) a row of the state.
override key_dim: u32 = 128u;
override value_dim: u32 = 128u;
override tiled: bool = false;

struct Params { key_heads: u32, value_heads: u32 }

@group(0) @binding(0) var<storage, read>       mats:    array<vec4<f32>>;
@group(0) @binding(1) var<storage, read>       gates:   array<vec2<f32>>;
@group(0) @binding(2) var<storage, read>       segment: array<u32>;
@group(0) @binding(3) var<storage, read_write> conv:    array<vec4<f32>>;
@group(0) @binding(4) var<storage, read_write> state:   array<vec4<f32>>;
@group(0) @binding(5) var<uniform>             p:       Params;

var<workgroup> held: array<vec4<f32>, key_dim * 4u>;
var<workgroup> updates: array<vec4<f32>, 256>;
var<workgroup> decays: array<f32, 64>;
var<workgroup> after: array<f32, 64>;

/// 16 value columns. Named and not an array: SwiftShader keeps arrays in memory.
struct Four { a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32> }

/// Adds four rows of the state, from `at` on, each times its factor.
fn add_held(sums: Four, f: vec4<f32>, at: u32) -> Four {
  return Four(
    sums.a + f.x * held[at] + f.y * held[at + 4u] + f.z * held[at + 8u] + f.w * held[at + 12u],
    sums.b + f.x * held[at + 1u] + f.y * held[at + 5u] + f.z * held[at + 9u] + f.w * held[at + 13u],
    sums.c + f.x * held[at + 2u] + f.y * held[at + 6u] + f.z * held[at + 10u] + f.w * held[at + 14u],
    sums.d + f.x * held[at + 3u] + f.y * held[at + 7u] + f.z * held[at + 11u] + f.w * held[at + 15u]);
}

/// The same of four tokens' updates.
fn add_updates(sums: Four, f: vec4<f32>, at: u32) -> Four {
  return Four(
    sums.a + f.x * updates[at] + f.y * updates[at + 4u] + f.z * updates[at + 8u] + f.w * updates[at + 12u],
    sums.b + f.x * updates[at + 1u] + f.y * updates[at + 5u] + f.z * updates[at + 9u] + f.w * updates[at + 13u],
    sums.c + f.x * updates[at + 2u] + f.y * updates[at + 6u] + f.z * updates[at + 10u] + f.w * updates[at + 14u],
    sums.d + f.x * updates[at + 3u] + f.y * updates[at + 7u] + f.z * updates[at + 11u] + f.w * updates[at + 15u]);
}

fn value_of(at: u32, c: u32, live: bool, columns: u32) -> vec4<f32> {
  if (live && c < columns) { return conv[at + c]; }
  return vec4<f32>();
}

@compute @workgroup_size(64)
fn deltanet_scan(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tokens = segment[0];
  let head = group.y;
  let key_head = select(head / (p.value_heads / p.key_heads), head % p.key_heads, tiled);
  let fours = key_dim / 4u;
  let key_fours = p.key_heads * fours;
  let row = 2u * key_fours + p.value_heads * (value_dim / 4u);
  let first_column = group.x * 4u;
  let columns = min(4u, value_dim / 4u - first_column);
  let state_at = head * key_dim * (value_dim / 4u) + first_column;
  for (var i = lane; i < key_dim * 4u; i += 64u) {
    held[i] = vec4<f32>();
    if (segment[1] != 0u && i % 4u < columns) { held[i] = state[state_at + i / 4u * (value_dim / 4u) + i % 4u]; }
  }

  for (var chunk = 0u; chunk * 64u < tokens; chunk++) {
    let token = chunk * 64u + lane;
    let live = token < tokens;
    let at = min(token, tokens - 1u) * row;
    let value_at = at + 2u * key_fours + head * (value_dim / 4u) + first_column;
    decays[lane] = 1.0;
    if (live) { decays[lane] = gates[token * p.value_heads + head].y; }
    workgroupBarrier();
    var grown = 1.0;
    for (var i = 0u; i <= lane; i++) { grown *= decays[i]; }
    var rest = 1.0;
    for (var i = lane + 1u; i < 64u; i++) { rest *= decays[i]; }
    after[lane] = rest;

    var recalled = Four();
    var answer = Four();
    for (var d = 0u; d < fours; d++) {
      let at_held = 16u * d;
      recalled = add_held(recalled, conv[at + key_fours + key_head * fours + d], at_held);
      answer = add_held(answer, conv[at + key_head * fours + d], at_held);
    }
    updates[lane * 4u] = value_of(value_at, 0u, live, columns) - grown * recalled.a;
    updates[lane * 4u + 1u] = value_of(value_at, 1u, live, columns) - grown * recalled.b;
    updates[lane * 4u + 2u] = value_of(value_at, 2u, live, columns) - grown * recalled.c;
    updates[lane * 4u + 3u] = value_of(value_at, 3u, live, columns) - grown * recalled.d;
    workgroupBarrier();

    // Rows past the last token, and what they would give, are zero in both matrices.
    let solve_at = (chunk * p.value_heads + head) * 2048u + lane * 16u;
    var update = Four();
    for (var j = 0u; j <= lane / 4u; j++) { update = add_updates(update, mats[solve_at + j], 16u * j); }
    workgroupBarrier();
    updates[lane * 4u] = update.a;
    updates[lane * 4u + 1u] = update.b;
    updates[lane * 4u + 2u] = update.c;
    updates[lane * 4u + 3u] = update.d;
    workgroupBarrier();

    answer = Four(answer.a * grown, answer.b * grown, answer.c * grown, answer.d * grown);
    for (var j = 0u; j <= lane / 4u; j++) { answer = add_updates(answer, mats[solve_at + 1024u + j], 16u * j); }
    if (live) {
      conv[value_at] = answer.a;
      if (columns > 1u) { conv[value_at + 1u] = answer.b; }
      if (columns > 2u) { conv[value_at + 2u] = answer.c; }
      if (columns > 3u) { conv[value_at + 3u] = answer.d; }
    }

    let whole = decays[0] * after[0];
    let count = min(64u, tokens - chunk * 64u);
    for (var d = lane; d < key_dim; d += 64u) {
      var sums = Four(held[d * 4u] * whole, held[d * 4u + 1u] * whole, held[d * 4u + 2u] * whole, held[d * 4u + 3u] * whole);
      for (var j = 0u; j < count; j++) {
        let k = conv[(chunk * 64u + j) * row + key_fours + key_head * fours + d / 4u][d % 4u] * after[j];
        sums = Four(sums.a + k * updates[j * 4u], sums.b + k * updates[j * 4u + 1u], sums.c + k * updates[j * 4u + 2u], sums.d + k * updates[j * 4u + 3u]);
      }
      held[d * 4u] = sums.a;
      held[d * 4u + 1u] = sums.b;
      held[d * 4u + 2u] = sums.c;
      held[d * 4u + 3u] = sums.d;
    }
    workgroupBarrier();
  }
  for (var i = lane; i < key_dim * 4u; i += 64u) {
    if (i % 4u < columns) { state[state_at + i / 4u * (value_dim / 4u) + i % 4u] = held[i]; }
  }
}
