import { createHash } from "node:crypto";
import {
  type AnyContract,
  type Deprecated,
  eventsOf,
  type JsonSchema,
  operationsOf,
  type Retry,
  toCanonicalJson,
  toJsonSchema,
  type Upcast,
  type Version,
} from "../contracts/index.ts";
import { isRecord } from "./plain.ts";

/** Everything that a contract promises, as plain JSON: what is published, compared, and told by a running backend. */
export interface Description {
  readonly name: string;
  readonly version: Version;
  readonly owner?: string;
  readonly summary?: string;
  readonly migration?: string;
  readonly operations: { readonly [name: string]: OperationDescription };
  readonly events: { readonly [name: string]: EventDescription };
}
export interface OperationDescription {
  readonly kind: "command" | "query";
  readonly input: JsonSchema;
  readonly output: JsonSchema;
  readonly failures: { readonly [code: string]: FailureDescription };
  readonly signals: { readonly [name: string]: SignalDescription };
  /** What a run tells of itself while it is under way. */
  readonly progress?: JsonSchema;
  /** As in "GET /bookings/{booking}". */
  readonly route?: string;
  readonly access?: string;
  readonly timeoutMs?: number;
  readonly idempotent: boolean;
  readonly summary?: string;
  readonly deprecated?: Deprecated;
  /** The shapes that its stored input had before, oldest first. */
  readonly earlier: readonly JsonSchema[];
}
export interface FailureDescription {
  readonly status: number;
  readonly retry: Retry;
  readonly message: string;
  readonly details?: JsonSchema;
}
export interface SignalDescription {
  readonly payload: JsonSchema;
  readonly access?: string;
}
export interface EventDescription {
  readonly version: number;
  readonly payload: JsonSchema;
  /** The payloads of versions 1, 2, … before the present one, each with an upcaster that leads on. */
  readonly earlier: readonly JsonSchema[];
  /** The oldest version that it is written in as well, while processes run that read nothing newer; none without a way down. */
  readonly downTo?: number;
}

export function describe(contract: AnyContract): Description {
  const { name, version, owner, summary, migration } = contract["~contract"];
  const operations = operationsOf(contract).map((operation) => {
    const { kind, id, input, output, failures, route, access, timeoutMs, idempotent, deprecated } = operation;
    const { signals, earlier, progress } =
      operation.kind === "command" ? operation : { signals: {}, earlier: [], progress: undefined };
    return [
      id.slice(name.length + 1),
      {
        kind,
        input: toPlainSchema(input),
        output: toPlainSchema(output),
        failures: mapped(failures, ({ status, retry, message, details }) => ({
          status,
          retry,
          message,
          ...(details && { details: toPlainSchema(details) }),
        })),
        signals: mapped(signals, ({ schema, access }) => ({
          payload: toPlainSchema(schema),
          ...(access && { access }),
        })),
        ...(progress && { progress: toPlainSchema(progress) }),
        ...(route && { route: `${route.verb} ${route.path}` }),
        ...(access && { access }),
        ...(timeoutMs !== undefined && { timeoutMs }),
        idempotent,
        ...(operation.summary !== undefined && { summary: operation.summary }),
        ...(deprecated && { deprecated }),
        earlier: earlier.map(({ schema }) => toPlainSchema(schema)),
      } satisfies OperationDescription,
    ] as const;
  });
  const events = [...eventsOf(contract)].map(
    ([event, { version, schema, from }]) =>
      [
        event,
        {
          version,
          payload: toPlainSchema(schema),
          earlier: from.map((step) => toPlainSchema(step.schema)),
          ...toDownTo(version, from),
        } satisfies EventDescription,
      ] as const,
  );
  return {
    name,
    version,
    ...(owner !== undefined && { owner }),
    ...(summary !== undefined && { summary }),
    ...(migration !== undefined && { migration }),
    operations: Object.fromEntries(operations),
    events: Object.fromEntries(events),
  };
}

/** The hash of a description: of its canonical JSON (RFC 8785), so the order of fields and white space do not count. */
export const hashOf = (description: Description): string =>
  `sha256-${createHash("sha256")
    .update(toCanonicalJson(promisedIn(description)))
    .digest("base64url")}`;

/** A description without how far its events lead down: a way down may come to what is published, and promises nothing. */
export const promisedIn = (description: Description): Description =>
  isRecord(description.events) && Object.values(description.events).every(isRecord) // not so in an edited lock file
    ? { ...description, events: mapped(description.events, ({ downTo: _, ...promised }) => promised) }
    : description;

/** Every step from the present version down has to lead there, so the last one that does not ends it. */
function toDownTo(version: number, from: readonly Upcast[]): { readonly downTo?: number } {
  const downTo = from.findLastIndex(({ down }) => down === undefined) + 2;
  return downTo < version ? { downTo } : {};
}

/** What lists mean in any order is sorted, so that a contract is described alike however it is written. */
function toCanonicalSchema<T>(part: T): T {
  if (Array.isArray(part)) return part.map(toCanonicalSchema) as T;
  if (!isRecord(part)) return part;
  return Object.fromEntries(
    Object.entries(part).map(([name, inner]) => [
      name,
      (name === "required" || name === "type") && Array.isArray(inner) && inner.every((one) => typeof one === "string")
        ? inner.toSorted()
        : toCanonicalSchema(inner),
    ]),
  ) as T;
}

const toPlainSchema = (schema: Parameters<typeof toJsonSchema>[0]): JsonSchema =>
  toCanonicalSchema(JSON.parse(JSON.stringify(toJsonSchema(schema))) as JsonSchema);

const mapped = <T, U>(
  fields: { readonly [name: string]: T },
  change: (value: T) => U,
): { readonly [name: string]: U } =>
  Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, change(value)]));
