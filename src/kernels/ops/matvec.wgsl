// y[t, r] (+)= dot(W[r], x[t]) or, normed, dot(W[r], norm ⊙ x[t]) / sqrt(mean_c(x[t, c]^2) + eps)
// W: rows of up to four matrices one after the other, each of its own type, all with the same columns
// x: [tokens, columns] f32   norm: [columns] f32   y: [tokens, rows0 + rows1 + rows2 + rows3] f32
// A workgroup takes lanes / lanes_per_row × rows_per_lane rows of one matrix and one token. A lane takes every lanes_per_row-th
// place of its rows, loading x once for all of them; a place is 32 columns in 8 vec4s: by units, 32 neighbours; by parts, the same
// vec4 of each of 8 units that follow one another, so that 8 lanes read whole lines of x and of the weights. Either way the 8 lanes of
// 8 places read the same 256 columns. By parts a lane has two rows, asks for both rows' words before it computes anything, and
// applies a block's scales to sums. By units the loops test at their end: SwiftShader runs a body once more, for no lane, when a
// loop tests at its start, and rows in a loop are compiled once instead of each. Sums run over a lane's places first, then over
// lanes in a tree: always the same order.
override matrices: u32 = 4u;
override lanes: u32 = 64u;
override lanes_per_row: u32 = 4u;
override rows_per_lane: u32 = 4u;
override parts: bool = false;
override normed: bool = false;
override accumulate: bool = false;

struct Params { tokens: u32, columns: u32, rows0: u32, rows1: u32, rows2: u32, rows3: u32, eps: f32 }

@group(0) @binding(0) var<storage, read>       w0:      array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       w1:      array<vec4<u32>>;
@group(0) @binding(2) var<storage, read>       w2:      array<vec4<u32>>;
@group(0) @binding(3) var<storage, read>       w3:      array<vec4<u32>>;
@group(0) @binding(4) var<storage, read>       x:       array<vec4<f32>>;
@group(0) @binding(5) var<storage, read>       norm:    array<vec4<f32>>;
@group(0) @binding(6) var<storage, read>       routing: array<u32>;
@group(0) @binding(7) var<storage, read_write> y:       array<f32>;
@group(0) @binding(8) var<uniform>             p:       Params;

/// 8 vec4s of x, and the sums of the first and of the last four's numbers.
struct Inputs { v: array<vec4<f32>, 8>, near: vec4<f32>, far: vec4<f32> }

