import type { Clock } from "../../contracts/index.ts";
import type { Journal } from "../journal/journal.ts";

/** How often the journal is looked at, in ms: a run may live on another node, so nobody here is told. */
const everyMs = 250;

/** What a run says of itself: its last progress, then each further one, up to its end. */
export async function* follow(
  run: string,
  { journal, clock, aborted }: { readonly journal: Journal; readonly clock: Clock; readonly aborted: AbortSignal },
): AsyncGenerator<unknown> {
  let next = (await journal.find(run))?.from ?? 0;
  while (!aborted.aborted) {
    const entries = await journal.read(run, next);
    next += entries.length;
    // Of what was written since the last look only the latest counts.
    const progress = entries.findLast((entry) => entry.type === "Progress");
    if (progress) yield progress.value;
    if (entries.at(-1)?.type === "Ended") return;
    await pause(clock, aborted);
  }
}

function pause(clock: Clock, aborted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      disarm();
      aborted.removeEventListener("abort", end);
      resolve();
    };
    const disarm = clock.after(everyMs, end);
    if (aborted.aborted) return end();
    aborted.addEventListener("abort", end, { once: true });
  });
}
