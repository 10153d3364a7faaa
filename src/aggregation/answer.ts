import {
  type Call,
  type Clock,
  Failed,
  Fault,
  type Reply,
  type Span,
  toJsonSchema,
  toProjection,
  validate,
  validateParts,
} from "../contracts/index.ts";
import type { Readings } from "./assemble.ts";
import { declaredOnly } from "./declared-only.ts";
import { type Asker, toSources } from "./gathering.ts";
import { Growth } from "./growth.ts";
import { toListAnswer } from "./lists/answer-list.ts";
import { toManyAnswer } from "./lists/answer-many.ts";
import type { ViewMeta } from "./meta.ts";
import { narrow } from "./narrow.ts";
import type { AnyReader } from "./reading/reader.ts";
import { resolve } from "./resolve.ts";
import type { AnyView } from "./view.ts";

/** Answers a view's operation, with its meta. */
export type Answer = (input: any, call: Call) => Promise<Reply>; // the input's type is the operation's, which the caller has checked
export interface ViewParts {
  readonly view: AnyView;
  readonly readers: ReadonlyMap<string, AnyReader>;
  readonly clock: Clock;
}

/**
 * Makes the function that answers a view: asks its sources, waits no longer than its budget and the caller's deadline,
 * fuses what came, and checks the result. Throws `Failed` NotFound or `Fault` Unavailable where a required source has
 * nothing, and `Fault` InvalidOutput where the fused answer breaks the view's own contract.
 */
export function toAnswer(view: AnyView, readers: ReadonlyMap<string, AnyReader>, clock: Clock): Answer {
  const { many, list } = view;
  if (many) return toManyAnswer(view, many, toAnswer(many.view, readers, clock));
  const parts = { view, readers, clock };
  return list ? toListAnswer(parts, list) : toOneAnswer(parts);
}

function toOneAnswer({ view: whole, ...ports }: ViewParts): Answer {
  const output = toJsonSchema(whole.operation.output);
  const project = toProjection(output);
  const required = Array.isArray(output.required) ? output.required : [];
  // A field that must be there, but may be null, says so where no source has a value.
  const nullsOf = (view: AnyView): { readonly [field: string]: null } =>
    Object.fromEntries(
      Object.keys(view.scope.fields)
        .filter((name) => required.includes(name))
        .map((name) => [name, null]),
    );
  const partOf = async (fields: { readonly [field: string]: unknown }): Promise<unknown> => {
    const { value } = project(fields);
    const checked = await validateParts(whole.operation.output, value, Object.keys(fields));
    return checked.ok ? value : undefined;
  };

  return (input, call) =>
    call.trace.span("view", whole.id, {}, async (span): Promise<Reply> => {
      const view = call.fields ? narrow(whole, call.fields) : whole;
      const asker = toAsker({ view, ...ports }, call, span);
      const growth = call.onPart && new Growth(view, partOf, call.onPart);
      const { values, fields, readings } = await resolve(view.scope, input, asker, growth);
      growth?.end();
      if (call.aborted.aborted) throw nobodyWaits(view.id);
      refuseWithout(view, readings);
      const fused = project({ ...nullsOf(view), ...values }).value;
      const only = view !== whole && Object.keys(view.scope.fields);
      const { output: schema } = view.operation;
      const checked = await (only ? validateParts(schema, fused, only) : validate(schema, fused));
      if (!checked.ok) {
        const message = `What the sources of ${view.id} say does not add up to an answer; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      const meta: ViewMeta = {
        fields: declaredOnly(fields, (value) => project(value).value),
        sources: toSources(view.sources, asker),
      };
      span.set({ "trilith.degraded": Object.values(fields).filter(({ state }) => state !== "fresh").length });
      return { output: fused, meta, ...(only && { only }), checked };
    });
}

export function toAsker({ view, readers, clock }: ViewParts, call: Call, span: Span): Asker {
  const deadline = Math.min(clock.monotonic() + view.budgetMs, call.deadline ?? Number.POSITIVE_INFINITY);
  return { readers, clock, call, access: view.operation.access ?? "", span, deadline, noted: new Map() };
}

export const nobodyWaits = (view: string): Fault =>
  new Fault("DeadlineExceeded", `Nobody waits for ${view} any more.`, { outcome: "not done" });

/** Throws where a required source has nothing. */
export function refuseWithout(view: AnyView, readings: Readings): void {
  for (const name of view.require) {
    const { state, problem } = readings.get(name)?.meta ?? { state: "down" };
    if (state === "fresh" || state === "stale") continue;
    const declared = view.operation.failures.NotFound;
    if (state === "missing" && declared && !declared.details) throw new Failed(view.id, "NotFound", declared);
    const message = `${view.id} cannot be answered without its source "${name}", which is ${state}. ${problem ?? ""}`;
    throw new Fault("Unavailable", message.trim(), { outcome: "not done" });
  }
}
