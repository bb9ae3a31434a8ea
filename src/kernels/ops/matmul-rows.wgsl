// matmul.wgsl for adapters that compute on the CPU: the same product, bindings and parameters, without shared memory.
// There a barrier switches coroutines and a load gathers lane by lane, so a lane keeps one unit of 4 rows of W, unpacked, and
// takes the same unit of 16 rows of x to it one after the other. The loops test at their end: see matvec.wgsl.
// A workgroup of 16 lanes takes 64 rows of W × 16 of x.
override grouped: bool = false;
override gather: bool = false;
override accumulate: bool = false;
/// Every lane has rows of its own.
const lanes_per_row = 1u;

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
  return Tile(p.matrix_at, y * 16u, min(16u, plan[0].x - y * 16u));
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

fn input(i: u32, at: u32) -> vec4<f32> { return x[at + i]; }

// quads
/// The eight vec4s from `i` on.
fn eight(i: u32, at: u32, lane: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>(input(i, at), input(i + 1u, at), input(i + 2u, at), input(i + 3u, at), input(i + 4u, at), input(i + 5u, at), input(i + 6u, at), input(i + 7u, at));
}
// end quads

fn dot32(a: array<vec4<f32>, 8>, b: array<vec4<f32>, 8>) -> f32 {
  return dot(a[0], b[0]) + dot(a[1], b[1]) + dot(a[2], b[2]) + dot(a[3], b[3]) + dot(a[4], b[4]) + dot(a[5], b[5]) + dot(a[6], b[6]) + dot(a[7], b[7]);
}

@compute @workgroup_size(16)
fn matmul_rows(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let tile = tile_of(group.y);
  let units = p.columns / 32u;
  let first = (group.x * 16u + lane) * 4u;
  let row = min(vec4<u32>(first, first + 1u, first + 2u, first + 3u), vec4<u32>(p.rows - 1u));
  var sums = array<vec4<f32>, 16>();
  var unit = 0u;
  loop {
    let a = unpack_matrix(tile.start, p.rows, units, row.x, unit);
    let b = unpack_matrix(tile.start, p.rows, units, row.y, unit);
    let c = unpack_matrix(tile.start, p.rows, units, row.z, unit);
    let d = unpack_matrix(tile.start, p.rows, units, row.w, unit);
    var j = 0u;
    loop {
      let v = eight(unit * 8u, input_row(tile.first + j) * units * 8u, lane);
      sums[j] += vec4<f32>(dot32(a, v), dot32(b, v), dot32(c, v), dot32(d, v));
      continuing { j++; break if j >= tile.count; }
    }
    continuing { unit++; break if unit >= units; }
  }
  for (var j = 0u; j < tile.count; j++) {
    let to = output_row(tile.first + j) * p.stride + p.at + first;
    for (var i = 0u; i < 4u && first + i < p.rows; i++) { y[to + i] = select(0.0, y[to + i], accumulate) + sums[j][i]; }
  }
}
