// `node --watch`.
export { runWatched } from "../watch/watch-mode.ts";
