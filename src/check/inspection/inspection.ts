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

/** What somebody who knows about versions says of contracts and their lock file. */
export interface LockRemark {
  readonly contract: string;
  readonly message: string;
}
