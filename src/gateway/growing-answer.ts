import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type Answer, type Part, systemClock } from "../contracts/index.ts";
import { type PatchStep, toPatch } from "./json-patch.ts";
import { toSent } from "./problem-reply.ts";

const heartbeatMs = 15_000;
/** A listener that takes nothing for so long has gone, whatever its connection says. */
const longestStallMs = 30_000;

/** Whether a caller would rather have events than one JSON document. */
export function wantsEvents(accept: string | undefined): boolean {
  if (accept === undefined) return false;
  const qualityOf = (type: string): number => {
    const said = accept
      .toLowerCase()
      .split(",")
      .find((one) => one.split(";")[0]?.trim() === type);
    const [, q = "1"] = (said && /;\s*q\s*=\s*([\d.]+)/.exec(said)) ?? [];
    return said === undefined ? 0 : Number(q) || 0;
  };
  const events = qualityOf("text/event-stream");
  return events > 0 && events >= qualityOf("application/json");
}

/**
 * Answers with server-sent events: `answer` with what there is first, `patch`es (RFC 6902) to it, and `complete` with the
 * provenance. What fails before the first event is a plain problem document with its status; later it is a `problem` event.
 */
export async function sendGrowing(
  request: FastifyRequest,
  reply: FastifyReply,
  ask: (onPart: (part: Part) => void) => Promise<Answer>,
  project: (wire: unknown) => unknown,
): Promise<FastifyReply> {
  const begun = Promise.withResolvers<void>();
  let hasBegun = false;
  const begin = (): void => {
    hasBegun = true;
    begun.resolve();
  };
  const growing = new GrowingAnswer(begin);
  reply.raw.once("close", () => growing.stop());
  ask(({ wire, pending }) => growing.grow(project(wire), pending)).then(
    (answer) => growing.complete("wire" in answer ? project(answer.wire) : undefined, answer),
    (error: unknown) => {
      if (hasBegun) return growing.fail(toSent(request, error));
      growing.stop();
      begun.reject(error);
    },
  );
  await begun.promise;
  return reply
    .header("cache-control", "no-store")
    .header("x-accel-buffering", "no")
    .header("vary", "Accept")
    .type("text/event-stream; charset=utf-8")
    .send(growing.readable);
}

/**
 * The events of one answer, made when the listener has room for them: what grew meanwhile is one patch, so a slow
 * listener costs the memory of two answers and no more.
 */
class GrowingAnswer {
  readonly readable: Readable;
  readonly #begin: () => void;
  /** What the listener has, once it has something. */
  #told: { readonly data: unknown } | undefined;
  #next: { readonly data: unknown; readonly pending: readonly string[] } | undefined;
  #last: string | undefined;
  #wanting = false;
  #scheduled = false;
  #cancelHeartbeat: () => void = () => {};
  #cancelStall: () => void = () => {};
  constructor(begin: () => void) {
    this.#begin = begin;
    this.readable = new Readable({
      highWaterMark: 1,
      read: () => {
        this.#cancelStall();
        this.#wanting = true;
        this.#push();
      },
    });
    this.#beat();
  }

  grow(data: unknown, pending: readonly string[]): void {
    this.#next = { data, pending };
    this.#schedule();
  }

  complete(data: unknown, answer: Answer): void {
    this.#next = { data, pending: [] };
    this.#finish("complete", { meta: ("meta" in answer ? answer.meta : undefined) ?? null });
  }

  fail(problem: object): void {
    this.#next = undefined;
    this.#finish("problem", problem);
  }

  stop(): void {
    this.#cancelHeartbeat();
    this.#cancelStall();
    this.#last = undefined;
    this.readable.destroy();
  }

  #finish(event: string, data: unknown): void {
    this.#cancelHeartbeat();
    this.#last = toText(event, data);
    this.#schedule();
  }

  // Sources that answer in one go are told of in one go.
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#begin();
      this.#push();
    });
  }

  #push(): void {
    if (!this.#wanting || this.#scheduled || this.readable.destroyed) return;
    const text = this.#growth() + (this.#last ?? "");
    if (text !== "") this.#write(text);
    if (this.#last === undefined) return;
    this.readable.push(null);
    this.#last = undefined;
  }

  #growth(): string {
    if (!this.#next) return "";
    const { data, pending } = this.#next;
    const told = this.#told;
    this.#next = undefined;
    this.#told = { data };
    if (!told) return toText("answer", { data: data ?? null, pending });
    const patch: readonly PatchStep[] = toPatch(told.data, data);
    return patch.length === 0 ? "" : toText("patch", { patch, pending });
  }

  #write(text: string): void {
    this.#wanting = false;
    this.#cancelStall = systemClock.after(longestStallMs, () => this.readable.destroy(new Error("Nobody listens.")));
    this.readable.push(text);
  }

  #beat(): void {
    this.#cancelHeartbeat = systemClock.after(heartbeatMs, () => {
      this.#begin();
      if (this.#wanting) this.#write(": still here\n\n");
      this.#beat();
    });
  }
}

// JSON has no line breaks of its own, so one data line is enough.
const toText = (event: string, data: unknown): string => `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
