/**
 * The port to where it is kept what of a schedule was done and what is next. One row a schedule, which changes by
 * comparison: of two nodes that do the same, one does it.
 */
export interface Timetable {
  find(schedule: string): Promise<Slot | undefined>;
  /** Writes the row if it is still as it `was` (undefined: there is none); false where it is not. Durable when it resolves. */
  put(schedule: string, slot: Plan, was: Slot | undefined): Promise<boolean>;
}

/** Instants are in ms since 1970. */
export interface Plan {
  /** By what the instants were told: a row of another rule is not acted on. */
  readonly rule: string;
  /** The first instant of which it is not decided yet what becomes of it; null where there is none any more. */
  readonly next: number | null;
  /** Instants whose runs have to begin, the earliest first. */
  readonly owed: readonly number[];
  /** The instant of the last run that was begun, and that run; null where there was none, and for a command that is no workflow's. */
  readonly last: number | null;
  readonly lastRun: string | null;
  readonly paused: boolean;
  /** Who paused it, and why. */
  readonly pause?: { readonly by: string; readonly at: number; readonly reason?: string };
  /** By a node of another rule: it asks whether anybody acts on this one, and since when. Whoever does takes it out. */
  readonly asked?: { readonly rule: string; readonly at: number };
}
export interface Slot extends Plan {
  /** How often the row has changed. */
  readonly turn: number;
}
