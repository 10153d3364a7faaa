/** A schedule as the backend tells it; instants are ISO 8601. */
export interface Schedule {
  readonly name: string;
  readonly operation: string;
  readonly cron: string;
  readonly zone: string;
  readonly paused: boolean;
  readonly pause?: { readonly by: string; readonly at: string; readonly reason?: string };
  readonly owed: number;
  readonly next?: string;
  readonly last?: string;
  readonly lastRun?: string;
  /** The times of other code, by which it goes for as long as nodes with them are there. */
  readonly otherTimes?: string;
}

/** Asks for the schedules; none where the backend has none. Throws a sentence where they are not given. */
export async function fetchSchedules(signal?: AbortSignal): Promise<readonly Schedule[]> {
  const answer = await fetch("/runs/schedules", { ...(signal && { signal }), cache: "no-store" });
  if (answer.status === 404) return [];
  if (!answer.ok) throw new Error(await sentenceOf(answer));
  return ((await answer.json()) as { readonly schedules: readonly Schedule[] }).schedules;
}

/** Throws a sentence where it may not be done. */
export async function steerSchedule(name: string, to: "pause" | "resume"): Promise<void> {
  const answer = await fetch(`/runs/schedules/${encodeURIComponent(name)}/${to}`, { method: "POST" });
  if (!answer.ok) throw new Error(await sentenceOf(answer));
}

async function sentenceOf(answer: Response): Promise<string> {
  const said = (await answer.json().catch(() => ({}))) as { readonly title?: string; readonly detail?: string }; // a problem document
  return said.detail ?? said.title ?? `The backend answered ${answer.status}.`;
}
