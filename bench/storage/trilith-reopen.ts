import { timed } from "../frame/closed-loop.ts";
import { expectEqual, type Measured, type Place, type Subject } from "../frame/subject.ts";
import { appends } from "./appends.ts";
import { type OpenEngine, toAppender } from "./trilith.ts";
import { fillLog } from "./trilith-rebuild.ts";

/** Opens a log that has grown, and goes on appending to it. */
export async function reopenings(openEngine: OpenEngine, place: Place): Promise<Subject> {
  let engine = await openEngine(place);
  await fillLog(engine, 0, place.size);
  const megabytes = (await engine.status()).bytes / 2 ** 20;
  let appender = toAppender(engine);
  const appending = appends({
    append: (stream, events) => appender.append(stream, events),
    all: () => appender.all(),
    close: () => engine.close(),
  });
  return {
    ...appending,
    async round(asked): Promise<readonly Measured[]> {
      const { position } = await engine.head("main");
      await engine.close();
      const opening = await timed(1, async () => {
        engine = await openEngine(place);
        appender = toAppender(engine);
        const [last] = await engine.read("main", { after: position - 1, limit: 1 });
        expectEqual(last?.position, position, "The last position after opening");
      });
      const measured = [await appending.round(asked)].flat();
      const of = toLabel(place.size);
      return [
        {
          ...opening,
          work: `reopen-${of}`,
          what: `opening a log of ${of} events, until the last is read`,
          notes: { "MB on disk": megabytes },
        },
        ...measured
          .slice(0, 1)
          .map((one) => ({ ...one, work: `append-1-at-${of}`, what: `one event, appended to a log of ${of} events` })),
      ];
    },
  };
}

/** 10k, 1m: so many events. */
const toLabel = (size: number): string => (size >= 1e6 ? `${size / 1e6}m` : `${size / 1e3}k`);
