// x[r] += Σ_j weight_j · down_j[r] · act[j]  over the chosen experts and, last, the shared one, whose weight is 1 unless `scaled`
// arena: slots of slot_stride vec4s; down [hidden, ff] at down_at   shared_down: [hidden, shared_ff] weights
// act: [topk, ff] f32, then [shared_ff] f32   x: [hidden] f32, the residual stream
// A workgroup takes lanes / lanes_per_row × rows_per_lane rows. The lanes of a row share all places of all experts, one expert after
// the other, so that they are busy however narrow an expert is; the shared expert comes last, to the lanes whose turn it is. What a lane adds up follows the rank
// of the experts, never their slots: the result is the same wherever an expert lies. Places as in matvec.wgsl. A dense layer is the
// shared expert alone: topk 0. Without a shared expert shared_ff is 0.
override lanes: u32 = 64u;
override lanes_per_row: u32 = 4u;
override rows_per_lane: u32 = 4u;
override parts: bool = false;
override scaled: bool = true;

struct Params { hidden: u32, ff: u32, shared_ff: u32, topk: u32, slot_stride: u32, down_at: u32 }
struct Choice { expert: u32, slot: u32, weight: f32, pad: u32 }
struct Routing { stalled: u32, layer: u32, position: u32, base: u32, choices: array<Choice> }

@group(0) @binding(0) var<storage, read>       arena:       array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       shared_down: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read>       act:         array<vec4<f32>>;
@group(0) @binding(3) var<storage, read>       routing:     Routing;
@group(0) @binding(4) var<storage, read_write> x:           array<f32>;
@group(0) @binding(5) var<uniform>             p:           Params;

/// 8 vec4s of x, and the sums of the first and of the last four's numbers.
struct Inputs { v: array<vec4<f32>, 8>, near: vec4<f32>, far: vec4<f32> }

// weights down: arena
struct Two_down { nothing: u32 }
fn unpack_down(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_down(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_down { return Two_down(); }
fn dots_down(two: Two_down, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights shared_down: shared_down
struct Two_shared_down { nothing: u32 }
fn unpack_shared_down(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_shared_down(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_shared_down { return Two_shared_down(); }
fn dots_shared_down(two: Two_shared_down, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights

var<workgroup> sums: array<vec4<f32>, lanes>;

// reduce row_sum: vec4<f32> in sums
/// For the first lane of each row.
fn row_sum(lane: u32, value: vec4<f32>) -> vec4<f32> {
  sums[lane] = value;
  for (var half = lanes_per_row / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % lanes_per_row < half) { sums[lane] += sums[lane + half]; }
  }
  return sums[lane];
}
// end reduce

fn input(i: u32, at: u32) -> vec4<f32> { return act[at + i]; }

// quads
/// The eight vec4s from `i` on.
fn eight(i: u32, at: u32, lane: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(input(i, at), input(i + 1u, at), input(i + 2u, at), input(i + 3u, at), input(i + 4u, at), input(i + 5u, at), input(i + 6u, at), input(i + 7u, at));
}
// end quads

fn inputs(first: u32, place: u32) -> Inputs {
  let i = first * 8u + (place & ~7u) * 8u + (place & 7u);
  let v = array<vec4<f32>, 8>(act[i], act[i + 8u], act[i + 16u], act[i + 24u], act[i + 32u], act[i + 40u], act[i + 48u], act[i + 56u]);
  let one = vec4<f32>(1.0);
  return Inputs(v, vec4<f32>(dot(v[0], one), dot(v[1], one), dot(v[2], one), dot(v[3], one)), vec4<f32>(dot(v[4], one), dot(v[5], one), dot(v[6], one), dot(v[7], one)));
}

fn dot32(a: array<vec4<f32>, 8>, b: array<vec4<f32>, 8>) -> f32 {
  return dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2]) + dot(a[3], b[3]) + dot(a[4], b[4]) + dot(a[5], b[5]) + dot(a[6], b[6]) + dot(a[7], b[7]);
}

@compute @workgroup_size(lanes)
fn experts_down(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing.stalled != 0u) { return; }
  let first = group.x * (lanes / lanes_per_row * rows_per_lane) + lane / lanes_per_row * rows_per_lane;
  let units = p.ff / 32u;
  let shared_units = p.shared_ff / 32u;
  var sum = vec4<f32>();
  // As in matvec.wgsl.
  if (lanes_per_row == 1u || first < p.hidden) {
    let end = p.topk * units;
    var at = lane % lanes_per_row;
    var weight = 1.0;
    if (scaled) { weight = routing.choices[routing.base + p.topk].weight; }
    if (parts) {
      for (; at < end; at += lanes_per_row) {
        let j = at / units;
        let place = at % units;
        let choice = routing.choices[routing.base + j];
        let two = read_down(choice.slot * p.slot_stride + p.down_at, p.hidden, units, first, place);
        sum += vec4<f32>(choice.weight * dots_down(two, inputs(j * units, place)), 0.0, 0.0);
      }
      for (at -= end; at < shared_units; at += lanes_per_row) {
        let two = read_shared_down(0u, p.hidden, shared_units, first, at);
        sum += vec4<f32>(weight * dots_shared_down(two, inputs(end, at)), 0.0, 0.0);
      }
    } else {
      loop {
        if (at >= end) { break; }
        let j = at / units;
        let choice = routing.choices[routing.base + j];
        let v = eight(at * 8u, 0u, lane);
        var i = 0u;
        loop {
          sum[i] += choice.weight * dot32(unpack_down(choice.slot * p.slot_stride + p.down_at, p.hidden, units, min(first + i, p.hidden - 1u), at % units), v);
          continuing { i++; break if i == rows_per_lane; }
        }
        continuing { at += lanes_per_row; break if at >= end; }
      }
      at -= end;
      loop {
        if (at >= shared_units) { break; }
        let v = eight((end + at) * 8u, 0u, lane);
        var i = 0u;
        loop {
          sum[i] += weight * dot32(unpack_shared_down(0u, p.hidden, shared_units, min(first + i, p.hidden - 1u), at), v);
          continuing { i++; break if i == rows_per_lane; }
        }
        continuing { at += lanes_per_row; break if at >= shared_units; }
      }
    }
  }
  sum = row_sum(lane, sum);
  if (lane % lanes_per_row == 0u) {
    for (var i = 0u; i < rows_per_lane && first + i < p.hidden; i++) { x[first + i] += sum[i]; }
  }
}
