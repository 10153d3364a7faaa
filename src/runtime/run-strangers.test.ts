import { expect, it } from "vitest";
import { onBothEngines } from "../../test/both-engines.ts";
import type { DocumentQuery, Engine } from "../storage/host.ts";
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
      const looks: DocumentQuery[] = [];
      const watched: Pick<Engine, "find" | "count"> = {
        find: (collection, query) => {
          looks.push(query);
          return engine.find(collection, query);
        },
        count: (collection, query) => engine.count(collection, query),
      };
      expect(await strangersTo(watched, [])).toEqual(["a.do@1", "a.do@10", "a.do@2", "b.do@1", "c.do@9"]);
      // One look for each that there is, waiting or not, and one that finds no more; none of them puts a workflow's runs in order.
      expect(looks).toHaveLength(8);
      for (const { orderBy, limit } of looks)
        expect({ orderBy, limit }).toMatchObject({ orderBy: { ties: "any" }, limit: 1 });
    }));
});
