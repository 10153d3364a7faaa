import {
  type Call,
  Fault,
  type Reply,
  type Selection,
  toJsonSchema,
  toProjection,
  validateAtOnce,
  validateParts,
} from "../contracts/index.ts";
import { nobodyWaits, refuseWithout, toAsker, type ViewParts } from "./answering.ts";
import { declaredOnly } from "./declared-only.ts";
import { toSources } from "./gathering.ts";
import { Growth } from "./growth.ts";
import type { ViewMeta } from "./meta.ts";
import { nullsOf } from "./nulls.ts";
import { resolve } from "./resolve.ts";
import type { AnyView } from "./view.ts";

/** What is wanted of an answer. */
export interface Wanting {
  /** The view, or as much of it as is wanted. */
  readonly view: AnyView;
  /** Where that is not all of it: which parts. */
  readonly only?: Selection;
  /** Hears of the meta, also where there is no answer in the end. */
  readonly heard?: (meta: ViewMeta) => void;
}
type AnswerOne = (input: any, call: Call, wanting: Wanting) => Promise<Reply>; // the input's type is the operation's, which the caller has checked

/** Makes the function that answers about one thing. Throws what `toAnswer` throws. */
export function toOneAnswer({ view: whole, ...ports }: ViewParts): AnswerOne {
  const output = toJsonSchema(whole.operation.output);
  const project = toProjection(output);
  const { output: schema } = whole.operation;
  const nulls = nullsOf(output, Object.keys(whole.scope.fields));
  const toPart =
    (only: Selection = {}) =>
    async (fields: { readonly [field: string]: unknown }): Promise<unknown> => {
      const { value } = project(fields);
      const parts = Object.fromEntries(Object.keys(fields).map((name) => [name, only[name] ?? {}]));
      const checked = await validateParts(schema, value, parts);
      return checked.ok ? value : undefined;
    };

  return (input, call, { view, only, heard }) =>
    call.trace.span("view", whole.id, {}, async (span): Promise<Reply> => {
      const asker = toAsker({ view, ...ports }, call, span);
      const growth = call.onPart && new Growth(view, toPart(only), call.onPart);
      const resolving = resolve(view.scope, input, asker, growth);
      const { values, fields, readings, degraded } = resolving instanceof Promise ? await resolving : resolving;
      growth?.end();
      if (asker.patience.wasGone) throw nobodyWaits(view.id);
      const meta: ViewMeta = {
        fields: declaredOnly(fields, (value) => project(value).value),
        sources: toSources(view.sources, asker),
        ...(degraded.length > 0 && { degraded }),
      };
      heard?.(meta);
      refuseWithout(view, readings);
      const fused = project({
        ...(view === whole ? nulls : nullsOf(output, Object.keys(view.scope.fields))),
        ...values,
      }).value;
      const checking = only ? validateParts(schema, fused, only) : validateAtOnce(schema, fused);
      const checked = checking instanceof Promise ? await checking : checking;
      if (!checked.ok) {
        const message = `What the sources of ${view.id} say does not add up to an answer; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      if (!span.unheard) span.set({ "trilith.degraded": wantingIn(fields) });
      return { output: fused, meta, ...(only && { only }), checked };
    });
}

function wantingIn(fields: ViewMeta["fields"]): number {
  let wanting = 0;
  for (const field in fields) if (fields[field]?.state !== "fresh") wanting += 1;
  return wanting;
}
