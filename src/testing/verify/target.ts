import {
  type AnyContract,
  Failed,
  Fault,
  type FaultCode,
  type Named,
  type Operation,
  operationsOf,
  validate,
} from "../../contracts/index.ts";
import { callOverHttp } from "./over-http.ts";

/** How one call ended, whoever was called. */
export type Ended =
  | { readonly kind: "answer"; readonly output: unknown }
  | { readonly kind: "failure"; readonly code: string; readonly details?: unknown }
  | { readonly kind: "fault"; readonly code: string; readonly status: number; readonly detail: string }
  /** It did not keep to the form: another status, no problem document. */
  | { readonly kind: "odd"; readonly why: string };

/** Who is verified: by address, or by a function, as `fake` and `mock` have it. */
export type Implementation =
  | string
  | { readonly url: string; readonly headers?: { readonly [name: string]: string } }
  | { readonly call: (operation: string, input: unknown, call: any) => Promise<unknown> }; // a fake's call takes a whole context, of which the key counts

export interface Target {
  readonly isOutside: boolean;
  /** The operations that can be reached. */
  readonly operations: readonly (Operation & Named)[];
  call(operation: Operation & Named, input: unknown, key: string | undefined): Promise<Ended>;
}

export function toTarget(contract: AnyContract, implementation: Implementation): Target {
  const operations = operationsOf(contract);
  if (typeof implementation === "object" && "call" in implementation)
    return {
      isOutside: false,
      operations,
      call: async ({ id, input: schema }, input, key) => {
        const read = await validate(schema, input);
        return implementation.call(id, read.ok ? read.value : input, key === undefined ? {} : { key }).then(
          (output) => ({ kind: "answer", output: output ?? undefined }),
          (error: unknown) => toEnded(error),
        );
      },
    };
  const { url, headers = {} } = typeof implementation === "string" ? { url: implementation } : implementation;
  return {
    isOutside: true,
    operations: operations.filter(({ route }) => route !== undefined),
    call: (operation, input, key) => callOverHttp({ url, headers }, operation, input, key),
  };
}

function toEnded(error: unknown): Ended {
  if (error instanceof Failed) return { kind: "failure", code: error.code, details: error.details };
  if (error instanceof Fault) return { kind: "fault", code: error.code, status: error.status, detail: error.message };
  const detail = error instanceof Error ? error.message : String(error);
  return { kind: "fault", code: "Internal" satisfies FaultCode, status: 500, detail };
}
