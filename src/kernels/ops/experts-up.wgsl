// For each chosen expert j and, last, the shared one: act[j, r] = silu(g) · u,  g = gate_j[r] · h,  u = up_j[r] · h,
// h = norm ⊙ x / sqrt(mean(x^2) + eps)
// arena: slots of slot_stride vec4s; gate [ff, hidden] at gate_at, up [ff, hidden] at up_at   x, norm: [hidden] f32
// act: [topk, ff] f32, then [shared_ff] f32
// A workgroup takes lanes / lanes_per_row × rows_per_lane rows of one expert; lanes as in matvec.wgsl. A dense layer is the shared expert
// alone: topk 0. Without a shared expert shared_ff is 0.
override lanes: u32 = 64u;
override lanes_per_row: u32 = 4u;
override rows_per_lane: u32 = 4u;
override parts: bool = false;

struct Params { hidden: u32, ff: u32, shared_ff: u32, topk: u32, slot_stride: u32, gate_at: u32, up_at: u32, eps: f32 }
struct Choice { expert: u32, slot: u32, weight: f32, pad: u32 }
struct Routing { stalled: u32, layer: u32, position: u32, base: u32, choices: array<Choice> }

@group(0) @binding(0) var<storage, read>       arena:       array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       shared_gate: array<vec4<u32>>;
@group(0) @binding(2) var<storage, read>       shared_up:   array<vec4<u32>>;
@group(0) @binding(3) var<storage, read>       x:           array<vec4<f32>>;
@group(0) @binding(4) var<storage, read>       norm:        array<vec4<f32>>;
@group(0) @binding(5) var<storage, read>       routing:     Routing;
@group(0) @binding(6) var<storage, read_write> act:         array<f32>;
@group(0) @binding(7) var<uniform>             p:           Params;

/// 8 vec4s of x, and the sums of the first and of the last four's numbers.
struct Inputs { v: array<vec4<f32>, 8>, near: vec4<f32>, far: vec4<f32> }

