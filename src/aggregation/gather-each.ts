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
  const { name, asks } = source;
  const readings = asks ? await askedWith(asks, source, inputs, asker) : await answered(source, inputs, asker);
  note(
    asker,
    name,
    readings.map(({ meta }) => meta),
  );
  return readings;
}

/** What each is asked with may come to nothing, and then nobody is asked for it. */
async function askedWith(
  asks: NonNullable<SourcePlan["asks"]>,
  source: SourcePlan,
  inputs: readonly Input[],
  asker: Asker,
): Promise<readonly Reading[]> {
  const words = inputs.map((input) => inOtherWords(source.name, () => asks(input)));
  const readings = await answered(
    source,
    words.filter((word): word is Input => !(word instanceof NotAsked)),
    asker,
  );
  let next = 0;
  return words.map((word) => (word instanceof NotAsked ? word.reading : (readings[next++] as Reading))); // one for each that was asked
}

async function answered({ name }: SourcePlan, inputs: readonly Input[], asker: Asker): Promise<readonly Reading[]> {
  if (inputs.length === 0) return [];
  const { readers, principal, access, span, patience } = asker;
  const reader = readers.get(name) as AnyReader; // one was made for every source of every view
  const request = { principal, scope: access, patience };
  return span.span("source", name, {}, (inside) => reader.readEach(inputs, { ...request, span: inside }));
}
