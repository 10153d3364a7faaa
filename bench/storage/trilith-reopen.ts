import { timed } from "../frame/closed-loop.ts";
import { expectEqual, type Measured, type Place, type Subject } from "../frame/subject.ts";
import { appends } from "./appends.ts";
import { type Engine, type OpenEngine, toAppender } from "./trilith.ts";
import { fillLog } from "./trilith-rebuild.ts";

/** Another place with all that is in this one, which nobody has open. */
export type CopyPlace = (place: Place) => Promise<{ readonly place: Place; remove(): Promise<void> }>;

const warmUp = { clients: 128, forMs: 2_000 };

/** Opens a log that has grown, and goes on appending to it. Each round has a copy of its own, so that all find the same. */
export async function reopenings(openEngine: OpenEngine, copyPlace: CopyPlace, place: Place): Promise<Subject> {
  const { size } = place;
  const first = await openEngine(place);
  await fillLog(first, 0, size);
  const megabytes = (await first.status()).bytes / 2 ** 20;
  await first.close();
  await withCopy(async (copy) => {
    const engine = await openEngine(copy);
    const appending = appends(toAppender(engine, size));
    await appending.round(warmUp);
    await appending.close();
  });
  async function withCopy<T>(work: (copy: Place) => Promise<T>): Promise<T> {
    const copy = await copyPlace(place);
    try {
      return await work(copy.place);
    } finally {
      await copy.remove();
    }
  }
  return {
    round: ({ clients, forMs }) =>
      withCopy(async (copy): Promise<readonly Measured[]> => {
        let engine: Engine | undefined;
        const opening = await timed(1, async () => {
          engine = await openEngine(copy);
          const [last] = await engine.read("main", { after: size - 1, limit: 1 });
          expectEqual(last?.position, size, "The last position after opening");
        });
        const appending = appends(toAppender(engine as Engine, size)); // it was opened
        try {
          // A small log is not to become another one while it is measured.
          const measured = [
            await appending.round({ clients, forMs: Math.min(forMs, Math.max(100, size / 100)) }),
          ].flat();
          await appending.verify();
          return [toOpened(opening, size, megabytes), ...measured.slice(0, 1).map((one) => toAppended(one, size))];
        } finally {
          await appending.close();
        }
      }),
    verify: async () => {}, // each round looks for what it has written
    close: async () => {},
  };
}

function toOpened(measured: Measured, size: number, megabytes: number): Measured {
  const of = toLabel(size);
  const what = `opening a log of ${of} events, until the last is read`;
  return { ...measured, work: `reopen-${of}`, what, notes: { "MB on disk": megabytes } };
}

function toAppended(measured: Measured, size: number): Measured {
  const of = toLabel(size);
  return { ...measured, work: `append-1-at-${of}`, what: `one event, appended to a log of ${of} events` };
}

/** 10k, 1m: so many events. */
const toLabel = (size: number): string => (size >= 1e6 ? `${size / 1e6}m` : `${size / 1e3}k`);
