import assert from "node:assert/strict";
import type { Append, Engine, Expected, Outcome } from "../../storage/host.ts";
import { meets } from "./memory-log.ts";
import type { Choices } from "./play.ts";
import { readOn, toAppend, toEvent, toRange, toReceipt, toWord, toWritten } from "./room.ts";

interface Raced {
  readonly append: Append;
  readonly outcome: Outcome;
}
type Revisions = ReadonlyMap<string, number>;

/**
 * Asks engines for many appends at once, and fails unless there is one order, that of the positions, which explains every
 * outcome: what was written met its expectations there, a conflict was one at some point, and each key took effect once.
 */
export async function raceForOneOrder(engines: readonly Engine[], log: string, choices: Choices): Promise<void> {
  const groups: Append[][] = [];
  while (!choices.ended) groups.push(toRange(1 + choices.below(3)).map(() => choose(choices)));
  const outcomes = await Promise.all(
    groups.map((group, index) => (engines[index % engines.length] as Engine).append(log, group)), // inside the bounds
  );
  const raced = groups.flatMap(
    (group, index) => group.map((append, at): Raced => ({ append, outcome: outcomes[index]?.[at] as Outcome })), // one an append
  );
  const states = await inOrder(engines[0] as Engine, log, raced); // there is one
  for (const { append, outcome } of raced) {
    if (outcome.ok || outcome.why !== "conflict") continue;
    const { stream, expected, actual } = outcome;
    assert.ok(
      append.expect.some((one) => one.stream === stream && one.revision === expected),
      `${append.id} expected no ${expected} of ${stream}.`,
    );
    assert.ok(!meets(actual, expected), `${actual} meets ${expected}, so this is no conflict.`);
    assert.ok(
      states.some((revisions) => (revisions.get(stream) ?? -1) === actual),
      `${stream} was never at ${actual}.`,
    );
  }
  await checkKeys(engines[0] as Engine, log, raced); // there is one
}

function choose({ below }: Choices): Append {
  const streams = ["a/1", "a/2", "b/1"];
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T; // below the length
  const revision = one<Expected>(["any", "none", "exists", 0, 1, 2, 3, 4]);
  const voided = below(5) === 0;
  return toAppend({
    expect: below(3) === 0 ? [] : [{ stream: one(streams), revision }],
    events: toRange(below(3)).map(() => toEvent(one(streams))),
    ...(below(2) === 0 && {
      receipt: toReceipt(one(["k1", "k2", "k3"]), {
        digest: one(["d1", "d2"]),
        result: String(below(100)),
        ...(voided && { voided }),
      }),
    }),
  });
}

/** The revisions of the streams after each append, in the order of the positions; the first is before all of them. */
async function inOrder(engine: Engine, log: string, raced: readonly Raced[]): Promise<readonly Revisions[]> {
  const events = await readOn(engine, log, { limit: 1_000 });
  assert.deepEqual(
    events.map(({ position }) => position),
    toRange(events.length, 1),
  );
  const written = raced
    .filter(({ append, outcome }) => toWord(outcome) === "written" && append.events.length > 0)
    .map(({ append, outcome }) => ({ append, ...toWritten(outcome) }))
    .toSorted((a, b) => a.first - b.first);
  assert.deepEqual(
    events.map(({ id }) => id),
    written.flatMap(({ append }) => append.events.map((_, index) => `${append.id}/${index}`)),
  );
  const revisions = new Map<string, number>();
  const states: Revisions[] = [new Map()];
  for (const { append, first, last } of written) {
    for (const { stream, revision } of append.expect) {
      const actual = revisions.get(stream) ?? -1;
      assert.ok(meets(actual, revision), `${append.id} was written at ${first}, where ${stream} is at ${actual}.`);
    }
    for (const { stream, revision } of events.slice(first - 1, last)) {
      assert.equal(revision, (revisions.get(stream) ?? -1) + 1, stream);
      revisions.set(stream, revision);
    }
    states.push(new Map(revisions));
  }
  return states;
}

async function checkKeys(engine: Engine, log: string, raced: readonly Raced[]): Promise<void> {
  for (const [key, ofKey] of Map.groupBy(raced, ({ append }) => append.receipt?.key)) {
    if (key === undefined) continue;
    const kept = await engine.receipt(log, key);
    const written = ofKey.filter(({ outcome }) => toWord(outcome) === "written");
    assert.equal(written.length, kept ? 1 : 0, `The key ${key} took effect ${written.length} times.`);
    assert.equal(kept?.result, written[0]?.append.receipt?.result);
    for (const { append, outcome } of ofKey) {
      const { voided, digest } = append.receipt ?? {};
      const word = toWord(outcome);
      if (word === "conflict" || word === "written") continue;
      const expected = voided ? "again" : kept?.voided ? "voided" : kept?.digest !== digest ? "key reused" : "again";
      assert.equal(word, expected, `${append.id} under the key ${key}`);
      if (outcome.ok && "again" in outcome) assert.deepEqual(outcome.again, kept);
    }
  }
}
