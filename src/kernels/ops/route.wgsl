// The topk largest logits (ties: the lower index), their softmax among themselves, each expert's slot; the shared gate's sigmoid.
// logits: [tokens, experts + 1] f32, the last one the shared expert's gate   slots: [experts] u32 of this layer, NO_SLOT = not resident
// routing: header, then (topk + 1) choices a layer at (step.route + layer) × (topk + 1)
// One workgroup a token, their choices one after the other. There is one token unless `stalls` is false: then slots play no part
// and the header is left alone. Round j finds the best logit that comes after round j − 1's in the order (value down, index up),
// so nothing has to be crossed out. NaN counts as lower than anything: the chosen experts are always distinct. Slots and weights are
// looked up at the end, by a lane for each choice: in a round everybody would wait for one lane's memory.
override lanes: u32 = 64u;
override stalls: bool = true;

const no_slot = 0xffffffffu;

struct Params { experts: u32, topk: u32, layer: u32 }
struct Choice { expert: u32, slot: u32, weight: f32, pad: u32 }
struct Routing { stalled: u32, layer: u32, position: u32, base: u32, choices: array<Choice> }

@group(0) @binding(0) var<storage, read>       logits:  array<f32>;
@group(0) @binding(1) var<storage, read>       slots:   array<u32>;
@group(0) @binding(2) var<storage, read>       step:    array<u32>;
@group(0) @binding(3) var<storage, read_write> routing: Routing;
@group(0) @binding(4) var<uniform>             p:       Params;

var<workgroup> stalled: u32;
var<workgroup> best_key: array<u32, lanes>;
var<workgroup> best_index: array<u32, lanes>;
var<workgroup> shares: array<f32, lanes>;

/// Orders as the number does; NaN is 0, and both zeros are the same.
fn key_of(value: f32) -> u32 {
  let bits = bitcast<u32>(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) { return 0u; }
  if (value == 0.0) { return 0x80000000u; }
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn slot_of(expert: u32) -> u32 {
  if (stalls) { return slots[expert]; }
  return no_slot;
}

@compute @workgroup_size(lanes)
fn route(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (lane == 0u) { stalled = routing.stalled; }
  if (workgroupUniformLoad(&stalled) != 0u) { return; }

  let first = group.x * (p.experts + 1u);
  let base = (step[2] + p.layer + group.x) * (p.topk + 1u);
  var last_key = 0xffffffffu;
  var last_index = 0u;
  for (var j = 0u; j < p.topk; j++) {
    var key = 0u;
    var index = no_slot;
    for (var e = lane; e < p.experts; e += lanes) {
      let k = key_of(logits[first + e]);
      let after = j == 0u || k < last_key || (k == last_key && e > last_index);
      if (after && (index == no_slot || k > key)) {
        key = k;
        index = e;
      }
    }
    best_key[lane] = key;
    best_index[lane] = index;
    workgroupBarrier();
    for (var half = lanes / 2u; half > 0u; half /= 2u) {
      if (lane < half) {
        let other_key = best_key[lane + half];
        let other_index = best_index[lane + half];
        if (other_key > best_key[lane] || (other_key == best_key[lane] && other_index < best_index[lane])) {
          best_key[lane] = other_key;
          best_index[lane] = other_index;
        }
      }
      workgroupBarrier();
    }
    last_key = best_key[0];
    last_index = best_index[0];
    if (lane == 0u) { routing.choices[base + j].expert = last_index; }
    workgroupBarrier();
  }
  storageBarrier();

  let largest = logits[first + routing.choices[base].expert];
  var share = 0.0;
  var missing = 0u;
  for (var j = lane; j < p.topk; j += lanes) {
    let expert = routing.choices[base + j].expert;
    share += exp(logits[first + expert] - largest);
    if (slot_of(expert) == no_slot) { missing = 1u; }
  }
  shares[lane] = share;
  best_key[lane] = missing;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < min(lanes, p.topk); i++) {
    sum += shares[i];
    missing |= best_key[i];
  }
  for (var j = lane; j < p.topk; j += lanes) {
    let expert = routing.choices[base + j].expert;
    routing.choices[base + j] = Choice(expert, slot_of(expert), exp(logits[first + expert] - largest) / sum, 0u);
  }

  if (lane == 0u) {
    routing.choices[base + p.topk] = Choice(p.experts, no_slot, 1.0 / (1.0 + exp(-logits[first + p.experts])), 0u);
    if (stalls) {
      routing.layer = p.layer;
      routing.position = step[1];
      routing.base = base;
      routing.stalled = missing;
    }
  }
}
