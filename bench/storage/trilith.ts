import type { openSqlite } from "trilith/sqlite";
import { type Open, type Place, Wrong } from "../frame/subject.ts";
import { toUuids } from "../frame/uuid.ts";
import { type Appender, appends } from "./appends.ts";
import type { Booked } from "./events.ts";
import { commands } from "./trilith-commands.ts";
import { rebuilds } from "./trilith-rebuild.ts";
import { type CopyPlace, reopenings } from "./trilith-reopen.ts";

export type Engine = Awaited<ReturnType<typeof openSqlite>>;
export type OpenEngine = (place: Place) => Promise<Engine>;

/** The works of storage, on whichever engine. */
export function toWorks(openEngine: OpenEngine, copyPlace: CopyPlace): { readonly [work: string]: Open } {
  return {
    "append-1": async (place) => appends(toAppender(await openEngine(place)), { bytes: place.size }),
    "append-100": async (place) => appends(toAppender(await openEngine(place)), { perAppend: 100 }),
    "entity-command": async (place) => commands(await openEngine(place)),
    rebuild: (place) => rebuilds(openEngine, place),
    reopen: (place) => reopenings(openEngine, copyPlace, place),
  };
}

/** `from` is the position behind which it looks for what was appended. */
export function toAppender(engine: Engine, from = 0): Appender {
  const nextId = toUuids();
  return {
    async append(stream, events) {
      const [outcome] = await engine.append("main", [
        {
          id: nextId(),
          expect: [],
          events: events.map((booked) => ({
            stream,
            type: "bookings.Booked",
            version: 1,
            data: JSON.stringify(booked),
          })),
        },
      ]);
      if (!outcome?.ok) throw new Error(`It was not appended: ${JSON.stringify(outcome)}`);
    },
    async *all() {
      for (let after = from; ; ) {
        const page = await engine.read("main", { after, limit: 1_000 });
        if (page.length === 0) return;
        const last = page.at(-1)?.position ?? after;
        if (last - after !== page.length) throw new Wrong(`There is a gap between the positions ${after} and ${last}.`);
        for (const { type, data } of page) if (type === "bookings.Booked") yield JSON.parse(data) as Booked; // as written
        after = last;
      }
    },
    close: () => engine.close(),
  };
}
