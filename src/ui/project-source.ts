// Where a project can come from, and how it leaves.
import { readZip, writeZip } from "../project/archive.ts";
import { demoProject } from "../project/demo.ts";
import { readFileList, readFolder } from "../project/folder.ts";
import type { FileTree } from "../project/tree.ts";
import type { PickedFolder } from "./file-picker.ts";

export interface OpenedProject {
  readonly name: string;
  readonly files: FileTree;
}
