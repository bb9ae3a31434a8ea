// Entry of the storage worker: checks and repairs of stored models, and measurements, away from the page and from the engine.
import { expose } from "comlink";
import { installErrorWire } from "../src/base/wire.ts";
import { StorageDesk } from "../src/engine/storage-desk.ts";

installErrorWire();
expose(new StorageDesk());
