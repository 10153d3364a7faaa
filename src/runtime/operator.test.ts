import { type Logger, pino } from "pino";
import { expect, it } from "vitest";
import { tellAttempt } from "./operator.ts";

const event = {
  run: "r-1",
  operation: "trips.book",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  step: "payments.charge",
  attempt: 2,
  reason: "The service did not answer.",
  outcome: "unknown",
} as const;

function logged(tell: (log: Logger) => void): unknown {
  const lines: string[] = [];
  const log: Logger = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
  tell(log);
  expect(lines).toHaveLength(1);
  return JSON.parse(lines[0] ?? "");
}

it("warns of a failed attempt with run, step, attempt and reason, and says whether another follows", () => {
  const told = { run: "r-1", operation: "trips.book", step: "payments.charge", attempt: 2, reason: event.reason };
  expect(logged((log) => tellAttempt(log, { ...event, retryInMs: 150 }))).toMatchObject({
    ...{ ...told, level: 40, outcome: "unknown", retryInMs: 150, trace: "0af7651916cd43dd8448eb211c80319c" },
    msg: 'Attempt 2 of the step "payments.charge" of trips.book failed. It is tried again.',
  });
  expect(logged((log) => tellAttempt(log, event))).toMatchObject({
    ...told,
    msg: 'Attempt 2 of the step "payments.charge" of trips.book failed. It is not tried again.',
  });
});
