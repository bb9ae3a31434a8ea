// Entry of the inference worker: the engine, the model and the GPU live here.
import { expose } from "comlink";
import { installErrorWire } from "../src/base/wire.ts";
import { LabInference } from "../src/engine/lab.ts";

installErrorWire();
expose(new LabInference());
