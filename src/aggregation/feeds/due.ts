import type { Feed } from "./feed.ts";
import type { Emitted, Late, Stage } from "./slice.ts";

/** A call that a feed owes, as it is kept: what is said in it is settled before it is made. */
export interface Due {
  /** Of the side output. */
  readonly late: boolean;
  readonly key: string;
  readonly input: unknown;
  /** What it was made of: for code that makes something else of it. */
  readonly from: unknown;
}
export interface DueStage extends Stage<unknown, Due> {
  /** Records that came too late since the feed began. */
  readonly late: number;
}

/** A feed's stage, with the calls that its records are to become. */
export function toDueStage(feed: Feed): DueStage {
  const stage = feed.stage();
  let late = 0;
  const { allowedLatenessMs } = stage;
  return {
    ...(allowedLatenessMs !== undefined && { allowedLatenessMs }),
    get late() {
      return late;
    },
    take(slice) {
      const out: Emitted<unknown> = stage.take(slice);
      late += out.late?.length ?? 0;
      const { records, times, before, watermark } = out;
      const owed = records.map((from) => toDue(feed, { late: false, from }));
      const side = feed.late ? (out.late ?? []) : [];
      return {
        input: 0,
        records: [...owed, ...side.map((from) => toDue(feed, { late: true, from }))],
        times: [...times, ...side.map(({ at }) => at)],
        before,
        watermark,
      };
    },
    snapshot: () => ({ late, of: stage.snapshot() }),
    restore(snapshot) {
      const kept = snapshot as { readonly late: number; readonly of: unknown }; // as it was written above
      late = kept.late;
      stage.restore(kept.of);
    },
  };
}

/** What the code that runs now says in a call. */
export function toDue(feed: Feed, { late, from }: Pick<Due, "late" | "from">): Due {
  if (!late || !feed.late) return { late: false, key: feed.key(from), input: feed.input(from), from };
  // After the end of all inputs everything is late, and JSON has no word for that watermark.
  const { watermark, ...one } = from as Omit<Late<unknown>, "watermark"> & { readonly watermark: number | null };
  const whole = { ...one, watermark: watermark ?? Number.POSITIVE_INFINITY };
  return { late, key: feed.late.key(whole), input: feed.late.input(whole), from };
}
