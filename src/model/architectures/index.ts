// The architectures that run. One more is one more file here and one more line below.
import type { Architecture } from "./architecture.ts";
import { qwen2 } from "./qwen2.ts";
import { qwen3 } from "./qwen3.ts";
import { qwen35 } from "./qwen35.ts";
import { qwen35moe } from "./qwen35moe.ts";
import { qwen3moe } from "./qwen3moe.ts";
import { qwen3next } from "./qwen3next.ts";

export type { Architecture } from "./architecture.ts";

export const ARCHITECTURES: readonly Architecture[] = [qwen3next, qwen3moe, qwen35moe, qwen35, qwen3, qwen2];
