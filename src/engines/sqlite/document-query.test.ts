import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { Collection, DocumentQuery } from "../../storage/host.ts";
import { createCollection } from "./collections.ts";
import { toSql } from "./document-query.ts";

const runs: Collection = {
  name: "run",
  columns: [
    { name: "state", type: "text" },
    { name: "owner", type: "text" },
    { name: "wakeAt", type: "number" },
    { name: "workflow", type: "text" },
  ],
  indexes: [
    { columns: ["wakeAt"], where: { column: "owner", is: "null" } },
    { columns: ["owner"], where: { column: "owner", is: "not null" } },
    ["workflow", "state", "wakeAt"],
  ],
};

function planOf(query: DocumentQuery): string {
  const db = new DatabaseSync(":memory:");
  for (const statement of createCollection(runs)) db.exec(statement);
  const plans = toSql(runs, query).flatMap(({ text, values }) =>
    db.prepare(`explain query plan ${text}`).all(...values),
  );
  db.close();
  return plans.map(({ detail }) => detail).join("; ");
}

const orderBy = { column: "wakeAt", descending: false };

test("the first of a range are found in the order of the index that is there for them, and nothing is sorted", () => {
  const due = {
    state: { in: ["waiting", "running"] },
    owner: { equals: null },
    workflow: { in: ["a@1", "b@1"] },
    wakeAt: { from: 0, to: 9 },
  };
  const plan = planOf({ where: due, orderBy, limit: 64 });
  expect(plan).toContain("wake^at where owner null");
  expect(plan).not.toContain("TEMP B-TREE");
});

test("one of each value is found at an index that begins with the column, and the others are not sorted by their keys", () => {
  const workflow = { column: "workflow", descending: false } as const;
  const where = { workflow: { from: "a@1!", to: "b@1" } };
  expect(planOf({ where, orderBy: { ...workflow, ties: "any" }, limit: 1 })).toMatch(/^SEARCH [^;]*$/);
  expect(planOf({ where, orderBy: workflow, limit: 1 })).toContain("TEMP B-TREE");
});

test("a query that names what another index begins with is left to it", () => {
  const where = { workflow: { equals: "a@1" }, state: { equals: "done" }, wakeAt: { from: 0 } };
  expect(planOf({ where, orderBy, limit: 64 })).toContain("workflow state wake^at");
  expect(planOf({ where: { owner: { equals: "n1" } }, limit: 64 })).toContain("owner where owner not null");
});
