import {
  type AnyContract,
  type AnyEvent,
  type AnySchema,
  eventsOf,
  type Named,
  operationsOf,
  toJsonSchema,
  type Upcast,
  validate,
} from "../contracts/index.ts";
import type { Verdict } from "./diff.ts";
import { Comparison } from "./inclusion/inclusion.ts";
import { sayer } from "./operation-changes.ts";
import { fieldsIn, isRecord } from "./plain.ts";
import type { Finding } from "./rules.ts";
import { toClosed } from "./wire.ts";

/**
 * Runs upcasters on values of the shapes that they begin with, as little and as much filled as can be, and looks whether
 * what comes out is what the next shape says. Schemas alone cannot tell: an upcaster is a function.
 */
export async function tryUpcasters(contracts: readonly AnyContract[]): Promise<readonly Finding[]> {
  const comparison = new Comparison();
  const findings: Finding[] = [];
  for (const contract of contracts) {
    for (const event of eventsOf(contract).values()) {
      findings.push(...(await tryWay(comparison, event.id, "event.upcaster-fails", event.from, event.schema)));
      findings.push(...(await tryWayDown(comparison, event)));
    }
    for (const operation of operationsOf(contract))
      if (operation.kind === "command")
        findings.push(
          ...(await tryWay(
            comparison,
            operation.id,
            "stored-input.upcaster-fails",
            operation.earlier,
            operation.input,
          )),
        );
  }
  return findings;
}

/** Verdicts with what the trials found: whatever the version says, it must be mended. */
export function withTrials(verdicts: readonly Verdict[], trials: readonly Finding[]): readonly Verdict[] {
  return verdicts.map((verdict) => {
    const own = trials.filter(({ subject }) => subject.startsWith(`${verdict.contract}.`));
    if (own.length === 0) return verdict;
    return {
      ...verdict,
      findings: [...verdict.findings, ...own],
      missing: [...verdict.missing, ...own.map(({ sentence }) => sentence)],
    };
  });
}

async function tryWay(
  comparison: Comparison,
  id: string,
  rule: string,
  way: readonly Upcast[],
  last: AnySchema,
): Promise<readonly Finding[]> {
  for (const [index, { schema }] of way.entries())
    for (const sample of samplesOf(comparison, schema)) {
      const trouble = await lead(sample, way.slice(index), last);
      if (trouble)
        return [
          sayer(id)(rule, `An upcaster of ${id} does not lead from shape ${index + 1} to the present one: ${trouble}`, {
            value: sample,
            from: `shape ${index + 1}`,
            to: "the present one",
          }),
        ];
    }
  return [];
}

/** Steps down are tried one by one: each begins with what the version above it reads. */
async function tryWayDown(
  comparison: Comparison,
  { id, from, schema: last }: AnyEvent & Named,
): Promise<readonly Finding[]> {
  for (const [index, { schema, down }] of from.entries()) {
    const above = from[index + 1]?.schema ?? last;
    for (const sample of down ? samplesOf(comparison, above) : []) {
      const trouble = await leadDown(sample, above, schema, down);
      if (trouble)
        return [
          sayer(id)(
            "event.upcaster-fails",
            `The way down of ${id} does not lead from version ${index + 2} to version ${index + 1}: ${trouble}`,
            { value: sample, from: `version ${index + 2}`, to: `version ${index + 1}` },
          ),
        ];
    }
  }
  return [];
}

async function leadDown(
  sample: unknown,
  above: AnySchema,
  below: AnySchema,
  down: Upcast["down"],
): Promise<string | undefined> {
  const read = await validate(above, sample);
  if (!read.ok) return undefined;
  try {
    const older = down?.(read.value);
    if (older === undefined) return undefined; // it cannot be said in that version
    const end = await validate(below, older);
    return end.ok ? undefined : `what comes out is refused (${end.issues[0]?.path}: ${end.issues[0]?.message}).`;
  } catch (error) {
    return `it throws (${error instanceof Error ? error.message : String(error)}).`;
  }
}

/** Why a value does not get through; undefined where it does, or where its own schema knows better than JSON Schema can say. */
async function lead(sample: unknown, way: readonly Upcast[], last: AnySchema): Promise<string | undefined> {
  let value = sample;
  for (const [index, { schema, up }] of way.entries()) {
    const read = await validate(schema, value);
    if (!read.ok)
      return index === 0
        ? undefined
        : `what comes out of a step is refused by the next (${read.issues[0]?.path}: ${read.issues[0]?.message}).`;
    try {
      value = up(read.value);
    } catch (error) {
      return `it throws (${error instanceof Error ? error.message : String(error)}).`;
    }
  }
  const end = await validate(last, value);
  return end.ok ? undefined : `what comes out is refused (${end.issues[0]?.path}: ${end.issues[0]?.message}).`;
}

/** A value with nothing that may be left out, and one with everything. */
function samplesOf(comparison: Comparison, schema: AnySchema): readonly unknown[] {
  const described = describedBy(schema);
  if (described === undefined) return [];
  const closed = toClosed(described);
  const names = isRecord(closed) ? fieldsIn(closed.properties).map(([name]) => name) : [];
  const wanted = [[], ...names.map((name) => [name]), names].map((required) => ({ allOf: [closed, { required }] }));
  return [closed, ...(names.length > 0 && !JSON.stringify(closed).includes('"$ref"') ? wanted.slice(1) : [])].flatMap(
    (one) => {
      const sample = comparison.sampleOf(one);
      return sample === undefined ? [] : [sample];
    },
  );
}

/** Nothing of a shape that JSON Schema has no words for: it is read all the same, and cannot be tried. */
function describedBy(schema: AnySchema): unknown {
  try {
    return toJsonSchema(schema);
  } catch {
    return undefined;
  }
}
