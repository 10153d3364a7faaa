import {
  type Call,
  type Clock,
  Failed,
  Fault,
  type Projection,
  type Reply,
  toJsonSchema,
  toProjection,
  validate,
  validateParts,
} from "../contracts/index.ts";
import { assemble, type Readings } from "./assemble.ts";
import { Growth } from "./growth.ts";
import type { FieldMeta, ViewMeta } from "./meta.ts";
import { narrow } from "./narrow.ts";
import type { Reader } from "./reading/reader.ts";
import type { AnyView } from "./view.ts";

/**
 * Makes the function that answers a view: asks all sources at once, waits no longer than its budget and the caller's
 * deadline, fuses what came, and checks the result. Throws `Failed` NotFound or `Fault` Unavailable where a required
 * source has nothing, and `Fault` InvalidOutput where the fused answer breaks the view's own contract.
 */
export function toAnswer(
  whole: AnyView,
  readers: ReadonlyMap<string, Pick<Reader, "read">>,
  clock: Clock,
): (input: any, call: Call) => Promise<Reply> {
  // the input's type is the operation's, which the caller has checked
  const output = toJsonSchema(whole.operation.output);
  const project = toProjection(output);
  const required = Array.isArray(output.required) ? output.required : [];
  // A field that must be there, but may be null, says so where no source has a value.
  const nullsOf = (view: AnyView): { readonly [field: string]: null } =>
    Object.fromEntries(
      Object.keys(view.fields)
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
      const growth = call.onPart && new Growth(view, partOf, call.onPart);
      const deadline = Math.min(clock.monotonic() + view.budgetMs, call.deadline ?? Number.POSITIVE_INFINITY);
      const read = view.sources.map(({ name }) =>
        span.span("source", name, {}, async (inside) => {
          const reader = readers.get(name) as Reader; // one was made for every source of every view
          const { principal, aborted } = call;
          const scope = view.operation.access ?? "";
          const reading = await reader.read({ input, principal, scope, span: inside, deadline, aborted });
          growth?.add(reading);
          return reading;
        }),
      );
      const readings: Readings = new Map((await Promise.all(read)).map((reading) => [reading.source, reading]));
      growth?.end();
      if (call.aborted.aborted)
        throw new Fault("DeadlineExceeded", `Nobody waits for ${view.id} any more.`, { outcome: "not done" });
      refuseWithout(view, readings);

      const fields = Object.entries(view.fields).map(([name, plan]) => [name, assemble(name, plan, readings)] as const);
      const values = fields.flatMap(([name, { value }]) => (value === undefined ? [] : [[name, value] as const]));
      const fused = project({ ...nullsOf(view), ...Object.fromEntries(values) }).value;
      const only = view !== whole && Object.keys(view.fields);
      const { output: schema } = view.operation;
      const checked = await (only ? validateParts(schema, fused, only) : validate(schema, fused));
      if (!checked.ok) {
        const message = `What the sources of ${view.id} say does not add up to an answer; \`issues\` says where.`;
        throw new Fault("InvalidOutput", message, { issues: checked.issues, outcome: "not done" });
      }
      const meta: ViewMeta = {
        fields: Object.fromEntries(fields.map(([name, { meta }]) => [name, declaredOnly(name, meta, project)])),
        sources: Object.fromEntries([...readings].map(([name, { meta }]) => [name, meta])),
      };
      span.set({ "trilith.degraded": fields.filter(([, { meta }]) => meta.state !== "fresh").length });
      return { output: fused, meta, ...(only && { only }) };
    });
}

function refuseWithout(view: AnyView, readings: Readings): void {
  for (const name of view.require) {
    const { state, problem } = readings.get(name)?.meta ?? { state: "down" };
    if (state === "fresh" || state === "stale") continue;
    const declared = view.operation.failures.NotFound;
    if (state === "missing" && declared && !declared.details) throw new Failed(view.id, "NotFound", declared);
    const message = `${view.id} cannot be answered without its source "${name}", which is ${state}. ${problem ?? ""}`;
    throw new Fault("Unavailable", message.trim(), { outcome: "not done" });
  }
}

/** A rejected value is shown like an answer's: what the contract does not declare stays inside. */
function declaredOnly(field: string, meta: FieldMeta, project: Projection): FieldMeta {
  if (!meta.rejected.some((rejected) => "value" in rejected)) return meta;
  const rejected = meta.rejected.map((candidate) => {
    if (!("value" in candidate)) return candidate;
    const { value } = project({ [field]: candidate.value }) as { readonly value: { readonly [name: string]: unknown } };
    return { ...candidate, value: value[field] };
  });
  return { ...meta, rejected };
}
