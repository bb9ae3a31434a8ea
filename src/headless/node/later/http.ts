// node:http, node:https, and what node:tls and node:dgram have here.
export { createDgram, createHttp, createHttps, createTls } from "../http/index.ts";
export { createHttpCommon } from "../http/common-module.ts";
