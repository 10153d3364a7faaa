import { type Collection, type Engine, toColumns } from "../storage/host.ts";

/** The log of everything that runs write. */
export const runLog = "runs";

/** Each holds a tag with its name, so that a workflow may have other ones than its neighbour. */
export const tagColumns: readonly string[] = ["tag1", "tag2", "tag3", "tag4"];

/** A row a run. */
export const runRows: Collection = {
  name: "run",
  columns: [
    ...toColumns({
      state: "text",
      owner: "text",
      wakeAt: "number",
      workflow: "text",
      reason: "text",
      startedAt: "number",
      endedAt: "number",
    }),
    ...toColumns(Object.fromEntries(tagColumns.map((name) => [name, "text"]))),
  ],
  // Free runs are found by when they are due, owned ones by who has them: a claim moves a row from one index to the other.
  indexes: [
    { columns: ["wakeAt"], where: { column: "owner", is: "null" } },
    { columns: ["owner"], where: { column: "owner", is: "not null" } },
    // For the search: each page is a look at the end of an index, however many runs there are.
    ["workflow", "state", "startedAt"],
    { columns: ["workflow", "state", "endedAt"], where: { column: "endedAt", is: "not null" } },
    ...tagColumns.map((column) => ({
      columns: [column, "state", "startedAt"],
      where: { column, is: "not null" as const },
    })),
  ],
};

/** A row for each key that a run was begun with and that run, in the order of the keys: written once, and asked for seldom. */
export const keyRows: Collection = { name: "run key", columns: [], indexes: [] };

/** Where the rows of a key begin, which end with a run's id. */
export const keyOf = (key: string): string => `${encodeURIComponent(key.toWellFormed())}/`;

/** Nodes and how long their leases run, on the engine's clock. */
export const nodeRows: Collection = {
  name: "run node",
  columns: toColumns({ until: "number" }),
  indexes: [],
};

/** A row a run that waits to be let in. */
export const ticketRows: Collection = {
  name: "run ticket",
  columns: toColumns({ turn: "text", at: "number" }),
  indexes: [["turn", "at"]],
};

/** Who takes turns: a row for each key of an operation and priority of a run that was ever there. */
export const turnRows: Collection = {
  name: "run turn",
  columns: toColumns({ operation: "text", waiting: "number", opensAt: "number", blockedBy: "text", order: "text" }),
  indexes: [["operation", "waiting"]],
};

/** What is held of each lane, and how far each meter has come. */
export const laneRows: Collection = {
  name: "run lane",
  columns: toColumns({ name: "text", operation: "text", freed: "number" }),
  indexes: [["name"], ["operation", "freed"]],
};

/** Orders to many runs at once. */
export const bulkRows: Collection = {
  name: "run bulk",
  columns: toColumns({
    state: "text",
    node: "text",
    until: "number",
    at: "number",
    endedAt: "number",
    found: "number",
    taken: "number",
    after: "text",
  }),
  indexes: [["state", "until"], ["at"]],
};

export async function defineRuns(engine: Engine): Promise<void> {
  for (const collection of [bulkRows, runRows, keyRows, nodeRows, ticketRows, turnRows, laneRows])
    await engine.define(collection);
}
