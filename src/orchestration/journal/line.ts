/**
 * The port to where runs wait for their turn. What is waiting is on disk: a row and an index entry a run, whatever their
 * number. Admissions to one operation are one after the other, whichever node makes them: each expects the entry that
 * it looked at, so limits hold over all nodes without a coordinator.
 */
export interface Line {
  /** How the line for an operation stands: its first turns, with the first runs of each. */
  look(operation: string, most: number): Promise<Standing>;
  /** Lets runs in, with everything that changes by it, in one commit; false where another node was faster. */
  admit(operation: string, seen: Standing, admission: Admission): Promise<boolean>;
}

/** What a run stands in line with. */
export interface Ticket {
  readonly operation: string;
  /** Whose turn it takes: runs of one turn go in the order of their start, and turns share what there is. */
  readonly turn: string;
  readonly priority: number;
  /** Of which at most so many are let in at a time. */
  readonly lane?: string;
  /** Of which at most so many are let in in a time. */
  readonly meter?: string;
}

export interface Standing {
  readonly revision: number;
  /** Which entry has that revision, where another one may come to have it. */
  readonly entry?: string | undefined;
  /** On the clock of the line, in ms since 1970. */
  readonly now: number;
  /** The start tag of the turn that was served last. */
  readonly virtual: number;
  readonly turns: readonly Turn[];
  readonly lanes: ReadonlyMap<string, Lane>;
  /** By meter: when the next run may be let in if runs came evenly (the theoretical arrival time), in ms since 1970. */
  readonly meters: ReadonlyMap<string, number>;
  /** When a closed turn opens next. */
  readonly opensAt: number | undefined;
}
export interface Lane {
  readonly held: number;
  /** How many were freed since somebody last looked at those who wait for it. */
  readonly freed: number;
}
export interface Turn {
  readonly key: string;
  readonly priority: number;
  /** Its start tag: turns are served in this order. */
  readonly start: number;
  /** How many runs wait in it, the ones below among them. */
  readonly waiting: number;
  readonly heads: readonly Head[];
}
export interface Head {
  readonly run: string;
  readonly lane?: string;
  readonly meter?: string;
  /** The revision of the last entry when it took its place. */
  readonly revision?: number;
  /** Which entry that is, where another one may come to have its revision. */
  readonly entry?: string;
}

export interface Admission {
  readonly virtual: number;
  readonly admitted: readonly (Head & { readonly turn: string })[];
  /** Turns that were served or that have to wait: for a time (in ms since 1970), or for a lane. */
  readonly turns: readonly TurnChange[];
  readonly meters: ReadonlyMap<string, number>;
}
export interface TurnChange {
  readonly key: string;
  readonly priority: number;
  readonly start: number;
  readonly opensAt: number;
  readonly blockedBy: string | null;
}
/** As `opensAt`: not before the lane is freed that the turn waits for. */
export const untilFreed: number = Number.MAX_SAFE_INTEGER;
