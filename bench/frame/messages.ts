import type { Consumption } from "./consumption.ts";
import type { Asked, Measured } from "./subject.ts";

/** What the one who measures tells the process of a system, one thing at a time. */
export type ToChild =
  | { readonly round: Asked }
  /** Begin to sample what it does; or end that, and write the profiles into a folder. */
  | { readonly profile: "begin" | { readonly into: string } }
  | { readonly verify: true }
  | { readonly close: true };

export type FromChild =
  | { readonly opened: { readonly version: string } }
  | { readonly measured: readonly Measured[]; readonly consumption: Consumption }
  | { readonly profiling: true }
  /** The hottest functions, as lines for a terminal. */
  | { readonly profiled: readonly string[] }
  | { readonly verified: true }
  /** `wrong`: what it gave or kept is not right, and no figure of it counts. */
  | { readonly failed: string; readonly wrong: boolean };
