import type { Engine, StoredEvent } from "./engine.ts";
import type { HistoryOptions } from "./entity.ts";
import type { EventCodec } from "./event-codec.ts";
import { eventsIn, type LoggedEvent, type LogReader, type LogReadOptions } from "./event-log.ts";
import type { Log } from "./log.ts";
import { checkStreamName } from "./stream-name.ts";

type AnyLogged = LoggedEvent<any>; // whatever its events are
type AnyLogReader = LogReader<any>; // likewise
type AnyReadOptions = LogReadOptions<any>; // likewise

/** Events of the log for handlers and scripts. The codec learns them, so that what it cannot read is said before anything is. */
export function toLogReader(
  declared: { readonly [name: string]: unknown },
  { engine, log, codec }: { readonly engine: Engine; readonly log: Log; readonly codec: EventCodec },
): AnyLogReader {
  const events = eventsIn(declared);
  const names = new Map(events.map(([name, event]) => [event.id, name]));
  for (const [, event] of events) codec.learn(event);
  const toTypes = (wanted: readonly string[] | undefined): readonly string[] => {
    if (!wanted) return [...names.keys()];
    const unknown = wanted.find((name) => !events.some(([known]) => known === name));
    if (unknown === undefined) return events.flatMap(([name, { id }]) => (wanted.includes(name) ? [id] : []));
    const known = events.map(([name]) => `"${name}"`).join(", ") || "none";
    throw new TypeError(`The log cannot be read for "${unknown}", which is not declared there. Declared are ${known}.`);
  };
  const toLogged = async (kept: StoredEvent): Promise<AnyLogged> => {
    const { type, version, data, at, stream, id, position, revision } = kept;
    const payload = await codec.decode(type, version, data);
    return { event: names.get(type), payload, id, at: new Date(at), stream, position, revision } as AnyLogged; // by its type
  };

  return Object.freeze({
    async *read({ after = 0, until, events, categories, streams }: AnyReadOptions = {}) {
      for (const stream of streams ?? []) checkStreamName(stream);
      if (!Number.isSafeInteger(after) || after < 0)
        throw new TypeError(`A log is read after a position: 0, 1, 2 and so on. ${after} is none.`);
      const walk = {
        types: toTypes(events),
        ...(until !== undefined && { until }),
        ...(categories && { categories }),
        ...(streams && { streams }),
      };
      for await (const event of log.afterAsKept(after, walk)) yield await toLogged(event);
    },
    async *stream(name: string, options?: HistoryOptions) {
      checkStreamName(name);
      for await (const event of log.streamAsKept(name, options)) if (names.has(event.type)) yield await toLogged(event);
    },
    revision: (stream: string) => log.revision(stream),
    head: async () => (await engine.head(log.name)).position,
  });
}
