import { GraphQLError } from "graphql";
import type { Context } from "./context.ts";

const failing = ["invalid", "down", "slow", "shed"];

/**
 * Throws where a field has no value because its sources could not say. It is null then, with an entry in `errors` that
 * names them. A field that has none because there is none is null, and no error.
 */
export function refuseDegraded({ provenance }: Context, answer: unknown, field: string): void {
  if (typeof answer !== "object" || answer === null) return;
  const { fields = {}, sources = {} } = provenance.get(answer) ?? {};
  const state = Object.hasOwn(fields, field) ? fields[field]?.state : undefined;
  if (state === undefined || !failing.includes(state)) return;
  const guilty = (fields[field]?.rejected ?? [])
    .map(({ source }) => ({ source, state: sources[source]?.state ?? state, problem: sources[source]?.problem }))
    .filter((one) => failing.includes(one.state));
  const [first] = guilty;
  throw new GraphQLError(first?.problem ?? `No source of "${field}" could say.`, {
    extensions: {
      code: "Degraded",
      state,
      ...(first && { source: first.source }),
      sources: guilty.map(({ source, state }) => ({ source, state })),
      retry: "later",
    },
  });
}
