import { type Asker, inOtherWords, NotAsked, note } from "./gathering.ts";
import type { Input } from "./reading/question.ts";
import type { AnyReader } from "./reading/reader.ts";
import type { Reading } from "./reading/reading.ts";
import type { FieldScope } from "./scope.ts";
import type { SourcePlan } from "./source.ts";

/**
 * Asks the sources of a scope for many inputs at once: each source one time for all of them, so that what they have in
 * common is done once, and a trace shows one span with counts. Only for scopes in which no source waits for another:
 * there, nobody goes on before all have answered. The readings come by source, each in the order of the inputs.
 */
export async function gatherEach(
  { sources }: FieldScope,
  inputs: readonly Input[],
  asker: Asker,
): Promise<ReadonlyMap<string, readonly Reading[]>> {
  if (inputs.length === 0) return new Map();
  const readings = await Promise.all(
    sources.map(async (source) => [source.name, await readEach(source, inputs, asker)] as const),
  );
  return new Map(readings);
}

async function readEach(source: SourcePlan, inputs: readonly Input[], asker: Asker): Promise<readonly Reading[]> {
  const { readers, principal, access, span, patience } = asker;
  const { name, asks } = source;
  const words = asks ? inputs.map((input) => inOtherWords(name, () => asks(input))) : inputs;
  const asked = words.filter((word): word is Input => !(word instanceof NotAsked));
  const reader = readers.get(name) as AnyReader; // one was made for every source of every view
  const request = { principal, scope: access, patience };
  const answered =
    asked.length === 0
      ? []
      : await span.span("source", name, {}, (inside) => reader.readEach(asked, { ...request, span: inside }));
  let next = 0;
  const readings = words.map((word) => (word instanceof NotAsked ? word.reading : (answered[next++] as Reading)));
  note(
    asker,
    name,
    readings.map(({ meta }) => meta),
  );
  return readings;
}
