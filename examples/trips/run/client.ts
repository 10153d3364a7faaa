import { randomUUID } from "node:crypto";

export interface Trip {
  readonly flight: string;
  readonly booking: string;
  readonly traveller: string;
  readonly card: string;
  readonly lastKnownFare: number;
}
export type Booked = (
  | { readonly kind: "ticketed"; readonly ticket: string }
  | { readonly kind: "under way" }
  | { readonly kind: "refused"; readonly code: string; readonly detail: string }
) & { readonly run: string; readonly status: number; readonly trace: string; readonly ms: number };

/** A caller of the backend over HTTP, as any outside client would be one. */
export class TripsClient {
  readonly #url: string;
  readonly #key: string;
  readonly #gone = new AbortController();
  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Waits for no answer any more. */
  close(): void {
    this.#gone.abort();
  }

  /** Books a trip. A lost connection is no answer: the same key is sent until there is one. */
  async book(trip: Trip, waitSeconds = 3): Promise<Booked> {
    const began = performance.now();
    const response = await this.#untilAnswered("/trips", {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": trip.booking, prefer: `wait=${waitSeconds}` },
      body: JSON.stringify(trip),
    });
    const body = (await response.json()) as { ticket?: string; run?: string; code?: string; detail?: string };
    const run = body.run ?? response.headers.get("location")?.split("/").at(-1) ?? "";
    const about = {
      run,
      status: response.status,
      trace: response.headers.get("trace-id") ?? "",
      ms: performance.now() - began,
    };
    if (response.status === 202) return { kind: "under way", ...about };
    if (response.ok) return { kind: "ticketed", ticket: body.ticket ?? "", ...about };
    return { kind: "refused", code: body.code ?? "unknown", detail: body.detail ?? "", ...about };
  }

  /** How a run stands: `done`, `failed`, or on its way. */
  async state(run: string): Promise<string> {
    const response = await this.#untilAnswered(`/runs/${run}`, {});
    return response.ok ? ((await response.json()) as { state: string }).state : String(response.status);
  }

  async approve(run: string, by: string): Promise<number> {
    const response = await this.#untilAnswered(`/runs/${run}/signals/approved`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": randomUUID() },
      body: JSON.stringify({ by }),
    });
    return response.status;
  }

  get(path: string): Promise<Response> {
    return this.#send(path, {});
  }

  async #untilAnswered(path: string, request: RequestInit): Promise<Response> {
    for (let tries = 0; ; tries++) {
      try {
        return await this.#send(path, request);
      } catch (error) {
        if (tries >= 200 || this.#gone.signal.aborted) throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, Math.min(1_000, 50 * (tries + 1))));
    }
  }

  #send(path: string, request: RequestInit): Promise<Response> {
    const signal = AbortSignal.any([AbortSignal.timeout(30_000), this.#gone.signal]);
    const headers = { authorization: `Bearer ${this.#key}`, ...request.headers };
    return fetch(`${this.#url}${path}`, { ...request, headers, signal });
  }
}
