import { GraphQLError } from "graphql";
import { degradedIn } from "../degraded.ts";
import type { Context } from "./context.ts";

/**
 * Notes at each object of an answer which of its fields could not be said. Where the object itself is not there, since
 * nothing of it could be said, it is noted at what would hold it.
 */
export function noteDegraded({ degraded }: Context, answer: unknown, meta: unknown): void {
  for (const one of degradedIn(meta)) {
    let holder: unknown = answer;
    for (const step of one.path.split("/").slice(1)) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof holder !== "object" || holder === null) break;
      const inside = Object.hasOwn(holder, name) ? (holder as { readonly [name: string]: unknown })[name] : undefined;
      if (inside === undefined || inside === null) {
        const known = degraded.get(holder);
        const before = known?.get(name);
        const both = before ? { ...before, sources: [...before.sources, ...one.sources] } : one;
        degraded.set(holder, new Map([...(known ?? []), [name, both]]));
        break;
      }
      holder = inside;
    }
  }
}

/**
 * Throws where a field has no value because its sources could not say. It is null then, with an entry in `errors` that
 * names them. A field that has none because there is none is null, and no error.
 */
export function refuseDegraded({ degraded }: Context, answer: unknown, field: string): void {
  if (typeof answer !== "object" || answer === null) return;
  const told = degraded.get(answer)?.get(field);
  if (!told) return;
  const sources = [...new Map(told.sources.map((one) => [one.source, one])).values()];
  const [first] = sources;
  throw new GraphQLError(first?.problem ?? `No source of "${field}" could say.`, {
    extensions: {
      code: "Degraded",
      state: told.state,
      ...(first && { source: first.source }),
      sources: sources.map(({ source, state }) => ({ source, state })),
      retry: "later",
    },
  });
}
