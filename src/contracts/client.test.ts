import { describe, expect, it } from "vitest";
import { z } from "zod";
import { type Answer, anonymous, type Call, type Dispatch } from "./call.ts";
import { toClient } from "./client.ts";
import { contract } from "./contract.ts";
import { event } from "./event.ts";
import { Failed, failure } from "./failure.ts";
import { command, query } from "./operation.ts";
import { silent } from "./trace.ts";

const Seat = z.object({ flight: z.string() });
const SoldOut = failure(409, "No seat is left.");
const Bookings = contract("seat-bookings", "1.0.0", {
  hold: command({ input: Seat, failures: { SoldOut } }),
  count: query({ input: Seat, output: z.number() }),
  SeatHeld: event(Seat),
});
const call: Call = { principal: anonymous, trace: silent, aborted: new AbortController().signal, key: "k" };

/** A dispatch that answers from a function and keeps what it was asked. */
function dispatching(answer: (operation: string, input: unknown) => Answer) {
  const asked: unknown[] = [];
  const dispatch: Dispatch = {
    async call(operation, input, travelling) {
      asked.push([operation, input, travelling]);
      return answer(operation, input);
    },
    void: async () => ({ took: "unknown" }),
  };
  return { asked, client: toClient(Bookings, dispatch, call) };
}

describe("a client", () => {
  it("has one function for each operation, and none for events", () => {
    expect(Object.keys(dispatching(() => ({ wire: 1, value: 1 })).client)).toEqual(["hold", "count"]);
  });

  it("calls by the operation's id, with its context, and gives back the value as it is read", async () => {
    const { asked, client } = dispatching(() => ({ wire: "2", value: 2 }));
    expect(await client.count({ flight: "UA1" })).toBe(2);
    expect(asked).toEqual([["seat-bookings.count", { flight: "UA1" }, call]]);
  });

  it("throws what the operation ended with", async () => {
    const { client } = dispatching((operation) => {
      throw new Failed(operation, "SoldOut", SoldOut);
    });
    await expect(client.hold({ flight: "UA1" })).rejects.toMatchObject({ name: "Failed", code: "SoldOut" });
  });

  it("says what to do where a command is still under way", async () => {
    const { client } = dispatching(() => ({ accepted: true, run: "r-1" }));
    await expect(client.hold({ flight: "UA1" })).rejects.toThrow(
      "seat-bookings.hold was accepted as run r-1; call it without patience to wait for its result.",
    );
  });

  it("cannot be changed", () => {
    expect(Object.isFrozen(dispatching(() => ({ wire: 1, value: 1 })).client)).toBe(true);
  });
});
