// Eight vec4s that all lanes want. A software adapter loads for each of the four lanes of a register, also where all load the same:
// so each loads two of the eight, and has the others from its neighbours. Where lanes share a row they are at different places.
fn eight(i: u32, at: u32, lane: u32) -> array<vec4<f32>, 8> {
  if (lanes_per_row > 1u) { return array<vec4<f32>, 8>(input(i, at), input(i + 1u, at), input(i + 2u, at), input(i + 3u, at), input(i + 4u, at), input(i + 5u, at), input(i + 6u, at), input(i + 7u, at)); }
  let near = input(i + lane % 4u, at);
  let far = input(i + 4u + lane % 4u, at);
  return array<vec4<f32>, 8>(
    subgroupBroadcast(near, 0u), subgroupBroadcast(near, 1u), subgroupBroadcast(near, 2u), subgroupBroadcast(near, 3u),
    subgroupBroadcast(far, 0u), subgroupBroadcast(far, 1u), subgroupBroadcast(far, 2u), subgroupBroadcast(far, 3u));
}
