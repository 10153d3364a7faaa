import type { AnyContract } from "../../contracts/index.ts";

/** What is seen when contract files and the backend are loaded: plain data, told by the thread that loads them. */
export interface Inspection {
  readonly unloadable: readonly Unloadable[];
  readonly contracts: readonly InspectedContract[];
  /** Nothing where there is no backend, or none that can be loaded. */
  readonly composition?: InspectedComposition;
  readonly suspects: readonly Suspect[];
  readonly lock: readonly LockRemark[];
}

export interface Unloadable {
  /** An absolute path, as all of them here. */
  readonly file: string;
  readonly reason: string;
  /** The line of the project's own file that the error came from, from 1. */
  readonly from?: { readonly file: string; readonly line: number };
}

export interface InspectedContract {
  readonly name: string;
  readonly version: string;
  /** The file that exports it. */
  readonly file: string;
  readonly owner?: string;
  readonly summary?: string;
  readonly operations: readonly InspectedOperation[];
  /** Whether another contract is called the same. */
  readonly isDouble: boolean;
}
export interface InspectedOperation {
  readonly id: string;
  readonly examples: number;
  readonly wrong: readonly string[];
}

export interface InspectedComposition {
  readonly implemented: readonly { readonly operation: string; readonly by: string }[];
  /** Contracts, or single operations of one, that somebody calls. */
  readonly needs: readonly { readonly contract: string; readonly operation?: string; readonly by: string }[];
  readonly remote: readonly string[];
}

/** A field that sounds like personal data, and does not say whether it is. */
export interface Suspect {
  readonly owner: { readonly kind: "contract" | "entity" | "readModel"; readonly name: string };
  readonly member?: string;
  readonly field: string;
  /** As in `trips.book input /email`. */
  readonly about: string;
}

/** A port: somebody who knows about versions looks at the contracts of a project, its backend as it is exported, and the text of its lock file, where there is one. */
export type LockJudge = (given: {
  readonly contracts: readonly AnyContract[];
  readonly backend: unknown;
  readonly text?: string;
}) => readonly LockRemark[] | Promise<readonly LockRemark[]>;

/** What is wrong with a contract and its lock file, or with an upcaster of it, in a sentence. */
export interface LockRemark {
  readonly contract: string;
  readonly about?: "upcaster";
  readonly message: string;
}
