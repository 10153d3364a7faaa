import { Fault } from "../contracts/index.ts";
import type { RunState } from "./ports.ts";
import type { RunFilter, RunQuery, TagValue } from "./run-desk.ts";

const states: readonly RunState[] = [
  ...(["queued", "running", "waiting", "undoing", "paused"] as const),
  ...(["done", "failed", "cancelled", "terminated"] as const),
];
const mostRuns = 200;
const usualRuns = 50;

/**
 * What `GET /runs?…` asks for: `operation`, `workflow`, `state` (several with commas), `id` (how it begins), `key`, `startedFrom`,
 * `startedTo`, `endedFrom`, `endedTo` (ISO 8601), `tag.<name>`, `tag.<name>.from`, `tag.<name>.to`, `orderBy`, `order`,
 * `limit`, `after`. What is not one of these is refused.
 */
export function readRunQuery(url: string): { readonly filter: RunFilter; readonly query: RunQuery } {
  const asked = new Map(new URLSearchParams(url.split("?")[1] ?? ""));
  const take = (name: string): string | undefined => {
    const value = asked.get(name);
    asked.delete(name);
    return value === "" ? undefined : value;
  };
  const query = toQuery(take);
  const filter = toFilter({
    operation: take("operation"),
    workflow: take("workflow"),
    state: take("state")?.split(","),
    id: take("id"),
    key: take("key"),
    ...{ startedFrom: take("startedFrom"), startedTo: take("startedTo") },
    ...{ endedFrom: take("endedFrom"), endedTo: take("endedTo") },
    tags: takeTags(asked),
  });
  const [unknown] = asked.keys();
  if (unknown !== undefined) throw invalid(`Runs are not found by "${unknown}".`);
  return { filter, query };
}

/** The same filter as JSON, in the body of `POST /runs/actions`. */
export function readRunFilter(given: unknown): RunFilter {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw invalid(
      'Say which runs are meant: "filter" is an object, such as {"operation": "trips.book", "state": "failed"}.',
    );
  const known = [
    "operation",
    "workflow",
    "state",
    "id",
    "key",
    "startedFrom",
    "startedTo",
    "endedFrom",
    "endedTo",
    "tags",
  ];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`Runs are not found by "${unknown}".`);
  const { state, ...filter } = given as { readonly [name: string]: unknown };
  return toFilter({ ...filter, state: typeof state === "string" ? state.split(",") : state });
}

function toQuery(take: (name: string) => string | undefined): RunQuery {
  const limit = take("limit") ?? String(usualRuns);
  if (!/^\d{1,3}$/.test(limit) || Number(limit) < 1 || Number(limit) > mostRuns)
    throw invalid(`"limit" is a whole number from 1 to ${mostRuns}.`);
  const orderBy = take("orderBy") ?? "startedAt";
  if (orderBy !== "startedAt" && orderBy !== "endedAt") throw invalid('"orderBy" is "startedAt" or "endedAt".');
  const order = take("order") ?? "desc";
  if (order !== "asc" && order !== "desc") throw invalid('"order" is "asc" or "desc".');
  const after = take("after");
  return { limit: Number(limit), orderBy, ascending: order === "asc", ...(after !== undefined && { after }) };
}

function toFilter(given: { readonly [name: string]: unknown }): RunFilter {
  const text = (name: string): string | undefined => {
    const value = given[name];
    if (value === undefined || typeof value === "string") return value;
    throw invalid(`"${name}" is a text.`);
  };
  const range = (from: string, to: string) => {
    const [first, last] = [toMs(from, text(from)), toMs(to, text(to))];
    if (first === undefined && last === undefined) return undefined;
    return { ...(first !== undefined && { from: first }), ...(last !== undefined && { to: last }) };
  };
  const { state, tags } = given;
  const [operation, workflow, prefix, key] = [text("operation"), text("workflow"), text("id"), text("key")];
  const [started, ended] = [range("startedFrom", "startedTo"), range("endedFrom", "endedTo")];
  return {
    ...(operation !== undefined && { operation }),
    ...(workflow !== undefined && { workflow }),
    ...(prefix !== undefined && { prefix }),
    ...(key !== undefined && { key }),
    ...(state !== undefined && { states: toStates(state) }),
    ...(started && { started }),
    ...(ended && { ended }),
    ...(tags !== undefined && { tags: toTags(tags) }),
  };
}

function toStates(given: unknown): readonly RunState[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given];
  return list.map((state) => {
    const known = states.find((one) => one === state);
    if (known) return known;
    throw invalid(`"${String(state)}" is no state of a run. They are: ${states.join(", ")}.`);
  });
}

function toTags(given: unknown): NonNullable<RunFilter["tags"]> {
  if (typeof given !== "object" || given === null) throw invalid('"tags" is an object, such as {"tenant": "acme"}.');
  const isValue = (value: unknown): value is TagValue => typeof value === "string" || typeof value === "number";
  for (const [name, condition] of Object.entries(given)) {
    if (isValue(condition)) continue;
    const { from, to, ...rest } = (condition ?? {}) as { readonly from?: unknown; readonly to?: unknown }; // looked at here
    const fine = [from, to].every((bound) => bound === undefined || isValue(bound));
    if (!fine || typeof condition !== "object" || Object.keys(rest).length > 0 || (from ?? to) === undefined)
      throw invalid(`The tag "${name}" is a text, a number, or {"from": …, "to": …}.`);
  }
  return given as NonNullable<RunFilter["tags"]>; // looked through above
}

/** `tag.month=7` is the number 7, `tag.month="7"` the text. */
function takeTags(asked: Map<string, string>): object | undefined {
  const tags: Record<string, unknown> = {};
  for (const [name, text] of [...asked]) {
    const [, tag = "", bound] = /^tag\.([\w-]+)(?:\.(from|to))?$/.exec(name) ?? [];
    if (tag === "") continue;
    asked.delete(name);
    const value = toValue(text);
    tags[tag] = bound === undefined ? value : { ...(tags[tag] as object | undefined), [bound]: value };
  }
  return Object.keys(tags).length > 0 ? tags : undefined;
}

function toValue(text: string): TagValue {
  const [, quoted] = /^"(.*)"$/s.exec(text) ?? [];
  if (quoted !== undefined) return quoted;
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}

function toMs(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw invalid(`"${name}" is an instant in ISO 8601, like 2026-05-01T12:00:00Z.`);
  return ms;
}

export const invalid = (sentence: string): Fault => new Fault("InvalidInput", sentence, { outcome: "not done" });
