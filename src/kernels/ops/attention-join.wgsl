// What the splits of attention.wgsl leave, as one: out[h, d] = sigmoid(gate) ⊙ Σ_s e^(top_s − top) sums_s[d] / Σ_s e^(top_s − top) weight_s,
//   top = max_s top_s, over the splits that had positions
// Source: flash-decoding, Dao et al. 2023 (the softmax of parts, rescaled to the largest score of all).
//
// parts: [heads, splits, head_dim + 2] f32   proj, constants, step: as attention.wgsl   out: [heads, head_dim] f32
// A workgroup takes one head, a lane every lanes-th of its dimensions.
override head_dim: u32 = 256u;
override lanes: u32 = 64u;
override gated: bool = true;
override biased: bool = false;
override splits: u32 = 32u;

struct Params { context: u32, heads: u32 }
struct Step { token: u32, position: u32, route: u32, pad: u32 }

@group(0) @binding(0) var<storage, read>       parts:     array<f32>;
@group(0) @binding(1) var<storage, read>       proj:      array<f32>;
@group(0) @binding(2) var<storage, read>       constants: array<f32>;
@group(0) @binding(3) var<storage, read>       step:      Step;
@group(0) @binding(4) var<storage, read>       routing:   array<u32>;
@group(0) @binding(5) var<storage, read_write> out:       array<f32>;
@group(0) @binding(6) var<uniform>             p:         Params;

var<workgroup> shares: array<f32, splits>;

fn gate(at: u32) -> f32 {
  if (!gated) { return 1.0; }
  let bias = select(0.0, constants[2u * head_dim + at], biased);
  return 1.0 / (1.0 + exp(-(proj[at] + bias)));
}

@compute @workgroup_size(lanes)
fn attention_join(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u || step.position >= p.context) { return; }
  let head = group.x;
  let span = max(lanes, (step.position + splits - 1u) / splits);
  let count = max(1u, (step.position + span - 1u) / span);
  let stride = head_dim + 2u;
  let at = head * splits * stride;

  var top = -1e30;
  for (var s = 0u; s < count; s++) { top = max(top, parts[at + s * stride + head_dim]); }
  for (var s = lane; s < count; s += lanes) { shares[s] = exp(parts[at + s * stride + head_dim] - top); }
  workgroupBarrier();

  var weight = 0.0;
  for (var s = 0u; s < count; s++) { weight += shares[s] * parts[at + s * stride + head_dim + 1u]; }
  let gate_at = head * select(head_dim, 2u * head_dim, gated) + head_dim;
  for (var d = lane; d < head_dim; d += lanes) {
    var sum = 0.0;
    for (var s = 0u; s < count; s++) { sum += shares[s] * parts[at + s * stride + d]; }
    out[head * head_dim + d] = sum / weight * gate(gate_at + d);
  }
}
