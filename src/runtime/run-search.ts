import { Fault } from "../contracts/index.ts";
import {
  fits,
  type Range,
  type RunCount,
  type RunFilter,
  type RunPage,
  type RunQuery,
  type RunRow,
  type RunState,
} from "../orchestration/host.ts";
import { type After, type Condition, type Document, type Engine, toAfter } from "../storage/host.ts";
import { keyOf, keyRows, runRows, tagColumns } from "./run-collections.ts";
import { behind, nextWorkflow } from "./run-workflows.ts";

const states: readonly RunState[] = [
  ...(["queued", "running", "waiting", "undoing", "paused"] as const),
  ...(["done", "failed", "cancelled", "terminated"] as const),
];
const mostRuns = 200;
/** How many rows one page may look at and leave out, where two conditions share one index. */
const mostPassedOver = 5_000;
/** Workflows beyond this many are not looked through. */
const mostWorkflows = 500;

/** The columns of a run's tags: text that sorts as the values do. */
export const toIndexed = ({ tags }: Pick<RunRow, "tags">): { readonly [column: string]: string } =>
  Object.fromEntries(
    Object.entries(tags ?? {}).flatMap(([name, value], at) => {
      const column = tagColumns[at];
      return column === undefined ? [] : [[column, `${name}=${encoded(value)}`]];
    }),
  );

/**
 * Finds runs over the indexes of their rows. Each condition that an index can hold becomes streams of rows in order, one
 * for each workflow and state (or tag column and state), which are merged: a page costs a few looks for each stream, and
 * never a look at all runs. What no index holds beside them is looked at row by row, for so many rows a page.
 */
export async function searchRuns(engine: Engine, filter: RunFilter, query: RunQuery): Promise<RunPage> {
  const { orderBy = "startedAt", ascending = false } = query;
  const limit = Math.min(Math.max(1, query.limit), mostRuns);
  const cursor = query.after === undefined ? undefined : fromCursor(query.after);
  if (filter.prefix !== undefined) return byPrefix(engine, filter, filter.prefix, limit, cursor?.run);
  if (filter.key !== undefined) return byKey(engine, filter, filter.key, limit, cursor?.run);
  const streams = await toStreams(engine, filter, orderBy);
  const bound = filter[orderBy === "startedAt" ? "started" : "ended"] ?? {};
  const range = beyond(bound, cursor?.at, ascending);
  const readers = streams.map(
    (where) => new Stream(engine, { ...where, [orderBy]: range }, orderBy, !ascending, cursor),
  );
  const found: RunRow[] = [];
  let passedOver = 0;
  let last: RunRow | undefined;
  for (;;) {
    const heads = await Promise.all(readers.map((reader) => reader.head()));
    const next = heads.filter((row) => row !== undefined).sort(comparison(orderBy, ascending))[0];
    if (!next) return { runs: found };
    if (found.length === limit || passedOver >= mostPassedOver)
      return { runs: found, ...(last && { next: toCursor(last, orderBy) }) };
    for (const reader of readers) if ((await reader.head())?.run === next.run) reader.skip();
    last = next;
    if (fits(next, filter)) found.push(next);
    else passedOver++;
  }
}

/** How many runs each workflow has in each state. */
export async function countRuns(
  engine: Engine,
  { operation, workflow }: Pick<RunFilter, "operation" | "workflow">,
  most: number,
): Promise<readonly RunCount[]> {
  const workflows = workflow === undefined ? await workflowsOf(engine, operation) : [workflow];
  const counted = await Promise.all(
    workflows.flatMap((workflow) =>
      states.map(async (state): Promise<RunCount> => {
        const where = { workflow: { equals: workflow }, state: { equals: state } };
        const count = await engine.count(runRows.name, { where, limit: most + 1 });
        const operation = workflow.slice(0, workflow.lastIndexOf("@"));
        return { operation, workflow, state, count: Math.min(count, most), more: count > most };
      }),
    ),
  );
  return counted.filter(({ count }) => count > 0);
}

