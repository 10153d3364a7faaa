import type { Consumption } from "./consumption.ts";
import type { Asked, Measured } from "./subject.ts";

/** What the one who measures tells the process of a system, one thing at a time. */
export type ToChild = { readonly round: Asked } | { readonly verify: true } | { readonly close: true };

export type FromChild =
  | { readonly opened: { readonly version: string } }
  | { readonly measured: readonly Measured[]; readonly consumption: Consumption }
  | { readonly verified: true }
  /** `wrong`: what it gave or kept is not right, and no figure of it counts. */
  | { readonly failed: string; readonly wrong: boolean };
