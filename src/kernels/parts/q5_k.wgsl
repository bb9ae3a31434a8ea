// Q5_K by parts: as Q4_K, and the word with the fifth bits of all eight units.
struct Part_weights { head: vec4<u32>, q: vec4<u32>, high: u32 }

fn four_weights(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let at = start + (row * (units >> 3u) + (place >> 3u)) * 11u;
  let half = (place & 7u) >> 2u;
  let q_at = at + 3u + half;
  let word = place & 3u;
  return Part_weights(weights[at], vec4<u32>(weights[q_at][word], weights[q_at + 2u][word], weights[q_at + 4u][word], weights[q_at + 6u][word]), weights[at + 1u + half][word]);
}

fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  let head = part.head;
  let high = vec4<u32>(part.high);
  let even = (part.q & vec4<u32>(0x0f0f0f0fu)) | (((high >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u));
  let odd = ((part.q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu)) | (((high >> vec4<u32>(1u, 3u, 5u, 7u)) & vec4<u32>(0x01010101u)) << vec4<u32>(4u));
  let near = vec4<f32>(dot(four_weights(even.x), x.v[0]), dot(four_weights(odd.x), x.v[1]), dot(four_weights(even.y), x.v[2]), dot(four_weights(odd.y), x.v[3]));
  let far = vec4<f32>(dot(four_weights(even.z), x.v[4]), dot(four_weights(odd.z), x.v[5]), dot(four_weights(even.w), x.v[6]), dot(four_weights(odd.w), x.v[7]));
  let scaled = dot(four_weights(head.y & 0x3f3f3f3fu), near) + dot(four_weights((head.w & 0x0f0f0f0fu) | ((head.y >> 2u) & 0x30303030u)), far);
  let least = dot(four_weights(head.z & 0x3f3f3f3fu), x.near) + dot(four_weights(((head.w >> 4u) & 0x0f0f0f0fu) | ((head.z >> 2u) & 0x30303030u)), x.far);
  let d_min = unpack2x16float(head.x);
  return d_min.x * scaled - d_min.y * least;
}
