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
} from "../contracts/index.ts";
import type { Readings } from "./assemble.ts";
import { declaredOnly } from "./declared-only.ts";
import { type Asker, toSources } from "./gathering.ts";
import { toListAnswer } from "./lists/answer-list.ts";
import { toManyAnswer } from "./lists/answer-many.ts";
import type { ViewMeta } from "./meta.ts";
import type { Reader } from "./reading/reader.ts";
import { resolve } from "./resolve.ts";
import type { AnyView } from "./view.ts";

/** Answers a view's operation, with its meta. */
export type Answer = (input: any, call: Call) => Promise<Reply>; // the input's type is the operation's, which the caller has checked
export interface ViewParts {
  readonly view: AnyView;
  readonly readers: ReadonlyMap<string, Reader>;
  readonly clock: Clock;
}

/**
 * Makes the function that answers a view: asks its sources, waits no longer than its budget and the caller's deadline,
 * fuses what came, and checks the result. Throws `Failed` NotFound or `Fault` Unavailable where a required source has
 * nothing, and `Fault` InvalidOutput where the fused answer breaks the view's own contract.
 */
export function toAnswer(view: AnyView, readers: ReadonlyMap<string, Reader>, clock: Clock): Answer {
  const { many, list } = view;
  if (many) return toManyAnswer(view, many, toAnswer(many.view, readers, clock));
  const parts = { view, readers, clock };
  return list ? toListAnswer(parts, list) : toOneAnswer(parts);
}

function toOneAnswer(parts: ViewParts): Answer {
  const { view } = parts;
  const output = toJsonSchema(view.operation.output);
  const project = toProjection(output);
  const required = Array.isArray(output.required) ? output.required : [];
  // A field that must be there, but may be null, says so where no source has a value.
  const nulls = Object.fromEntries(
    Object.keys(view.scope.fields)
      .filter((name) => required.includes(name))
      .map((name) => [name, null]),
  );

  return (input, call) =>
    call.trace.span("view", view.id, {}, async (span): Promise<Reply> => {
      const asker = toAsker(parts, call, span);
      const { values, fields, readings } = await resolve(view.scope, input, asker);
      if (call.aborted.aborted) throw nobodyWaits(view.id);
      refuseWithout(view, readings);
      const fused = project({ ...nulls, ...values }).value;
      const checked = await validate(view.operation.output, fused);
      if (!checked.ok) {
        const message = `What the sources of ${view.id} say does not add up to an answer; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      const meta: ViewMeta = {
        fields: declaredOnly(fields, (value) => project(value).value),
        sources: toSources(view.sources, asker),
      };
      span.set({ "trilith.degraded": Object.values(fields).filter(({ state }) => state !== "fresh").length });
      return { output: fused, meta };
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
