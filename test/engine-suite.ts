import { systemClock } from "trilith/contracts";
import type { ConformanceCase, OpenEngine, OpenedEngine } from "trilith/testing";
import { afterAll, beforeAll, describe, test } from "vitest";
import { checkHistories, checkRaces, checkSteps } from "./engine-histories.ts";

/** The conformance suite as tests of vitest, a block a topic. */
export function testCases(cases: readonly ConformanceCase[], title = ""): void {
  describe.each([...Map.groupBy(cases, ({ topic }) => topic)])(`${title}%s`, (_, ofTopic) => {
    for (const { name, run } of ofTopic)
      test(name, async ({ skip }) => {
        const reason = await run();
        if (reason !== undefined) skip(reason);
      });
  });
}

/** Histories that fast-check tells, on one engine of its own. */
export function testHistories(title: string, open: OpenEngine): void {
  describe(`${title}histories that fast-check tells`, () => {
    let opened: OpenedEngine;
    beforeAll(async () => {
      opened = await open({ clock: systemClock });
    });
    afterAll(() => opened.close());
    test("have the outcomes and the contents of the model", { timeout: 120_000 }, () =>
      checkHistories(opened.engine, 60),
    );
    test("have one order that explains every outcome, where they race", { timeout: 120_000 }, () =>
      checkRaces([opened.engine], 60),
    );
    test("may be told in steps of many writes or of one", { timeout: 120_000 }, () => checkSteps(opened.engine, 60));
  });
}
