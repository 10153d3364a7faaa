import type { Clock } from "../../contracts/index.ts";
import { restore } from "../reading/last-good.ts";
import { type Found, toPick } from "../reading/pick.ts";
import { cannotTake, type Input } from "../reading/question.ts";
import type { ReadEach, ReadRequest } from "../reading/reader.ts";
import { type Reading, rounded } from "../reading/reading.ts";
import type { Tried } from "../reading/tried.ts";
import type { SourcePlan } from "../source.ts";
import type { AnyView } from "../view.ts";
import type { Candidates } from "./candidates.ts";
import { type Folded, fold } from "./fold.ts";
import { placeOf } from "./place.ts";

const usualMs = 5;

/** Reads one source of a materialised view: not from where it is, but from what it has said by itself. */
export class KeptReader {
  readonly #view: AnyView;
  readonly #source: SourcePlan;
  readonly #candidates: Candidates;
  readonly #clock: Clock;
  constructor(view: AnyView, source: SourcePlan, candidates: Candidates, clock: Clock) {
    this.#view = view;
    this.#source = source;
    this.#candidates = candidates;
    this.#clock = clock;
  }

  /** It is at hand, so nobody has to leave it much time. */
  usualMs(): number {
    return usualMs;
  }

  /** Resolves by the deadline, as the reader of a source that is asked does. */
  async read(request: ReadRequest): Promise<Reading> {
    const began = this.#clock.monotonic();
    const late = Promise.withResolvers<Reading>();
    const cancel = this.#clock.after(Math.max(0, request.patience.deadline - began), () =>
      late.resolve(this.#without("slow", began, "was not read within the budget")),
    );
    try {
      return await Promise.race([this.#read(request, began), late.promise]);
    } catch {
      return this.#without("down", began, "has said things that cannot be read right now");
    } finally {
      cancel();
    }
  }

  /** In the order of the inputs. */
  readEach(inputs: readonly Input[], request: ReadEach): Promise<readonly Reading[]> {
    return Promise.all(inputs.map((input) => this.read({ ...request, input })));
  }

  async #read({ input }: ReadRequest, began: number): Promise<Reading> {
    const source = this.#source;
    let key = input;
    try {
      if (source.from) key = source.from(input);
    } catch (error) {
      // As where it is asked.
      return this.#without("invalid", began, cannotTake(error));
    }
    const place = placeOf(this.#view, source, key);
    const kept = place === undefined ? [] : await this.#candidates.load(place);
    const folded = fold(kept);
    const tried = await toFound(source, folded, key);
    if (tried.state !== "fresh") return this.#without(tried.state, began, tried.problem);
    const { value, asOf } = tried.value;
    const at = Math.min(...("counted" in folded ? folded.counted : []).map((candidate) => candidate.at));
    const now = this.#clock.now();
    const times = { ms: rounded(this.#clock.monotonic() - began), ageMs: Math.max(0, now - at) };
    const meta = { state: "fresh" as const, ...times, attempts: 0, cached: true as const };
    return { source: source.name, meta, value, ...(asOf !== undefined && { asOf }) };
  }

  #without(state: "missing" | "invalid" | "down" | "slow" | "shed", began: number, problem: string): Reading {
    const sentence = `The source "${this.#source.name}" ${problem}.`;
    const ms = rounded(this.#clock.monotonic() - began);
    return { source: this.#source.name, meta: { state, ms, attempts: 0, problem: sentence } };
  }
}

/** What was said in all, read as one answer of its source: checked by its schema of today, matched, shaped. */
export async function toFound(
  source: SourcePlan,
  folded: Folded,
  key: { readonly [param: string]: unknown },
): Promise<Tried<Found>> {
  if (folded.state === "nothing")
    return { state: "missing", kind: "nothing", problem: "has said nothing of this", repeat: false };
  if (folded.state === "unclear") return { state: "invalid", kind: "broken", problem: folded.problem, repeat: false };
  const isWhole = folded.state === "whole";
  const page = isWhole ? (source.batch ? [folded.value] : folded.value) : folded.records;
  const gathered = await restore(source, JSON.stringify([page]));
  if (!gathered)
    return { state: "invalid", kind: "broken", problem: "has said something that breaks its contract", repeat: false };
  return toPick(source, gathered)(key[source.fetch.params[0] ?? ""]);
}
