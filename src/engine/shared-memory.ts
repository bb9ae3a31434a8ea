// One budget of GPU memory for two models: what the small one takes is not the large one's. Pure; bytes.

/** Of the budget, at most, for the small model: the large one is why there is a budget. */
const HELPER_PART = 0.25;

/** What the helper may take of a budget: a quarter, at least what it needs to run at all, at most what it can use. */
export function helperBudget(budget: number, needs: { readonly gpuBytes: number; readonly leastGpuBytes: number } | undefined): number {
  const part = Math.floor(budget * HELPER_PART);
  return needs ? Math.min(needs.gpuBytes, Math.max(needs.leastGpuBytes, part)) : part;
}

/** Whether the large model, as it is loaded, must be loaded again with less so that the helper fits beside it. */
export function mustShrink(budget: number, modelBytes: number, helperBytes: number): boolean {
  return modelBytes + helperBytes > budget;
}