// weights gate: arena
struct Two_gate { nothing: u32 }
fn unpack_gate(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_gate(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_gate { return Two_gate(); }
fn dots_gate(two: Two_gate, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights up: arena
struct Two_up { nothing: u32 }
fn unpack_up(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_up(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_up { return Two_up(); }
fn dots_up(two: Two_up, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights shared_gate: shared_gate
struct Two_shared_gate { nothing: u32 }
fn unpack_shared_gate(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_shared_gate(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_shared_gate { return Two_shared_gate(); }
fn dots_shared_gate(two: Two_shared_gate, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights shared_up: shared_up
struct Two_shared_up { nothing: u32 }
fn unpack_shared_up(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_shared_up(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_shared_up { return Two_shared_up(); }
fn dots_shared_up(two: Two_shared_up, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights

var<workgroup> squares: array<f32, lanes>;
var<workgroup> sums: array<mat2x4<f32>, lanes>;

// reduce total: f32 in squares
fn total(lane: u32, value: f32) -> f32 {
  squares[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lanes; i++) { sum += squares[i]; }
  return sum;
}
// end reduce
// reduce row_sum: mat2x4<f32> in sums
/// For the first lane of each row.
fn row_sum(lane: u32, value: mat2x4<f32>) -> mat2x4<f32> {
  sums[lane] = value;
  for (var half = lanes_per_row / 2u; half > 0u; half /= 2u) {
    workgroupBarrier();
    if (lane % lanes_per_row < half) { sums[lane] += sums[lane + half]; }
  }
  return sums[lane];
}
// end reduce

fn input(i: u32, at: u32) -> vec4<f32> { return x[at + i] * norm[i]; }

// quads
/// The eight vec4s from `i` on.
fn eight(i: u32, at: u32, lane: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(input(i, at), input(i + 1u, at), input(i + 2u, at), input(i + 3u, at), input(i + 4u, at), input(i + 5u, at), input(i + 6u, at), input(i + 7u, at));
}
// end quads

fn inputs(place: u32) -> Inputs {
  let i = (place & ~7u) * 8u + (place & 7u);
  let v = array<vec4<f32>, 8>(
    input(i, 0u), input(i + 8u, 0u), input(i + 16u, 0u), input(i + 24u, 0u), input(i + 32u, 0u), input(i + 40u, 0u), input(i + 48u, 0u), input(i + 56u, 0u));
  let one = vec4<f32>(1.0);
  return Inputs(v, vec4<f32>(dot(v[0], one), dot(v[1], one), dot(v[2], one), dot(v[3], one)), vec4<f32>(dot(v[4], one), dot(v[5], one), dot(v[6], one), dot(v[7], one)));
}

fn dot32(a: array<vec4<f32>, 8>, b: array<vec4<f32>, 8>) -> f32 {
  return dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2]) + dot(a[3], b[3]) + dot(a[4], b[4]) + dot(a[5], b[5]) + dot(a[6], b[6]) + dot(a[7], b[7]);
}

fn silu(v: vec4<f32>) -> vec4<f32> { return v / (1.0 + exp(-v)); }

@compute @workgroup_size(lanes)
fn experts_up(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing.stalled != 0u) { return; }
  let units = p.hidden / 32u;
  let j = group.y;
  let is_shared = j == p.topk;
  let rows = select(p.ff, p.shared_ff, is_shared);
  let start = select(routing.choices[routing.base + j].slot * p.slot_stride, 0u, is_shared);

  let first = group.x * (lanes / lanes_per_row * rows_per_lane) + lane / lanes_per_row * rows_per_lane;
  var g = vec4<f32>();
  var u = vec4<f32>();
  // As in matvec.wgsl.
  if (lanes_per_row == 1u || first < rows) {
    // Two loops each way, one of them empty.
    let routed_end = select(units, 0u, is_shared);
    let shared_end = units - routed_end;
    var place = lane % lanes_per_row;
    if (parts) {
      for (; place < routed_end; place += lanes_per_row) {
        let two_gates = read_gate(start + p.gate_at, rows, units, first, place);
        let two_ups = read_up(start + p.up_at, rows, units, first, place);
        let h = inputs(place);
        g += vec4<f32>(dots_gate(two_gates, h), 0.0, 0.0);
        u += vec4<f32>(dots_up(two_ups, h), 0.0, 0.0);
      }
      for (place = lane % lanes_per_row; place < shared_end; place += lanes_per_row) {
        let two_gates = read_shared_gate(0u, rows, units, first, place);
        let two_ups = read_shared_up(0u, rows, units, first, place);
        let h = inputs(place);
        g += vec4<f32>(dots_shared_gate(two_gates, h), 0.0, 0.0);
        u += vec4<f32>(dots_shared_up(two_ups, h), 0.0, 0.0);
      }
    } else {
      loop {
        if (place >= routed_end) { break; }
        let h = eight(place * 8u, 0u, lane);
        var i = 0u;
        loop {
          let row = min(first + i, rows - 1u);
          g[i] += dot32(unpack_gate(start + p.gate_at, rows, units, row, place), h);
          u[i] += dot32(unpack_up(start + p.up_at, rows, units, row, place), h);
          continuing { i++; break if i == rows_per_lane; }
        }
        continuing { place += lanes_per_row; break if place >= routed_end; }
      }
      place = lane % lanes_per_row;
      loop {
        if (place >= shared_end) { break; }
        let h = eight(place * 8u, 0u, lane);
        var i = 0u;
        loop {
          let row = min(first + i, rows - 1u);
          g[i] += dot32(unpack_shared_gate(0u, rows, units, row, place), h);
          u[i] += dot32(unpack_shared_up(0u, rows, units, row, place), h);
          continuing { i++; break if i == rows_per_lane; }
        }
        continuing { place += lanes_per_row; break if place >= shared_end; }
      }
    }
  }
  // Only now: a barrier before the weights were asked for would wait for x alone, then for the weights.
  var sum = 0.0;
  for (var i = lane; i < p.hidden / 4u; i += lanes) { sum += dot(x[i], x[i]); }
  let scale = inverseSqrt(total(lane, sum) / f32(p.hidden) + p.eps);
  let both = row_sum(lane, mat2x4<f32>(g, u));
  if (lane % lanes_per_row == 0u) {
    let out = silu(both[0] * scale) * (both[1] * scale);
    for (var i = 0u; i < rows_per_lane && first + i < rows; i++) { act[j * p.ff + first + i] = out[i]; }
  }
}
