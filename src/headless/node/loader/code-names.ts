/** Names the code uses for what the loader passes in; unlikely enough to collide with a program's own. */
export const NAMES = { import: "__tw_import", meta: "__tw_meta", publish: "__tw_export", default: "__tw_default", live: "__tw_live", fixed: "__tw_fixed" } as const;
