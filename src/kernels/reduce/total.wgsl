// The sum of every lane's value, the same for all lanes: within the subgroups by their own instruction, then over subgroups.
// The lanes of a subgroup are neighbours (src/gpu/subgroups.ts looks). Its size is what takes part: at most `lanes`.
fn total(lane: u32, value: VALUE) -> VALUE {
  let size = subgroupAdd(1u);
  let sum_here = subgroupAdd(value);
  if (lane % size == 0u) { SHARED[lane / size] = sum_here; }
  workgroupBarrier();
  var sum = VALUE();
  for (var i = 0u; i < lanes / size; i++) { sum += SHARED[i]; }
  workgroupBarrier();
  return sum;
}