type Where = { readonly [column: string]: Condition };

/** The streams of rows that hold everything that is meant. */
async function toStreams(
  engine: Engine,
  filter: RunFilter,
  orderBy: "startedAt" | "endedAt",
): Promise<readonly Where[]> {
  const wanted = (filter.states ?? states).filter((state) => orderBy === "startedAt" || ended.has(state));
  const tags = Object.entries(filter.tags ?? {});
  // A tag with one value narrows most; a range of one is a stream for as long as it is not the only condition.
  const [tag] = tags.sort(([, one], [, other]) => Number(typeof one === "object") - Number(typeof other === "object"));
  if (tag && orderBy === "startedAt" && typeof tag[1] !== "object") {
    const [name, value] = tag;
    const equals = `${name}=${encoded(value)}`;
    return tagColumns.flatMap((column) => wanted.map((state) => ({ [column]: { equals }, state: { equals: state } })));
  }
  const workflows = filter.workflow === undefined ? await workflowsOf(engine, filter.operation) : [filter.workflow];
  return workflows.flatMap((workflow) =>
    wanted.map((state) => ({ workflow: { equals: workflow }, state: { equals: state } })),
  );
}
const ended: ReadonlySet<RunState> = new Set(["done", "failed", "cancelled", "terminated"]);

/** One look at the index for each workflow that there is, however many runs it has. */
async function workflowsOf(engine: Engine, operation: string | undefined): Promise<readonly string[]> {
  const workflows: string[] = [];
  let from = operation === undefined ? "" : `${operation}@`;
  while (workflows.length < mostWorkflows) {
    const workflow = await nextWorkflow(engine, { from });
    if (workflow === undefined) break;
    if (operation !== undefined && !workflow.startsWith(`${operation}@`)) break;
    workflows.push(workflow);
    from = behind(workflow);
  }
  return workflows;
}

/** Rows in order, a page at a time, and each time a longer one. */
class Stream {
  readonly #engine: Engine;
  readonly #where: Where;
  readonly #orderBy: { readonly column: "startedAt" | "endedAt"; readonly descending: boolean };
  #after: After | undefined;
  #rows: readonly RunRow[] = [];
  #place = 0;
  #size = 8;
  #over = false;

  constructor(
    engine: Engine,
    where: Where,
    column: "startedAt" | "endedAt",
    descending: boolean,
    after: Cursor | undefined,
  ) {
    this.#engine = engine;
    this.#where = where;
    this.#orderBy = { column, descending };
    this.#after = after && { key: after.run, value: after.at };
  }

  async head(): Promise<RunRow | undefined> {
    if (this.#place >= this.#rows.length && !this.#over) await this.#more();
    return this.#rows[this.#place];
  }

  skip(): void {
    this.#place++;
  }

  async #more(): Promise<void> {
    const { column, descending } = this.#orderBy;
    const last = this.#rows.at(-1);
    // The bound is said beside the key, so that an index begins there.
    const bound = this.#where[column] as Range;
    const range = last ? beyond(bound, last[column] ?? undefined, !descending) : bound;
    const documents = await this.#engine.find(runRows.name, {
      where: { ...this.#where, [column]: range },
      orderBy: this.#orderBy,
      limit: this.#size,
      ...(this.#after !== undefined && { after: this.#after }),
    });
    this.#rows = documents.map(toRow);
    this.#place = 0;
    this.#over = documents.length < this.#size;
    const end = documents.at(-1);
    if (end) this.#after = toAfter(end, this.#orderBy);
    this.#size = Math.min(this.#size * 4, 512);
  }
}

