// What reads the two streams of reports from the service that has them: page after page, for as long as the backend runs.
import { setTimeout as pause } from "node:timers/promises";
import type { Input } from "trilith/aggregation";
import { z } from "zod";

const Report = z.object({ flight: z.string(), airport: z.string(), at: z.number() });
const Page = z.object({
  records: z.array(
    z.discriminatedUnion("kind", [
      Report.extend({ kind: z.literal("departure") }),
      Report.extend({ kind: z.literal("delay"), minutes: z.int() }),
    ]),
  ),
  position: z.int(),
});
type Reports = z.output<typeof Page>["records"][number];

const pageEveryMs = 2_000;
const patienceMs = 5_000;

/**
 * The reports of one kind, from where it left off. A page that does not come, or is none, is asked for again. Where
 * `TRIPS_REPORTS_URL` does not say where the service is, there are none.
 */
export const reportsOf = (kind: "departures" | "delays"): Input<Reports>["read"] =>
  async function* (after) {
    const url = process.env.TRIPS_REPORTS_URL;
    if (!url) return;
    const everyMs = Number(process.env.TRIPS_REPORTS_EVERY_MS ?? pageEveryMs);
    for (let position = Number(after ?? 0); ; ) {
      const page = await pageAfter(`${url}/reports/${kind}?after=${position}`);
      if (page && page.records.length > 0) {
        position = page.position;
        yield page;
      }
      await pause(everyMs, undefined, { ref: false }); // nobody waits for it when the backend stops
    }
  };

async function pageAfter(url: string): Promise<z.output<typeof Page> | undefined> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(patienceMs) });
    const page = Page.safeParse(answer.ok ? await answer.json() : undefined);
    return page.data;
  } catch {
    return undefined;
  }
}
