// The hook that the commands drive: loaded only with `?lab`, never in normal use. Each room adds its part from its own file.
import { containerLab } from "./lab-container.ts";

export interface Lab {
  [part: string]: unknown;
}

const lab: Lab = { container: containerLab };
Object.assign(globalThis, { tabwrightLab: lab });
