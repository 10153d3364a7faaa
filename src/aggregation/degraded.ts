import type { DegradedField, FieldMeta } from "./meta.ts";
import type { Reading } from "./reading/reading.ts";

type Failing = DegradedField["state"];

/** Whether a state says that somebody could not say, and not that there is nothing. */
export const isFailing = (state: string): state is Failing =>
  state === "invalid" || state === "down" || state === "slow" || state === "shed";

/** The fields that have no value because their sources could not say, and which sources those are. */
export function degradedOf(
  fields: { readonly [field: string]: FieldMeta },
  readings: Pick<ReadonlyMap<string, Reading>, "get">,
): readonly DegradedField[] {
  let degraded: DegradedField[] | undefined;
  for (const field of Object.keys(fields)) {
    const { state, rejected } = fields[field] as FieldMeta; // it is one of its own names
    if (!isFailing(state)) continue;
    const sources = rejected.flatMap(({ source, why, unusable }): DegradedField["sources"] => {
      if (unusable) return [{ source, state: "invalid", problem: `What the source "${source}" says of it ${why}.` }];
      const { state, problem } = readings.get(source)?.meta ?? { state: "missing" };
      return isFailing(state) ? [{ source, state, ...(problem !== undefined && { problem }) }] : [];
    });
    degraded ??= [];
    degraded.push({ path: `/${toStep(field)}`, state, sources });
  }
  return degraded ?? none;
}

/** Where everybody could say. */
export const none: readonly DegradedField[] = Object.freeze([]);

/** The same, seen from further out. */
export const below = (place: string, degraded: readonly DegradedField[]): readonly DegradedField[] =>
  degraded.map((one) => ({ ...one, path: `${place}${one.path}` }));

/** A field's name as a step of a JSON pointer (RFC 6901). */
export const toStep = (name: string): string => name.replaceAll("~", "~0").replaceAll("/", "~1");
