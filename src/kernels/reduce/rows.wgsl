// The sum over the lanes that share a row, for each of them: lanes of one subgroup exchange their values, then the subgroups of
// a row meet in shared memory. Lanes of a subgroup are neighbours, and lanes_per_row a power of two.

/// `value` of the lane whose number differs in this bit, added; nothing where no such lane shares the row and the subgroup.
fn with_neighbour(value: vec4<f32>, bit: u32, size: u32) -> vec4<f32> {
  if (bit >= lanes_per_row) { return value; }
  let other = subgroupShuffleXor(value, bit);
  return select(value, value + other, bit < size);
}

fn within_subgroup(value: vec4<f32>, size: u32) -> vec4<f32> {
  var sum = with_neighbour(value, 1u, size);
  sum = with_neighbour(sum, 2u, size);
  sum = with_neighbour(sum, 4u, size);
  sum = with_neighbour(sum, 8u, size);
  sum = with_neighbour(sum, 16u, size);
  sum = with_neighbour(sum, 32u, size);
  return with_neighbour(sum, 64u, size);
}

fn row_sum(lane: u32, value: VALUE) -> VALUE {
  if (lanes_per_row == 1u) { return value; }
  let size = subgroupAdd(1u);
  SHARED[lane] = WITHIN;
  workgroupBarrier();
  let first = lane - lane % lanes_per_row;
  var sum = SHARED[first];
  for (var i = size; i < lanes_per_row; i += size) { sum += SHARED[first + i]; }
  return sum;
}
