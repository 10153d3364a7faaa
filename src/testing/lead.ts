import type { AnyEvent, Event, In, Named, Out } from "../contracts/index.ts";
import { EventCodec } from "../storage/host.ts";

/**
 * What is read of an event that was stored in an older version: what its upcasters make of it, as the present schema reads
 * it. Rejects with a sentence where a step throws or gives what does not fit.
 *
 *     assert.deepEqual(await leadUp(Parcels.Weighed, 1, { grams: 500 }), { kilos: 0.5, fragile: false });
 */
export async function leadUp<S extends AnyEvent["schema"]>(
  event: Event<S> & Named,
  version: number,
  stored: unknown,
): Promise<Out<S>> {
  return codecOf(event, version).decode(event.id, version, JSON.stringify(stored));
}

/**
 * What is stored of an event while processes run that read nothing newer than an older version: what its ways down make of
 * it. Nothing where this payload cannot be said in that version, so that its command has to wait. Rejects with a sentence
 * where there is no way down, or a step throws or gives what does not fit.
 */
export async function leadDown<S extends AnyEvent["schema"]>(
  event: Event<S> & Named,
  version: number,
  payload: In<S>,
): Promise<unknown> {
  const codec = codecOf(event, version);
  if (!codec.leadsDown(event.id, version))
    throw new TypeError(
      `${event.id} does not lead down from version ${event.version} to version ${version}. Give each step between them a third argument: upcast(Before, up, down).`,
    );
  const encoded = await codec.encodeOlder(event.id, payload, version);
  return encoded && JSON.parse(encoded.json);
}

function codecOf(event: AnyEvent & Named, version: number): EventCodec {
  if (!Number.isSafeInteger(version) || version < 1 || version > event.version)
    throw new RangeError(`${event.id} has no version ${version}. Its versions are 1 to ${event.version}.`);
  const codec = new EventCodec();
  codec.learn(event);
  return codec;
}
