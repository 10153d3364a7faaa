import type { AnySchema, Out, Schema } from "./schema.ts";

/** Whether a repetition can help: `never`, `later` (after a pause), `now`. */
export type Retry = "never" | "later" | "now";

/** A way in which an operation may end that its contract declares. */
export interface Failure<Status extends number = number, D = void> {
  readonly kind: "failure";
  readonly status: Status;
  readonly message: string;
  readonly retry: Retry;
  readonly details?: AnySchema;
  readonly "~details"?: D;
}
type AnyFailure = Failure<number, any>; // whatever its details are
export type Failures = { readonly [name: string]: AnyFailure };

/** Declares a failure: its HTTP status, a sentence for people, whether a retry can help, and what is told with it. */
export function failure<const Status extends number, D extends AnySchema = Schema<void>>(
  status: Status,
  message: string,
  options: { readonly retry?: Retry; readonly details?: D } = {},
): Failure<Status, Out<D>> {
  if (!Number.isInteger(status) || status < 400 || status > 599) {
    throw new TypeError(`A failure has an HTTP status from 400 to 599; ${status} is not one.`);
  }
  const { retry = "never", details } = options;
  return Object.freeze({ kind: "failure", status, message, retry, ...(details && { details }) });
}

/** Ends the operation with a declared failure. It throws; `return`, `throw`, `??` and `:` in front of it all read well. */
export type Fail<F extends Failures> = {
  readonly [K in keyof F]: F[K] extends Failure<number, infer D>
    ? (...details: [D] extends [void] ? [] : [details: D]) => never
    : never;
};

/** A declared failure, thrown. `code` is its name in the contract, `operation` the one that ended with it. */
export class Failed extends Error {
  override readonly name = "Failed";
  readonly code: string;
  readonly operation: string;
  readonly status: number;
  readonly retry: Retry;
  readonly details: unknown;
  constructor(operation: string, code: string, declared: AnyFailure, details?: unknown) {
    super(declared.message);
    this.operation = operation;
    this.code = code;
    this.status = declared.status;
    this.retry = declared.retry;
    this.details = details;
  }
}

/** The `fail` that a handler is given: one function a declared failure. */
export function toFail<F extends Failures>(operation: string, failures: F): Fail<F> {
  return Object.fromEntries(
    Object.entries(failures).map(([code, declared]) => [
      code,
      (details?: unknown): never => {
        throw new Failed(operation, code, declared, details);
      },
    ]),
  ) as Fail<F>; // fromEntries forgets that each function returns never
}
