/**
 * Why there is no whole answer:
 * - `not connected`: no connection came about, so nothing was sent
 * - `interrupted`: the connection ended before the answer did
 * - `given up`: the caller aborted
 * - `forbidden`: an inner address that nobody named; nothing was sent
 * - `too large`, `unreadable`: there is an answer, and its body cannot be taken
 */
export type HttpProblemKind = "not connected" | "interrupted" | "given up" | "forbidden" | "too large" | "unreadable";

/** The message completes a sentence that begins with who was asked, and holds no address. The details are in `cause`. */
export class HttpProblem extends Error {
  override readonly name = "HttpProblem";
  readonly kind: HttpProblemKind;
  constructor(kind: HttpProblemKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.kind = kind;
  }
}
