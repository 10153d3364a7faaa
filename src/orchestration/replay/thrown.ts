import {
  type AnyContract,
  Failed,
  type Failures,
  Fault,
  type FaultCode,
  faultCodes,
  operationsOf,
} from "../../contracts/index.ts";
import type { ActionOutcome, Thrown } from "../journal/journal.ts";

/** What is written of something that was thrown. */
export function toThrown(error: unknown): Thrown {
  if (error instanceof Failed) {
    const { operation, code, details } = error;
    return { kind: "failed", operation, code, ...(details !== undefined && { details }) };
  }
  if (error instanceof Fault) return { kind: "fault", code: error.code, message: error.message };
  if (error instanceof Error) return { kind: "error", name: error.name, message: error.message };
  return { kind: "error", name: "Error", message: String(error) };
}

/** Throws again what was written: the same class, code and sentence, so that a workflow decides alike in replay. */
export type Rethrow = (thrown: Thrown) => Error;
export function toRethrow(
  contracts: readonly AnyContract[],
  own: { readonly id: string; readonly failures: Failures },
): Rethrow {
  const failures = new Map(contracts.flatMap(operationsOf).map(({ id, failures }) => [id, failures]));
  failures.set(own.id, own.failures);
  return (thrown) => {
    if (thrown.kind === "failed") {
      const declared = failures.get(thrown.operation)?.[thrown.code];
      if (declared) return new Failed(thrown.operation, thrown.code, declared, thrown.details);
      return new Fault(
        "Internal",
        `${thrown.operation} ended with ${thrown.code}, which its contract does not declare any more.`,
      );
    }
    if (thrown.kind === "fault" && faultCodes.includes(thrown.code as FaultCode))
      return new Fault(thrown.code as FaultCode, thrown.message);
    return Object.assign(new Error(thrown.message), { name: thrown.kind === "error" ? thrown.name : thrown.code });
  };
}

/** Whether a further attempt can help: a contract's failures say so themselves, an unforeseen error may be a passing one. */
export const canRetry = (error: unknown): boolean =>
  error instanceof Failed || error instanceof Fault ? error.retry !== "never" : true;

/** A declared failure is an answer: nothing was done. Of an unforeseen error nobody knows. */
export const outcomeOf = (error: unknown): ActionOutcome =>
  error instanceof Failed ? "not done" : error instanceof Fault ? error.outcome : "unknown";

export const sentenceOf = (thrown: Thrown): string =>
  thrown.kind === "failed" ? `${thrown.operation} ended with ${thrown.code}` : thrown.message;
