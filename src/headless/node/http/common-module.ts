// node:_http_common: what packages that stand between a program and its connections take from it.
import type { Dict } from "../runtime.ts";
import { isBadValue, isToken } from "./common.ts";
import { HTTPParser, NUMBERED_METHODS } from "./native-parser.ts";

export function createHttpCommon(): Dict {
  return {
    _checkInvalidHeaderChar: (value: unknown) => isBadValue(String(value)), _checkIsHttpToken: isToken, chunkExpression: /(?:^|\W)chunked(?:$|\W)/i, continueExpression: /(?:^|\W)100-continue(?:$|\W)/i,
    CRLF: "\r\n", methods: [...NUMBERED_METHODS], HTTPParser, kIncomingMessage: Symbol("IncomingMessage"),
  };
}
