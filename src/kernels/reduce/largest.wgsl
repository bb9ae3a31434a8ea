// The largest of every lane's values, the same for all lanes: as `total`.
fn largest_of(lane: u32, value: VALUE) -> VALUE {
  let size = subgroupAdd(1u);
  let largest_here = subgroupMax(value);
  if (lane % size == 0u) { SHARED[lane / size] = largest_here; }
  workgroupBarrier();
  var largest = SHARED[0];
  for (var i = 1u; i < lanes / size; i++) { largest = max(largest, SHARED[i]); }
  workgroupBarrier();
  return largest;
}
