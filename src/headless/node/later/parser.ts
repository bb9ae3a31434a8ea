// JavaScript's grammar: for ES modules, and for what must be known of a program's text.
export { parse } from "acorn";
