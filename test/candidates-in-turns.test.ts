// Two nodes keep candidates at once, and another one acts at every await of the first: what was acknowledged stays.
import fc from "fast-check";
import { expect, test } from "vitest";
import { type Candidate, type Candidates, outranks } from "../src/aggregation/host.ts";
import { systemClock } from "../src/contracts/index.ts";
import { openCandidates } from "../src/runtime/candidates.ts";
import { onBothEngines } from "./both-engines.ts";
import { Turnstile } from "./turnstile.ts";

/** What a node is told by and by: later answers are mostly newer, and take away what the earlier ones left. */
const change = fc.record({
  item: fc.constantFrom("", "a"),
  later: fc.nat(3),
  said: fc.option(fc.constantFrom('"x"', '"y"'), { nil: undefined }),
});
const told = fc.array(fc.array(change, { minLength: 1, maxLength: 2 }), { minLength: 1, maxLength: 3 });
const all = Number.POSITIVE_INFINITY;
/** How many calls each makes, in turn, before the other one makes his; at times all that he has to make. */
const order = fc.array(fc.oneof(fc.nat(9), fc.constant(all)), { maxLength: 6 });

const say = (item: "" | "a", later: number) => [{ item, later, said: '"x"' as const }];
/** Where an item was taken away and came anew while another node was about to bury, or to replace, the old one. */
const examples: [ReturnType<typeof say>[], ReturnType<typeof say>[], number[]][] = [
  ...[5, 6, 7].map((calls): (typeof examples)[number] => [[say("", 1)], [say("", 1), say("a", 3)], [calls, all]]),
  ...[1, 2, 3].map((calls): (typeof examples)[number] => [[say("a", 0)], [say("", 0), say("a", 0)], [calls, all]]),
];

onBothEngines((story) => {
  test("what was acknowledged is there, or something newer, or a newer whole answer", { timeout: 120_000 }, () =>
    story(async (engine) => {
      const turnstile = new Turnstile();
      const open = async (who: number): Promise<Candidates> => {
        const opening = openCandidates(turnstile.before(who, engine), systemClock);
        await turnstile.open([]);
        return opening;
      };
      const [first, second] = [await open(0), await open(1)];
      const observer = await openCandidates(engine, systemClock);
      let run = 0;
      await fc.assert(
        fc.asyncProperty(told, told, order, async (one, two, calls) => {
          const place = `place ${run++}`;
          const acknowledged: Candidate[] = [];
          const keep = async (node: Candidates, answers: typeof one, since: number): Promise<void> => {
            for (const [at, answer] of answers.entries()) {
              const candidates = answer.map(({ item, later, said }): Candidate => {
                const revision = since + 2 * at + later;
                return { place, item, revision, at: 1, ...(said !== undefined && { said }) };
              });
              await node.keep(candidates);
              acknowledged.push(...candidates);
            }
          };
          await keep(observer, [[{ item: "a", later: 0, said: '"x"' }]], 0);
          const kept = Promise.all([keep(first, one, 1), keep(second, two, 1)]);
          await turnstile.open(calls.map((calls, at) => ({ who: at % 2, calls })));
          await kept;
          const found = await observer.load(place);
          const whole = found.find(({ item }) => item === "")?.revision ?? Number.NEGATIVE_INFINITY;
          const lost = acknowledged.filter((candidate) => {
            const newest = found.find(({ item }) => item === candidate.item);
            return candidate.revision >= whole && (!newest || outranks(candidate, newest));
          });
          expect(lost).toEqual([]);
        }),
        { numRuns: 150, examples },
      );
      expect(await engine.check()).toEqual([]);
    }),
  );
});
