// Systems for test/bench.test.ts: one that does what it should, and some that do not.
import { appendFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { closedLoop } from "../bench/frame/closed-loop.ts";
import { Ledger } from "../bench/frame/ledger.ts";
import { expectEqual, type Open } from "../bench/frame/subject.ts";

export const version = (): string => "1.0.0";
export const works: { readonly [work: string]: Open } = {
  honest: async () => ({
    round: (asked) =>
      closedLoop(asked, async () => {
        await new Promise(setImmediate);
        return 1;
      }),
    verify: async () => {},
    close: async () => {},
  }),
  "answers-wrong": async () => {
    let answers = 0;
    return {
      round: (asked) =>
        closedLoop(asked, async () => {
          await new Promise(setImmediate);
          expectEqual(++answers === 5 ? 5 : 4, 4, "The answer");
          return 1;
        }),
      verify: async () => {},
      close: async () => {},
    };
  },
  "notes-its-turns": async ({ folder }) => ({
    async round() {
      await appendFile(join(dirname(folder), "turns"), `${basename(folder).replace("notes-its-turns-", "")}\n`);
      return { operations: 1, seconds: 1, p50Ms: 1, p90Ms: 1, p99Ms: 1, errors: 0 };
    },
    verify: async () => {},
    close: async () => {},
  }),
  forgets: async () => {
    const ledger = new Ledger();
    return {
      round: (asked) =>
        closedLoop(asked, async (client) => {
          await new Promise(setImmediate);
          ledger.acknowledged(client, ledger.next(client));
          return 1;
        }),
      verify: () =>
        ledger.check(
          (async function* () {
            for (let number = 0; number < ledger.count; number++) if (number !== 3) yield [0, number] as const;
          })(),
        ),
      close: async () => {},
    };
  },
  dies: async () => ({
    round: async () => {
      process.stderr.write("Out of luck.\n");
      process.exit(3);
    },
    verify: async () => {},
    close: async () => {},
  }),
};
