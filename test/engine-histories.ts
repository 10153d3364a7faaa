import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { type Choices, playAgainstModel, raceForOneOrder } from "trilith/testing";
import type { Engine } from "../src/storage/host.ts";

/** Histories that fast-check draws, and makes as short as can be when one of them fails. */
export async function checkHistories(engine: Engine, numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(decisions, (drawn) => playAgainstModel(engine, `told-${randomUUID()}`, toChoices(drawn))),
    { numRuns },
  );
}

/** The same for appends that come all at once, on as many engines as there are. */
export async function checkRaces(engines: readonly Engine[], numRuns: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(decisions, (drawn) => raceForOneOrder(engines, `raced-${randomUUID()}`, toChoices(drawn))),
    { numRuns },
  );
}

const decisions = fc.array(fc.nat(), { minLength: 1, maxLength: 400, size: "max" });

/** What was drawn, decision by decision, and the first of all possibilities after that. */
function toChoices(drawn: readonly number[]): Choices {
  let next = 0;
  return {
    get ended() {
      return next >= drawn.length;
    },
    below: (limit) => (drawn[next++] ?? 0) % limit,
  };
}
