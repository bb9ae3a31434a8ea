// Every kernel of the engine. Formula, source and workgroup mapping are in ops/*.wgsl; bindings, parameters and the f64
// definition in ops/*.ts; code per weight type in dequant/*.wgsl.
//
// A token is, with x the residual stream:
//   embedding → x
//   Gated DeltaNet layer                          | attention layer
//   matvec normed (x → q k v | z | ba)            | matvec normed (x → q gate | k | v; some have no gate)
//   deltanet                                      | attention; on a GPU in splits, then attention_join
//   matvec accumulate (→ x)                       | matvec accumulate (→ x)
//   matvec normed (x → router | shared gate); route; experts_up; experts_down (→ x)
//   dense: experts_up; experts_down (→ x) of a shared expert alone
//   matvec normed (x → logits)
// 7 dispatches a layer, 5 in a dense one, one more where attention is split, in one pass. Adapters that compute on the CPU (src/gpu/quirks.ts) take other lanes: rowLanes(). `prepare()` of src/gpu/dispatch.ts binds each once; from token to token only the step
// buffer (step.ts) changes. After a miss all kernels do nothing until the host clears routing's first word (routing.ts).
//
// Many tokens of a prompt at once, layer by layer (src/model/prefill.ts): rmsnorm, matmul, then attention_append and
// attention_tiles or the four of deltanet-segment.ts, matmul (→ x), rmsnorm, matmul, route; the experts in batches of
// (token, expert) pairs: matmul (gate, up), swiglu, matmul (down), combine (→ x).
export { attention, packAttentionConstants } from "./ops/attention.ts";
export { attentionJoin, attentionParts, attentionSplits } from "./ops/attention-join.ts";
export { attentionAppend } from "./ops/attention-append.ts";
export { ATTENTION_TILES_MOST_DIM, attentionTilesLanes, attentionTiles } from "./ops/attention-tiles.ts";
export { combine } from "./ops/combine.ts";
export { deltanetFor, deltanetSizes, packDeltanetConstants } from "./ops/deltanet.ts";
export { DELTA_CHUNK, DELTA_MATS, deltanetChunks, deltanetConv, deltanetOut, deltanetScan, takesDeltaHeads } from "./ops/deltanet-segment.ts";
export { embedding } from "./ops/embedding.ts";
export { expertsDown } from "./ops/experts-down.ts";
export { expertsUp } from "./ops/experts-up.ts";
export { matmulFor, type MatmulChoice } from "./ops/matmul.ts";
export { matvec } from "./ops/matvec.ts";
export { rmsnorm } from "./ops/rmsnorm.ts";
export { route } from "./ops/route.ts";
export { swiglu } from "./ops/swiglu.ts";
export { NO_SLOT, RoutingView, routingBytes, type Choice } from "./routing.ts";
export { packStep, stepBytes, type Step } from "./step.ts";
export { lanesFor, rowLanes, type KernelWeightType, type Lanes } from "./weights.ts";