/** By how an id begins: the order is that of the ids. */
async function byPrefix(
  engine: Engine,
  filter: RunFilter,
  prefix: string,
  limit: number,
  after: string | undefined,
): Promise<RunPage> {
  const found: RunRow[] = [];
  if (after === undefined) {
    const [whole] = await engine.find(runRows.name, { key: prefix, limit: 1 });
    if (whole && fits(toRow(whole), filter)) found.push(toRow(whole));
  }
  let place = after ?? prefix;
  for (let passedOver = 0; ; ) {
    const page = await engine.find(runRows.name, { after: { key: place }, limit: mostRuns });
    for (const document of page) {
      if (!document.key.startsWith(prefix)) return { runs: found };
      if (found.length === limit || passedOver >= mostPassedOver)
        return { runs: found, next: toCursor({ run: place, startedAt: 0, endedAt: 0 }, "startedAt") };
      place = document.key;
      const row = toRow(document);
      if (fits(row, filter)) found.push(row);
      else passedOver++;
    }
    if (page.length < mostRuns) return { runs: found };
  }
}

/** By the key that it was begun with: whoever uses the same one for several operations finds several. In the order of the ids. */
async function byKey(
  engine: Engine,
  filter: RunFilter,
  key: string,
  limit: number,
  after: string | undefined,
): Promise<RunPage> {
  const found: RunRow[] = [];
  const start = keyOf(key);
  let place = `${start}${after ?? ""}`;
  for (let passedOver = 0; ; ) {
    const page = await engine.find(keyRows.name, { after: { key: place }, limit: mostRuns });
    for (const { key: named } of page) {
      if (!named.startsWith(start)) return { runs: found };
      if (found.length === limit || passedOver >= mostPassedOver) {
        const run = place.slice(start.length);
        return { runs: found, next: toCursor({ run, startedAt: 0, endedAt: 0 }, "startedAt") };
      }
      place = named;
      const [document] = await engine.find(runRows.name, { key: named.slice(start.length), limit: 1 });
      if (document && fits(toRow(document), filter)) found.push(toRow(document));
      else passedOver++;
    }
    if (page.length < mostRuns) return { runs: found };
  }
}

const comparison =
  (column: "startedAt" | "endedAt", ascending: boolean) =>
  (one: RunRow, other: RunRow): number => {
    const by = (one[column] ?? 0) - (other[column] ?? 0) || (one.run < other.run ? -1 : one.run > other.run ? 1 : 0);
    return ascending ? by : -by;
  };

function beyond({ from, to }: Range, at: number | undefined, ascending: boolean): Range {
  if (at === undefined) return { from: from ?? 0, ...(to !== undefined && { to }) };
  if (ascending) return { from: Math.max(from ?? 0, at), ...(to !== undefined && { to }) };
  return { from: from ?? 0, to: Math.min(to ?? at, at) };
}

/** Text of the same order as the values: a number by the bits of its double, the negative ones turned round. */
function encoded(value: string | number): string {
  if (typeof value === "string") return `s${value}`;
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value === 0 ? 0 : value); // there is one zero
  const negative = value < 0;
  for (let at = 0; at < 8; at++)
    bits[at] = negative ? ~(bits[at] ?? 0) & 0xff : at === 0 ? (bits[0] ?? 0) ^ 0x80 : (bits[at] ?? 0);
  return `n${bits.toString("hex")}`;
}

const toCursor = (row: Pick<RunRow, "run" | "startedAt" | "endedAt">, orderBy: "startedAt" | "endedAt"): string =>
  Buffer.from(JSON.stringify([row[orderBy], row.run])).toString("base64url");

interface Cursor {
  readonly at: number;
  readonly run: string;
}
function fromCursor(text: string): Cursor {
  try {
    const [at, run] = JSON.parse(Buffer.from(text, "base64url").toString()) as readonly [unknown, unknown]; // told apart below
    if (typeof at === "number" && typeof run === "string") return { at, run };
  } catch {
    // said below
  }
  throw new Fault("InvalidInput", "This is no place to go on from. Give the one that the page before gave.");
}

const toRow = ({ data }: Document): RunRow => data as RunRow; // only this folder writes the collection
