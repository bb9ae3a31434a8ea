// The product with many rows as it was until 2026-11-27, for `npm run bench -- gpu` to time beside the engine's own: tiles of 64 × 32,
// two barriers for 64 lanes, four lanes at one bank of shared memory. To be deleted once a GPU has said which is faster.
// Rows i, o and W: dense, the tokens t of the segment: i = t + x_first · first, o = t + y_first · first. Grouped, the pairs of
// tile group.y, all of one expert: W lies slot · slot_stride + matrix_at vec4s into `matrix`; o is the pair's place in the
// list, i the pair's token when `gather`, else its place.
// matrix: [rows, columns] weights   x: [·, columns] f32   y: [·, stride] f32
// plan: dense { tokens, position, first, – }, grouped per tile { slot, first pair, pairs, – }   pairs: per pair { token, weight }
// A workgroup takes 64 rows of W × 32 of x. For every unit of 32 columns each lane unpacks one row of W into shared memory, once
// for all 32, and their columns lie beside it; then a lane sums 4 rows × 8. A sum runs over the columns in order, whatever
// else is in the tile: the same bits in any company.
override grouped: bool = false;
override gather: bool = false;
override accumulate: bool = false;

struct Params { columns: u32, rows: u32, stride: u32, at: u32, x_first: u32, y_first: u32, slot_stride: u32, matrix_at: u32 }

@group(0) @binding(0) var<storage, read>       matrix: array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       x:      array<vec4<f32>>;
@group(0) @binding(2) var<storage, read>       plan:   array<vec4<u32>>;
@group(0) @binding(3) var<storage, read>       pairs:  array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> y:      array<f32>;
@group(0) @binding(5) var<uniform>             p:      Params;

// weights matrix: matrix
fn unpack_matrix(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>();
}
// end weights

/// Where W starts, and the tile's first row and number of rows.
struct Tile { start: u32, first: u32, count: u32 }

fn tile_of(y: u32) -> Tile {
  if (grouped) {
    let tile = plan[y];
    return Tile(tile.x * p.slot_stride + p.matrix_at, tile.y, tile.z);
  }
  return Tile(p.matrix_at, y * 32u, min(32u, plan[0].x - y * 32u));
}

fn input_row(i: u32) -> u32 {
  if (gather) { return pairs[i].x; }
  if (grouped) { return i; }
  return i + p.x_first * plan[0].z;
}

fn output_row(i: u32) -> u32 {
  if (grouped) { return i; }
  return i + p.y_first * plan[0].z;
}

var<workgroup> ws: array<vec4<f32>, 512>;
var<workgroup> xs: array<vec4<f32>, 256>;

@compute @workgroup_size(64)
fn matmul_narrow(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(group.y);
  let units = p.columns / 32u;
  let row = min(group.x * 64u + lane, p.rows - 1u);
  let x_at = input_row(tile.first + min(lane % 32u, tile.count - 1u)) * units * 8u;
  let half = lane / 32u * 4u;
  let first_row = lane % 16u * 4u;
  let first_input = lane / 16u * 8u;
  var sums = array<vec4<f32>, 8>();
  for (var unit = 0u; unit < units; unit++) {
    let unpacked = unpack_matrix(tile.start, p.rows, units, row, unit);
    for (var i = 0u; i < 8u; i++) { ws[i * 64u + lane] = unpacked[i]; }
    for (var i = 0u; i < 4u; i++) { xs[(half + i) * 32u + lane % 32u] = x[x_at + unit * 8u + half + i]; }
    workgroupBarrier();
    for (var i = 0u; i < 8u; i++) {
      let a = ws[i * 64u + first_row];
      let b = ws[i * 64u + first_row + 1u];
      let c = ws[i * 64u + first_row + 2u];
      let d = ws[i * 64u + first_row + 3u];
      for (var j = 0u; j < 8u; j++) {
        let v = xs[i * 32u + first_input + j];
        sums[j] += vec4<f32>(dot(a, v), dot(b, v), dot(c, v), dot(d, v));
      }
    }
    workgroupBarrier();
  }
  let out = group.x * 64u + first_row;
  for (var j = 0u; j < 8u; j++) {
    if (first_input + j < tile.count) {
      let to = output_row(tile.first + first_input + j) * p.stride + p.at + out;
      for (var i = 0u; i < 4u && out + i < p.rows; i++) { y[to + i] = select(0.0, y[to + i], accumulate) + sums[j][i]; }
    }
  }
}
