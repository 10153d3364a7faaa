import type { Finding } from "./rows.ts";

/** What a suite is to reach. Plain data; whether it is reached comes from the rows of a run, and from nothing else. */
export interface Goal {
  readonly row: RowName;
  /** It is told by a run with --scale. */
  readonly scale?: true;
  /** What counts: a figure of the row, or something that was noted beside it. */
  readonly figure: Figure;
  /** As so many times the same figure of another row of the same run; where several are there, of the best of them. */
  readonly times?: readonly RowName[];
  /** Missing where the figure is to be stated, and that is all. */
  readonly reach?: { readonly is: "at least" | "at most" | "above" | "below"; readonly value: number };
  /** Where the value comes from, if it was worked out. */
  readonly from?: string;
  /** Why it is not reached, and what would change it; told only then. Of a figure that is stated: what limits it. */
  readonly why: string;
}

export type Figure =
  | ("opsPerSecond" | "p50Ms" | "p99Ms" | "errors" | "peakMemoryMb")
  /** What a system noted beside its figures, and how the report calls it where that is another word. */
  | { readonly note: string; readonly called?: string };

export interface RowName {
  readonly work: string;
  readonly system: string;
  readonly clients: number;
}

export interface Judged {
  readonly goal: Goal;
  /** Missing where the run has no such row, or none to compare it with. */
  readonly measured?: number;
  /** The row that it was held against. */
  readonly beside?: RowName;
  readonly outcome: "reached" | "missed" | "stated" | "not measured";
}

export const rowOf = (work: string, system: string, clients: number): RowName => ({ work, system, clients });

export function judge(goal: Goal, findings: readonly Finding[]): Judged {
  const own = figureOf(goal.row, goal.figure, findings);
  if (own === undefined) return { goal, outcome: "not measured" };
  if (!goal.times) return { goal, measured: own, outcome: outcomeOf(goal, own) };
  const others = goal.times.flatMap((row) => {
    const value = figureOf(row, goal.figure, findings);
    return value === undefined || value === 0 ? [] : [{ row, value }];
  });
  const more = goal.figure === "opsPerSecond";
  const [best] = others.sort((a, b) => (more ? b.value - a.value : a.value - b.value));
  if (!best) return { goal, outcome: "not measured" };
  const measured = own / best.value;
  return { goal, measured, beside: best.row, outcome: outcomeOf(goal, measured) };
}

function outcomeOf({ reach }: Goal, measured: number): Judged["outcome"] {
  if (!reach) return "stated";
  return reaches(reach, measured) ? "reached" : "missed";
}

function reaches({ is, value }: NonNullable<Goal["reach"]>, measured: number): boolean {
  if (is === "at least") return measured >= value;
  if (is === "at most") return measured <= value;
  return is === "above" ? measured > value : measured < value;
}

function figureOf(name: RowName, figure: Figure, findings: readonly Finding[]): number | undefined {
  const found = findings.find(
    ({ row }) => row.work === name.work && row.system === name.system && row.clients === name.clients,
  );
  if (typeof figure === "string") return found?.row[figure];
  const noted = found?.notes[figure.note];
  return typeof noted === "number" ? noted : undefined;
}
