import type { Asked, Measured } from "./subject.ts";

/** What a file of requests exports: what a client sends next, and whether what came back is right. */
export interface Requests {
  next(client: number, number: number): Sent;
  /** Throws a `Wrong` where the answer is not the right one; an error where it is a failure. */
  check(reply: Reply, client: number, number: number): void;
}
export interface Sent {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: { readonly [name: string]: string };
  readonly body?: string;
}
export interface Reply {
  readonly status: number;
  readonly body: string;
}

export type ToLoad = { readonly round: Asked };
export type FromLoad = { readonly measured: Measured } | { readonly failed: string; readonly wrong: boolean };
