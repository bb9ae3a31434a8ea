// Of the answers that the kernel gives to synchronous calls.
export { decode } from "@msgpack/msgpack";
