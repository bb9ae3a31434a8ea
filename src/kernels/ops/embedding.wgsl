// x[t, c] = table[step[t], c]
// table: [rows, columns] weights   step: the tokens' ids, or a Step, which begins with the only one's   x: [tokens, columns] f32
// One lane a unit of 32 columns.
// A table cut by rows takes a dispatch a piece: `first` is the token of its first row, and tokens of other pieces are left alone.
override first: u32 = 0u;
override whole: bool = true;

struct Params { rows: u32, columns: u32 }

@group(0) @binding(0) var<storage, read>       table:   array<vec4<u32>>;
@group(0) @binding(1) var<storage, read>       step:    array<u32>;
@group(0) @binding(2) var<storage, read>       routing: array<u32>;
@group(0) @binding(3) var<storage, read_write> x:       array<vec4<f32>>;
@group(0) @binding(4) var<uniform>             p:       Params;

// weights table: table
fn unpack_table(start: u32, rows: u32, units: u32, row: u32, unit: u32) -> array<vec4<f32>, 8> {
  return array<vec4<f32>, 8>();
}
// end weights

@compute @workgroup_size(64)
fn embedding(@builtin(global_invocation_id) id: vec3<u32>) {
  let units = p.columns / 32u;
  if (routing[0] != 0u || id.x >= units) { return; }
  let token = step[id.y];
  if (!whole && (token < first || token - first >= p.rows)) { return; }
  let values = unpack_table(0u, p.rows, units, min(token - first, p.rows - 1u), id.x);
  let at = (id.y * units + id.x) * 8u;
  x[at] = values[0];
  x[at + 1u] = values[1];
  x[at + 2u] = values[2];
  x[at + 3u] = values[3];
  x[at + 4u] = values[4];
  x[at + 5u] = values[5];
  x[at + 6u] = values[6];
  x[at + 7u] = values[7];
}
