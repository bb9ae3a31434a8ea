// Q4_K by parts: the block's head, and one word of each two units that share their bytes.
struct Part_weights { head: vec4<u32>, q: vec4<u32> }

fn four_weights(word: u32) -> vec4<f32> {
  return vec4<f32>((vec4<u32>(word) >> vec4<u32>(0u, 8u, 16u, 24u)) & vec4<u32>(255u));
}

fn read_part_weights(start: u32, rows: u32, units: u32, row: u32, place: u32) -> Part_weights {
  let at = start + (row * (units >> 3u) + (place >> 3u)) * 9u;
  let q_at = at + 1u + ((place & 7u) >> 2u);
  let word = place & 3u;
  return Part_weights(weights[at], vec4<u32>(weights[q_at][word], weights[q_at + 2u][word], weights[q_at + 4u][word], weights[q_at + 6u][word]));
}

fn dot_part_weights(part: Part_weights, x: Inputs) -> f32 {
  let head = part.head;
  let even = part.q & vec4<u32>(0x0f0f0f0fu);
  let odd = (part.q >> vec4<u32>(4u)) & vec4<u32>(0x0f0f0f0fu);
  let near = vec4<f32>(dot(four_weights(even.x), x.v[0]), dot(four_weights(odd.x), x.v[1]), dot(four_weights(even.y), x.v[2]), dot(four_weights(odd.y), x.v[3]));
  let far = vec4<f32>(dot(four_weights(even.z), x.v[4]), dot(four_weights(odd.z), x.v[5]), dot(four_weights(even.w), x.v[6]), dot(four_weights(odd.w), x.v[7]));
  let scaled = dot(four_weights(head.y & 0x3f3f3f3fu), near) + dot(four_weights((head.w & 0x0f0f0f0fu) | ((head.y >> 2u) & 0x30303030u)), far);
  let least = dot(four_weights(head.z & 0x3f3f3f3fu), x.near) + dot(four_weights(((head.w >> 4u) & 0x0f0f0f0fu) | ((head.z >> 2u) & 0x30303030u)), x.far);
  let d_min = unpack2x16float(head.x);
  return d_min.x * scaled - d_min.y * least;
}
