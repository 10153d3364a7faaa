import {
  Failed,
  Fault,
  type Reply,
  toCanonicalJson,
  toJsonSchema,
  toProjection,
  validate,
} from "../../contracts/index.ts";
import type { Answer } from "../answer.ts";
import { worst } from "../gathering.ts";
import type { ItemMeta, SourceMeta, ViewMeta } from "../meta.ts";
import type { AnyView } from "../view.ts";
import type { Keyed, ManyPlan } from "./many.ts";

/** Makes the function that answers for many keys out of the one that answers for each. */
export function toManyAnswer(view: AnyView, { keys, as }: ManyPlan, answer: Answer): Answer {
  const project = toProjection(toJsonSchema(view.operation.output));
  return (input, call) =>
    call.trace.span("view", view.id, {}, async (span): Promise<Reply> => {
      const { [keys]: asked, ...rest } = input;
      const all = Array.isArray(asked) ? asked : [];
      // Who asks for a key twice is told twice, and it is found out once.
      const once = new Map<string, Promise<Told>>();
      const tell = (key: unknown): Promise<Told> => {
        const name = toCanonicalJson(key);
        const told = once.get(name) ?? tellOf(key, () => answer({ ...rest, [as]: key }, { ...call, trace: span }));
        once.set(name, told);
        return told;
      };
      const told = await Promise.all(all.map(tell));
      const fused = project({ items: told.map(({ item }) => item) }).value;
      const checked = await validate(view.operation.output, fused);
      if (!checked.ok) {
        const message = `What ${view.id} says of its keys breaks its contract; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      span.set({ "trilith.keys": once.size });
      return { output: fused, checked, meta: toMeta(told, await Promise.all(once.values())) };
    });
}

interface Told {
  readonly item: Keyed<unknown, unknown>;
  readonly meta?: ViewMeta;
}

async function tellOf(key: unknown, ask: () => Promise<Reply>): Promise<Told> {
  try {
    const reply = (await ask()) as { readonly output: unknown; readonly meta: ViewMeta }; // a view accepts no runs
    return { item: { key, state: "found", value: reply.output }, meta: reply.meta };
  } catch (error) {
    if (error instanceof Failed && error.code === "NotFound")
      return { item: { key, state: "missing", problem: error.message } };
    const code = error instanceof Fault ? error.code : undefined;
    if (code === "Unavailable" || code === "InvalidOutput")
      return {
        item: { key, state: code === "Unavailable" ? "unavailable" : "invalid", problem: (error as Fault).message },
      };
    throw error;
  }
}

function toMeta(told: readonly Told[], distinct: readonly Told[]): ViewMeta {
  const bySource = new Map<string, SourceMeta[]>();
  for (const { meta } of distinct)
    for (const [source, one] of Object.entries(meta?.sources ?? {}))
      bySource.set(source, [...(bySource.get(source) ?? []), one]);
  return {
    fields: {},
    sources: Object.fromEntries([...bySource].map(([source, metas]) => [source, worst(metas)])),
    items: told.map(({ item, meta }): ItemMeta => ({ key: item.key, fields: meta?.fields ?? {} })),
  };
}
