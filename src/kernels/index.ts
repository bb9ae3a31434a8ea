// Every kernel of the engine. Formula, source and workgroup mapping are in ops/*.wgsl; bindings, parameters and the f64
// definition in ops/*.ts; code per weight type in dequant/*.wgsl.
//
// A token is, with x the residual stream:
//   embedding → x
//   Gated DeltaNet layer                          | attention layer
//   matvec normed (x → q k v | z | ba)            | matvec normed (x → q gate | k | v)
//   deltanet                                      | attention
//   matvec accumulate (→ x)                       | matvec accumulate (→ x)
//   matvec normed (x → router | shared gate); route; experts_up; experts_down (→ x)
//   matvec normed (x → logits)
// 7 dispatches a layer, in one pass. Adapters that compute on the CPU (src/gpu/quirks.ts) take other `lanes`: lanesFor(). `prepare()` of src/gpu/dispatch.ts binds each once; from token to token only the step
// buffer (step.ts) changes. After a miss all kernels do nothing until the host clears routing's first word (routing.ts).
export { attention } from "./ops/attention.ts";
export { deltanet, deltanetSizes, packDeltanetConstants } from "./ops/deltanet.ts";
export { embedding } from "./ops/embedding.ts";
export { expertsDown } from "./ops/experts-down.ts";
export { expertsUp } from "./ops/experts-up.ts";
export { matvec } from "./ops/matvec.ts";
export { route } from "./ops/route.ts";
export { NO_SLOT, RoutingView, routingBytes, type Choice } from "./routing.ts";
export { packStep, stepBytes, type Step } from "./step.ts";
export { lanesFor, type KernelWeightType, type Lanes } from "./weights.ts";
