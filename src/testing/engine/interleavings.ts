import assert from "node:assert/strict";
import { type Choices, playAgainstModel } from "./play.ts";
import { raceForOneOrder } from "./race.ts";
import { type Cases, toRange } from "./room.ts";

/** Histories that nobody thought of: the engine and the model are told the same, and have to say the same. */
export const interleavings: Cases = {
  "random histories have the outcomes and the contents of the model": async (room) => {
    for (const seed of [1, 2, 3, 5, 8, 13]) {
      const { choices, drawn } = toChoices(seed, 900);
      try {
        await playAgainstModel(room.engine, `seed-${seed}`, choices);
      } catch (error) {
        throw new assert.AssertionError({ message: `Seed ${seed}, after ${drawn()} choices: ${error}` });
      }
    }
  },

  "appends that race have one order that explains every outcome": async (room) => {
    for (const seed of toRange(12)) {
      const { choices } = toChoices(seed, 250);
      await raceForOneOrder([room.engine], `race-${seed}`, choices);
    }
  },

  "appends that race from two engines have one order that explains every outcome": async (room) => {
    const engines = [room.engine, await room.second()];
    for (const seed of toRange(12)) {
      const { choices } = toChoices(seed, 250);
      await raceForOneOrder(engines, `race-${seed}`, choices);
    }
  },

  "random histories go on across a restart": async (room) => {
    const { choices } = toChoices(21, 900);
    await playAgainstModel(room.engine, "restarted", choices, async () => {
      await room.reopen();
      return room.engine;
    });
  },
};

/** The same numbers for the same seed (mulberry32), so that a failure can be had again. */
function toChoices(seed: number, length: number): { readonly choices: Choices; drawn(): number } {
  let state = seed;
  let drawn = 0;
  const choices: Choices = {
    get ended() {
      return drawn >= length;
    },
    below(limit) {
      drawn++;
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
    },
  };
  return { choices, drawn: () => drawn };
}
