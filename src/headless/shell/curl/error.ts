/** What ends a transfer: curl's code and words (curl(1), EXIT CODES). */
export class CurlError extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}