// weights w0: w0
struct Two_w0 { nothing: u32 }
fn unpack_w0(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_w0(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_w0 { return Two_w0(); }
fn dots_w0(two: Two_w0, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights w1: w1
struct Two_w1 { nothing: u32 }
fn unpack_w1(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_w1(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_w1 { return Two_w1(); }
fn dots_w1(two: Two_w1, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights w2: w2
struct Two_w2 { nothing: u32 }
fn unpack_w2(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_w2(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_w2 { return Two_w2(); }
fn dots_w2(two: Two_w2, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights
// weights w3: w3
struct Two_w3 { nothing: u32 }
fn unpack_w3(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> { return array<vec4<f32>, 8>(); }
fn read_w3(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Two_w3 { return Two_w3(); }
fn dots_w3(two: Two_w3, v: Inputs) -> vec2<f32> { return vec2<f32>(); }
// end weights

var<workgroup> squares: array<f32, lanes>;
var<workgroup> sums: array<vec4<f32>, lanes>;

// reduce total: f32 in squares
fn total(lane: u32, value: f32) -> f32 {
  squares[lane] = value;
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < lanes; i++) { sum += squares[i]; }
  return sum;
}
// end reduce
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

fn input(i: u32, at: u32) -> vec4<f32> {
  if (normed) { return x[at + i] * norm[i]; }
  return x[at + i];
}

// quads
/// The eight vec4s from `i` on.
fn eight(i: u32, at: u32, lane: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(input(i, at), input(i + 1u, at), input(i + 2u, at), input(i + 3u, at), input(i + 4u, at), input(i + 5u, at), input(i + 6u, at), input(i + 7u, at));
}
// end quads

fn inputs(place: u32, at: u32) -> Inputs {
  let i = (place & ~7u) * 8u + (place & 7u);
  let v = array<vec4<f32>, 8>(
    input(i, at), input(i + 8u, at), input(i + 16u, at), input(i + 24u, at), input(i + 32u, at), input(i + 40u, at), input(i + 48u, at), input(i + 56u, at));
  let one = vec4<f32>(1.0);
  return Inputs(v, vec4<f32>(dot(v[0], one), dot(v[1], one), dot(v[2], one), dot(v[3], one)), vec4<f32>(dot(v[4], one), dot(v[5], one), dot(v[6], one), dot(v[7], one)));
}

fn dot32(a: array<vec4<f32>, 8>, b: array<vec4<f32>, 8>) -> f32 {
  return dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2]) + dot(a[3], b[3]) + dot(a[4], b[4]) + dot(a[5], b[5]) + dot(a[6], b[6]) + dot(a[7], b[7]);
}

/// `matrices` is a constant: with one matrix the choice is gone. (SwiftShader runs all branches, masked.)
fn row_dot(matrix: u32, row: u32, unit: u32, units: u32, v: array<vec4<f32>, 8>) -> f32 {
  if (matrices == 1u) { return dot32(unpack_w0(0u, p.rows0, units, row, unit), v); }
  if (matrices == 2u) {
    if (matrix == 0u) { return dot32(unpack_w0(0u, p.rows0, units, row, unit), v); }
    return dot32(unpack_w1(0u, p.rows1, units, row, unit), v);
  }
  switch (matrix) {
    case 0u: { return dot32(unpack_w0(0u, p.rows0, units, row, unit), v); }
    case 1u: { return dot32(unpack_w1(0u, p.rows1, units, row, unit), v); }
    case 2u: { return dot32(unpack_w2(0u, p.rows2, units, row, unit), v); }
    default: { return dot32(unpack_w3(0u, p.rows3, units, row, unit), v); }
  }
}

/// By parts, a row and the next one. The words are asked for first: x comes from a cache.
fn row_dots(matrix: u32, row: u32, place: u32, units: u32, x_at: u32) -> vec2<f32> {
  if (matrices == 1u) { return dots_w0(read_w0(0u, p.rows0, units, row, place), inputs(place, x_at)); }
  switch (matrix) {
    case 0u: { return dots_w0(read_w0(0u, p.rows0, units, row, place), inputs(place, x_at)); }
    case 1u: { return dots_w1(read_w1(0u, p.rows1, units, row, place), inputs(place, x_at)); }
    case 2u: { return dots_w2(read_w2(0u, p.rows2, units, row, place), inputs(place, x_at)); }
    default: { return dots_w3(read_w3(0u, p.rows3, units, row, place), inputs(place, x_at)); }
  }
}

@compute @workgroup_size(lanes)
fn matvec(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  if (routing[0] != 0u) { return; }
  let units = p.columns / 32u;
  let x_at = group.y * (p.columns / 4u);

  // Which matrix this tile of rows belongs to.
  let tile_rows = lanes / lanes_per_row * rows_per_lane;
  let rows = vec4<u32>(p.rows0, p.rows1, p.rows2, p.rows3);
  let tiles = (rows + tile_rows - 1u) / tile_rows;
  var tile = group.x;
  var matrix = 0u;
  var y_at = group.y * (rows.x + rows.y + rows.z + rows.w);
  for (; matrix + 1u < matrices && tile >= tiles[matrix]; matrix++) {
    tile -= tiles[matrix];
    y_at += rows[matrix];
  }
  let row_count = rows[matrix];

  let first = tile * tile_rows + lane / lanes_per_row * rows_per_lane;
  var sum = vec4<f32>();
  // With rows of their own all lanes run: they share loads (../quads.wgsl).
  if (lanes_per_row == 1u || first < row_count) {
    var place = lane % lanes_per_row;
    if (parts) {
      for (; place < units; place += lanes_per_row) { sum += vec4<f32>(row_dots(matrix, first, place, units, x_at), 0.0, 0.0); }
    } else {
      loop {
        if (place >= units) { break; }
        let v = eight(place * 8u, x_at, lane);
        var i = 0u;
        loop {
          sum[i] += row_dot(matrix, min(first + i, row_count - 1u), place, units, v);
          continuing { i++; break if i == rows_per_lane; }
        }
        continuing { place += lanes_per_row; break if place >= units; }
      }
    }
  }
  var scale = 1.0;
  if (normed) {
    // Only now: a barrier before the weights were asked for would wait for x alone, then for the weights.
    var squared = 0.0;
    for (var i = lane; i < p.columns / 4u; i += lanes) { squared += dot(x[x_at + i], x[x_at + i]); }
    scale = inverseSqrt(total(lane, squared) / f32(p.columns) + p.eps);
  }
  sum = row_sum(lane, sum) * scale;
  if (lane % lanes_per_row == 0u) {
    for (var i = 0u; i < rows_per_lane && first + i < row_count; i++) {
      let at = y_at + first + i;
      y[at] = select(0.0, y[at], accumulate) + sum[i];
    }
  }
}
