import {
  Failed,
  Fault,
  type Part,
  type Reply,
  type Selection,
  toCanonicalJson,
  toJsonSchema,
  toProjection,
  validate,
  validateParts,
} from "../../contracts/index.ts";
import type { toOneAnswer, Wanting } from "../answer-one.ts";
import type { Answer } from "../answering.ts";
import { below, isFailing } from "../degraded.ts";
import { worst } from "../gathering.ts";
import type { DegradedField, ItemMeta, SourceMeta, ViewMeta } from "../meta.ts";
import { narrowKey } from "../narrow.ts";
import type { AnyView } from "../view.ts";
import { GrowingMany } from "./growing-many.ts";
import type { Keyed, ManyPlan } from "./many.ts";

/** Makes the function that answers for many keys out of the one that answers for each. */
export function toManyAnswer(
  view: AnyView,
  { view: one, keys, as }: ManyPlan,
  answer: ReturnType<typeof toOneAnswer>,
): Answer {
  const project = toProjection(toJsonSchema(view.operation.output));
  return (input, { fields, onPart, ...call }) =>
    call.trace.span("view", view.id, {}, async (span): Promise<Reply> => {
      const { [keys]: asked, ...rest } = input;
      const all = Array.isArray(asked) ? asked : [];
      const names = all.map(toCanonicalJson);
      const wanting = toWanting(one, fields);
      const only = wanting.only && fields;
      const fuse = async (items: readonly Keyed<unknown, unknown>[]) => {
        const { value } = project({ items });
        const { output } = view.operation;
        return { value, checked: await (only ? validateParts(output, value, only) : validate(output, value)) };
      };
      const growth =
        onPart &&
        new GrowingMany(
          names,
          view.sources.map(({ name }) => name),
          async (items) => {
            const { value, checked } = await fuse(items);
            return checked.ok ? value : undefined;
          },
          onPart,
        );
      // Who asks for a key twice is told twice, and it is found out once.
      const once = new Map<string, Promise<Told>>();
      const tell = (key: unknown, at: number): Promise<Told> => {
        const name = names[at] ?? "";
        let told = once.get(name);
        if (!told) {
          const grows = growth && { onPart: (part: Part) => growth.grow(name, key, part) };
          const own = { ...call, trace: span, ...grows };
          told = tellOf(key, (heard) => answer({ ...rest, [as]: key }, own, { ...wanting, heard }));
          once.set(name, told);
          void told.then(({ item }) => growth?.settle(name, item)).catch(() => {}); // who waits for it hears of it
        }
        return told;
      };
      const told = await Promise.all(all.map(tell)).finally(() => growth?.end());
      const { value: fused, checked } = await fuse(told.map(({ item }) => item));
      if (!checked.ok) {
        const message = `What ${view.id} says of its keys breaks its contract; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      span.set({ "trilith.keys": once.size });
      const meta = toMeta(view, told, await Promise.all(once.values()));
      return { output: fused, checked, meta, ...(only && { only }) };
    });
}

/** What is wanted of a value, where it is not all of it. How it stands with a key is always found out. */
function toWanting(one: AnyView, fields: Selection | undefined): Wanting {
  const items = fields && Object.hasOwn(fields, "items") ? fields.items : undefined;
  if (!items || Object.keys(items).length === 0) return { view: one };
  const wanted = Object.hasOwn(items, "value") ? items.value : undefined;
  const view = narrowKey(one, wanted);
  return view === one ? { view } : { view, only: wanted ?? {} };
}

interface Told {
  readonly item: Keyed<unknown, unknown>;
  readonly meta?: ViewMeta | undefined;
}

async function tellOf(key: unknown, ask: (heard: (meta: ViewMeta) => void) => Promise<Reply>): Promise<Told> {
  let meta: ViewMeta | undefined;
  try {
    const reply = await ask((known) => {
      meta = known;
    });
    return { item: { key, state: "found", value: (reply as { readonly output: unknown }).output }, meta }; // a view accepts no runs
  } catch (error) {
    if (error instanceof Failed && error.code === "NotFound")
      return { item: { key, state: "missing", problem: error.message }, meta };
    const code = error instanceof Fault ? error.code : undefined;
    if (code === "Unavailable" || code === "InvalidOutput")
      return {
        item: { key, state: code === "Unavailable" ? "unavailable" : "invalid", problem: (error as Fault).message },
        meta,
      };
    throw error;
  }
}

function toMeta(view: AnyView, told: readonly Told[], distinct: readonly Told[]): ViewMeta {
  const bySource = new Map<string, SourceMeta[]>();
  // That a key does not exist is no trouble of a source; that one could not say is, though the key has no answer.
  for (const { item, meta } of distinct)
    for (const [source, one] of Object.entries(item.state === "missing" ? {} : (meta?.sources ?? {})))
      bySource.set(source, [...(bySource.get(source) ?? []), one]);
  const degraded = told.flatMap((one, at) => below(`/items/${at}`, degradedIn(view, one)));
  return {
    fields: {},
    sources: Object.fromEntries([...bySource].map(([source, metas]) => [source, worst(metas)])),
    items: told.map(
      ({ item, meta }): ItemMeta => ({
        key: item.key,
        fields: item.state === "found" ? (meta?.fields ?? {}) : {},
      }),
    ),
    ...(degraded.length > 0 && { degraded }),
  };
}

/** What could not be said of one key: parts of its value, or the whole of it for want of a required source. */
function degradedIn({ require }: AnyView, { item, meta }: Told): readonly DegradedField[] {
  if (item.state === "found") return below("/value", meta?.degraded ?? []);
  if (item.state === "missing") return [];
  const sources = require.flatMap((source): DegradedField["sources"] => {
    const { state = "fresh", problem } = meta?.sources[source] ?? {};
    return isFailing(state) ? [{ source, state, ...(problem !== undefined && { problem }) }] : [];
  });
  return [{ path: "/value", state: sources[0]?.state ?? (item.state === "invalid" ? "invalid" : "down"), sources }];
}
