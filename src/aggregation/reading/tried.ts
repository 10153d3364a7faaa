/** What one question to an upstream came to. `repeat` says whether asking again may help. */
export type Tried =
  | {
      readonly state: "fresh";
      readonly value: unknown;
      readonly asOf?: number;
      readonly duplicates: number;
      readonly bytes: number;
      readonly status?: number;
    }
  | {
      readonly state: "missing" | "invalid" | "down" | "slow";
      /** Completes the sentence "The source … ". */
      readonly problem: string;
      readonly repeat: boolean;
      /** The upstream's own wish, in ms. */
      readonly notBeforeMs?: number;
      readonly status?: number;
    };

/** Whether it settles the question: a failure that may pass does not. */
export const settles = (tried: Tried): boolean => tried.state === "fresh" || !tried.repeat;
