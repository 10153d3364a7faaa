/**
 * What a system has to be so that it can be measured: opened in a process of its own, asked for one round after the
 * other, and looked through at the end. A system's file exports its `version` and one `Open` for each work that it does.
 */
export interface SystemFile {
  readonly version: (place: Place) => string | Promise<string>;
  readonly works: { readonly [work: string]: Open };
}
export type Open = (place: Place) => Promise<Subject>;

/** What a system is given for itself. */
export interface Place {
  /** An empty folder. */
  readonly folder: string;
  /** The address of an empty database, where the work needs PostgreSQL; otherwise "". */
  readonly postgres: string;
  /** How much there is of the work, in the work's own unit: events to rebuild from, entities, steps. */
  readonly size: number;
}

export interface Asked {
  readonly clients: number;
  /** How long to go on asking. Work that is of a given size is done once, however long it takes. */
  readonly forMs: number;
  /** Requests a second, where the pace is set from outside; without it each client asks again once it is answered. */
  readonly rate?: number;
  /** How often each client asks, where it is not the time that ends it. */
  readonly times?: number;
}

export interface Measured {
  readonly operations: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  /** Operations that failed. One that gave a wrong answer is no error: it ends the run. */
  readonly errors: number;
  readonly firstError?: string;
  /** Where one round measures two things, what the second one is called. */
  readonly work?: string;
  /** And what one operation of that is. */
  readonly what?: string;
  /** What there is to say beside the figures: bytes on disk, statements a run. */
  readonly notes?: Notes;
}
export type Notes = { readonly [name: string]: number | string };

export interface Subject {
  round(asked: Asked): Promise<Measured | readonly Measured[]>;
  /** Looks through what was kept. Throws a `Wrong` where something is missing that was acknowledged, or is not as written. */
  verify(): Promise<void>;
  close(): Promise<void>;
  /** Processes that belong to the system beside its own. */
  readonly pids?: readonly number[];
  /** The system is those processes alone: what this one uses is not counted. */
  readonly elsewhere?: boolean;
}

/** An answer that is wrong, or an acknowledged write that is missing. A system is not measured any further after one. */
export class Wrong extends Error {
  override readonly name = "Wrong";
}

export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Wrong(`${what} is ${is?.slice(0, 300)}, and should be ${should?.slice(0, 300)}.`);
}
