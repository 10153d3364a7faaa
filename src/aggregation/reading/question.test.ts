import fc from "fast-check";
import { expect, test } from "vitest";
import { z } from "zod";
import { json, source } from "../index.ts";
import { toAskings } from "./question.ts";

const answer = z.object({ n: z.number() });
const sources = {
  "keeps nothing": source("s", { get: json("https://s.test/{key}", answer) }),
  "keeps what it said": source("s", { get: json("https://s.test/{key}", answer), cacheFor: "1m" }),
  "has two parameters": source("s", { get: json("https://s.test/{key}?of={of}", answer) }),
};
const word = fc.oneof(
  fc.string(),
  fc.integer(),
  fc.boolean(),
  fc.constantFrom('["s",["7"],"public"]', '["s",[7],"public"]', '"7"', "7", 7, ""),
);
const input = fc.record({ key: word, of: fc.constantFrom("a", "b") });
const scope = fc.constantFrom("public", "staff", '"public"');

test.each(Object.entries(sources))("of a source that %s, questions are the same where all of it is", (_, { plan }) => {
  fc.assert(
    fc.property(input, scope, input, scope, (one, its, other, theirs) => {
      const askings = toAskings(plan);
      const questionOf = (of: typeof one, inScope: string): string => {
        const asking = askings(inScope)(of);
        return typeof asking === "string" ? asking : asking.question;
      };
      const words = (of: typeof one, inScope: string): string =>
        JSON.stringify([plan.fetch.params.map((name) => of[name as keyof typeof of]), inScope]);
      expect(questionOf(one, its) === questionOf(other, theirs)).toBe(words(one, its) === words(other, theirs));
    }),
    { numRuns: 2_000 },
  );
});
