import { expect, it } from "vitest";
import { onBothEngines } from "../../test/both-engines.ts";
import { defineRuns, runLog, runRows } from "./run-collections.ts";
import { strangersTo } from "./run-strangers.ts";

onBothEngines((story) => {
  it("names the workflows that waiting runs are of and that nobody here knows, once each", () =>
    story(async (engine) => {
      await defineRuns(engine);
      const put = async (workflow: string, state: string, n: number): Promise<void> => {
        const documents = [{ collection: runRows.name, put: `${workflow} ${state} ${n}`, data: { workflow, state } }];
        await engine.append(runLog, [{ id: crypto.randomUUID(), expect: [], events: [], documents }]);
      };
      for (const workflow of ["a.do@1", "a.do@10", "a.do@2", "b.do@1", "c.do@9"])
        for (const n of [1, 2]) await put(workflow, "waiting", n);
      for (const workflow of ["a.do@3", "d.do@1"]) await put(workflow, "done", 1);
      expect(await strangersTo(engine, ["b.do@1", "a.do@2", "e.do@1"])).toEqual(["a.do@1", "a.do@10", "c.do@9"]);
      expect(await strangersTo(engine, ["a.do@1", "a.do@10", "a.do@2", "b.do@1", "c.do@9"])).toEqual([]);
      expect(await strangersTo(engine, [])).toEqual(["a.do@1", "a.do@10", "a.do@2", "b.do@1", "c.do@9"]);
    }));
});
