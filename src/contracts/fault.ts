import type { Retry } from "./failure.ts";
import type { Issue } from "./schema.ts";

export type FaultCode =
  | "MalformedBody"
  | "UnknownField"
  | "Unauthenticated"
  | "Forbidden"
  | "UnknownRoute"
  | "MethodNotAllowed"
  | "Voided"
  | "Cancelled"
  | "Terminated"
  | "BodyTooLarge"
  | "UnsupportedMediaType"
  | "InvalidInput"
  | "KeyReused"
  | "TooManyRequests"
  | "Internal"
  | "InvalidOutput"
  | "Unavailable"
  | "DeadlineExceeded";

const faults: {
  readonly [C in FaultCode]: { readonly status: number; readonly retry: Retry; readonly title: string };
} = {
  MalformedBody: { status: 400, retry: "never", title: "The body cannot be read." },
  UnknownField: { status: 400, retry: "never", title: "The answer has no such field." },
  Unauthenticated: { status: 401, retry: "never", title: "Nobody is signed in." },
  Forbidden: { status: 403, retry: "never", title: "The caller may not do this." },
  UnknownRoute: { status: 404, retry: "never", title: "There is nothing at this address." },
  MethodNotAllowed: { status: 405, retry: "never", title: "This address does not answer to that method." },
  Voided: { status: 409, retry: "never", title: "The call was given up before it arrived." },
  Cancelled: { status: 409, retry: "never", title: "The run was cancelled, and undone." },
  Terminated: { status: 409, retry: "never", title: "The run was ended from outside, and not undone." },
  BodyTooLarge: { status: 413, retry: "never", title: "The body is too large." },
  UnsupportedMediaType: { status: 415, retry: "never", title: "The body's media type is not understood." },
  InvalidInput: { status: 422, retry: "never", title: "The input breaks the contract." },
  KeyReused: { status: 422, retry: "never", title: "The key was used before with another input." },
  TooManyRequests: { status: 429, retry: "later", title: "Too many requests." },
  Internal: { status: 500, retry: "later", title: "Something went wrong." },
  InvalidOutput: { status: 502, retry: "never", title: "The answer breaks the contract." },
  Unavailable: { status: 503, retry: "later", title: "It cannot be done right now." },
  DeadlineExceeded: { status: 504, retry: "later", title: "The time ran out." },
};
export interface FaultOptions {
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
  readonly retry?: Retry;
  /** Whether the work may have been done all the same. Only `"not done"` is a promise. */
  readonly outcome?: "not done" | "unknown";
}

/** What can go wrong with any operation and is declared by none. Its `code` is stable; its message may be shown to a caller. */
export class Fault extends Error {
  override readonly name = "Fault";
  readonly code: FaultCode;
  readonly status: number;
  readonly retry: Retry;
  readonly title: string;
  readonly issues: readonly Issue[];
  readonly outcome: "not done" | "unknown";
  constructor(code: FaultCode, message: string, options: FaultOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    const { status, retry, title } = faults[code];
    this.code = code;
    this.status = status;
    this.title = title;
    this.retry = options.retry ?? retry;
    this.issues = options.issues ?? [];
    this.outcome = options.outcome ?? (status < 500 ? "not done" : "unknown");
  }
}

export const faultCodes: readonly FaultCode[] = Object.freeze(Object.keys(faults) as FaultCode[]);
