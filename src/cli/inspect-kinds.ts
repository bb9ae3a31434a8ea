// node-inspect-extracted tells a Map, a Set or a Promise by the name of its class, and immutable's Map, bluebird's Promise
// and many others bear these names: printing one failed or lied. In the bundle it asks the engine as well. It also reads
// `length` of any object to know whether it is `arguments`: a getter there was called, and its error ended the program.
// (Version 3.0.2. A release that asks by itself makes this file needless; it says so by failing here.)
import type { Plugin } from "vite";

const EDITS: readonly (readonly [string, string])[] = [
  ['if(!i(t,"Map"))return!1;try{t.has()}', 'if(!i(t,"Map"))return!1;try{Map.prototype.has.call(t)}'],
  ['if(!i(t,"Set"))return!1;try{t.has()}', 'if(!i(t,"Set"))return!1;try{Set.prototype.has.call(t)}'],
  ['isPromise:function(t){return i(t,"Promise")}', 'isPromise:(P=>t=>t instanceof P)(Promise)'],
  ['isWeakMap:function(t){return i(t,"WeakMap")}', 'isWeakMap:function(t){if(!i(t,"WeakMap"))return!1;try{WeakMap.prototype.has.call(t)}catch(t){return!1}return!0}'],
  ['isWeakSet:function(t){return i(t,"WeakSet")}', 'isWeakSet:function(t){if(!i(t,"WeakSet"))return!1;try{WeakSet.prototype.has.call(t)}catch(t){return!1}return!0}'],
  ['isRegExp:function(t){return i(t,"RegExp")}', 'isRegExp:function(t){if(!i(t,"RegExp"))return!1;try{Object.getOwnPropertyDescriptor(RegExp.prototype,"hasIndices").get.call(t)}catch(t){return!1}return!0}'],
  [`isArgumentsObject:function(t){if(null!==t&&"object"===n(t)&&!Array.isArray(t)&&"number"==typeof t.length&&t.length===(0|t.length)&&t.length>=0){var e=Object.getOwnPropertyDescriptor(t,"callee");return e&&!e.enumerable}return!1}`,
    `isArgumentsObject:function(t){return null!==t&&"object"===n(t)&&!(Symbol.toStringTag in t)&&"[object Arguments]"===Object.prototype.toString.call(t)}`],
];

export const inspectKinds: Plugin = {
  name: "inspect-kinds",
  transform(code, id) {
    if (!id.replaceAll("\\", "/").endsWith("node-inspect-extracted/dist/inspect.js")) return undefined;
    let edited = code;
    for (const [from, to] of EDITS) {
      if (!edited.includes(from)) this.error(`node-inspect-extracted has changed: it has no ${from}. See src/cli/inspect-kinds.ts.`);
      edited = edited.replace(from, () => to);
    }
    return { code: edited, map: null };
  },
};
