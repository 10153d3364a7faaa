import { type Logger, pino } from "pino";
import { expect, it } from "vitest";
import { toLoggedError } from "./logged-error.ts";

function loggedMessage(err: unknown): string {
  const lines: string[] = [];
  const log: Logger = pino({ serializers: { err: toLoggedError } }, { write: (line) => void lines.push(line) });
  log.error({ err }, "It failed.");
  return JSON.parse(lines[0] ?? "").err.message ?? JSON.parse(lines[0] ?? "").err;
}

const cause = new TypeError("An event bank.Paid does not fit its schema.");

it("says a sentence once, where an error says what its cause said", () => {
  const failed = new Error(`bank.get failed: ${cause.message}`, { cause });
  expect(loggedMessage(failed)).toBe("bank.get failed: An event bank.Paid does not fit its schema.");
});

it("says what the causes say and the error does not, and ends where they go round", () => {
  const between = new Error("The file cannot be read.", { cause });
  expect(loggedMessage(new Error("It does not start.", { cause: between }))).toBe(
    "It does not start.: The file cannot be read.: An event bank.Paid does not fit its schema.",
  );
  const round = new Error("Round.");
  round.cause = round;
  expect(loggedMessage(round)).toBe("Round.");
});

it("leaves alone what is no error", () => {
  expect(loggedMessage("a text")).toBe("a text");
});
