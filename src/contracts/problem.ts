import { plainName } from "./adapt.ts";
import { Failed } from "./failure.ts";
import { Fault, type FaultCode } from "./fault.ts";
import type { Issue } from "./schema.ts";

/** Problem details (RFC 9457). `type` is stable; what is in `detail` is for people and may change. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance?: string;
  readonly code: string;
  readonly retry: "never" | "later" | "now";
  readonly details?: unknown;
  readonly issues?: readonly Issue[];
}

/** An older version's failures keep their names: `trips@1.book` is `trips.book` to whoever called it before. */
export const failureType = (operation: string, code: string): string =>
  `urn:trilith:failure:${plainName(operation)}:${code}`;
export const faultType = (code: FaultCode): string => `urn:trilith:fault:${code}`;

/** The problem document of whatever was thrown. What nobody declared tells nothing about itself: its details belong in the log. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Failed) {
    const { operation, code, status, message, retry, details } = thrown;
    return {
      type: failureType(operation, code),
      title: message,
      status,
      code,
      retry,
      ...(details !== undefined && { details }),
    };
  }
  const { code, title, status, message, retry, issues } =
    thrown instanceof Fault && thrown.code !== "Internal"
      ? thrown
      : new Fault("Internal", "The details are in the server's log, under the trace id of this request.");
  return { type: faultType(code), title, status, detail: message, code, retry, ...(issues.length > 0 && { issues }) };
}
