/** How much of a suite is measured: a minute's impression, the figures, or how they grow. */
export type Scope = "quick" | "full" | "scale";

/** What is measured of one layer, and by whom. Plain data; what runs it is rounds.ts. */
export interface Suite {
  readonly name: string;
  readonly systems: { readonly [system: string]: System };
  readonly works: (scope: Scope) => readonly Work[];
  readonly reasons: Reasons;
}

/**
 * By work: why the limit, or a peer, is ahead of Trilith there, and what would change it. They are told in the report
 * only where the figures of the run say that it is so.
 */
export interface Reasons {
  readonly [work: string]: { readonly limit?: string; readonly peer?: string };
}

export interface System {
  /** The file that has its works; see subject.ts. */
  readonly file: string;
  /** Trilith itself, what a user would pick instead, or what the machine can do at all. */
  readonly role: "trilith" | "peer" | "limit";
  /** What it is held against as the limit: the first of these that does the work too. */
  readonly limit?: readonly string[];
  /** It needs packages that only this folder has. */
  readonly installed?: true;
  /** It gets an empty database of its own on the one server that everybody shares. */
  readonly postgres?: true;
}

export interface Work {
  readonly work: string;
  /** The work as the systems' files call it, where that is another word. */
  readonly as?: string;
  /** What one operation is, for the report. */
  readonly what: string;
  readonly systems: readonly string[];
  readonly clients: readonly number[];
  readonly size?: number;
  /** Less of it for systems that would take minutes; operations a second are what is compared. */
  readonly sizes?: { readonly [system: string]: number };
  readonly rounds: number;
  /** Of one round of one system. Work of a given size takes what it takes. */
  readonly forMs: number;
  readonly warmUpMs: number;
}
