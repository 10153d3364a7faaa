import { DatabaseError } from "pg";
import { expect, test } from "vitest";
import { systemClock } from "../../contracts/index.ts";
import { rideOut } from "./riding-out.ts";

const patience = { clock: systemClock, patienceMs: 10_000, ended: new AbortController().signal };
const lost = new Error("read ECONNRESET");
const refused = Object.assign(new DatabaseError("permission denied", 0, "error"), { code: "42501" });

/** What becomes of an attempt whose tries end with these. */
async function endOf(...errors: readonly Error[]): Promise<unknown> {
  const left = [...errors];
  return rideOut(patience, async (again) => {
    const error = left.shift();
    if (error) throw error;
    return again ? "again" : "once";
  }).catch((error: unknown) => error);
}

test("a try whose answer was lost is made again, and knows it", async () => {
  expect(await endOf()).toBe("once");
  expect(await endOf(lost)).toBe("again");
});

test("what failed was not done, but where the answer of an earlier try was lost nobody knows", async () => {
  expect(await endOf(refused)).toBe(refused);
  expect(await endOf(lost, refused)).toMatchObject({ code: "Unavailable", outcome: "unknown", cause: refused });
});
