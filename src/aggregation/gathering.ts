import type { Call, Clock, Span } from "../contracts/index.ts";
import type { SourceMeta, SourceState } from "./meta.ts";
import type { Patience } from "./reading/patience.ts";
import type { Input } from "./reading/question.ts";
import type { AnyReader } from "./reading/reader.ts";
import type { Reading } from "./reading/reading.ts";
import { badness } from "./reading/span-words.ts";
import type { FieldScope } from "./scope.ts";
import type { SourcePlan } from "./source.ts";

/** For whom sources are asked, how long, and where it is noted how they did. One per answer. */
export interface Asker {
  readonly readers: ReadonlyMap<string, AnyReader>;
  readonly clock: Clock;
  readonly principal: Call["principal"];
  /** Who may see the answer. */
  readonly access: string;
  readonly span: Span;
  readonly patience: Patience;
  readonly noted: Map<string, SourceMeta[]>;
}

/** The sources of one scope, each asked once: at once, or as soon as the one that it needs has answered. */
export class Gathering {
  readonly #scope: FieldScope;
  readonly #input: Input;
  readonly #asker: Asker;
  /** What waits for the whole scope, such as what is nested in a list of records. */
  readonly #later: readonly SourcePlan[];
  readonly #readings = new Map<SourcePlan, Reading | Promise<Reading>>();
  constructor(scope: FieldScope, input: Input, asker: Asker, later: readonly SourcePlan[] = []) {
    this.#scope = scope;
    this.#input = input;
    this.#asker = asker;
    this.#later = later;
  }

  /** In the order of declaration, by name; at once where all of it is at hand. */
  all(): ReadonlyMap<string, Reading> | Promise<ReadonlyMap<string, Reading>> {
    const asked = this.#scope.sources.map((source) => this.read(source));
    return asked.some((one) => one instanceof Promise)
      ? Promise.all(asked).then(bySource)
      : bySource(asked as readonly Reading[]); // none of them is a promise
  }

  read(source: SourcePlan): Reading | Promise<Reading> {
    let reading = this.#readings.get(source);
    if (!reading) {
      reading = this.#noted(source);
      this.#readings.set(source, reading);
    }
    return reading;
  }

  #noted(source: SourcePlan): Reading | Promise<Reading> {
    const isPlain = !source.after && !source.asks;
    const asked = isPlain ? this.#ask(source, this.#input) : this.#askInOtherWords(source);
    const noteIt = (reading: Reading): Reading => {
      note(this.#asker, source.name, [reading.meta]);
      return reading;
    };
    return asked instanceof Promise ? asked.then(noteIt) : noteIt(asked);
  }

  async #askInOtherWords(source: SourcePlan): Promise<Reading> {
    const { name, after, asks } = source;
    let map = asks && (() => asks(this.#input));
    if (after) {
      const first = await this.read(after.source);
      const { state } = first.meta;
      if (state !== "fresh" && state !== "stale")
        return notAsked(name, state, `it needs "${first.source}", which is ${state}`).reading;
      map = () => after.asks(first.value, this.#input);
    }
    const input = inOtherWords(name, () => map?.());
    return input instanceof NotAsked ? input.reading : this.#ask(source, input);
  }

  #ask(source: SourcePlan, input: Input): Reading | Promise<Reading> {
    const { readers, principal, access, span } = this.#asker;
    const reader = readers.get(source.name) as AnyReader; // one was made for every source of every view
    const patience = this.#patienceWith(source);
    if (span.unheard) return reader.read({ input, principal, scope: access, span, patience });
    return span.span("source", source.name, {}, (inside) =>
      reader.read({ input, principal, scope: access, span: inside, patience }),
    );
  }

  /**
   * Whoever is waited for leaves to the others what they usually take or, as long as nobody knows that, an equal share:
   * a first source that takes everything would make the second one look slow.
   */
  #patienceWith(source: SourcePlan): Patience {
    const { clock, patience } = this.#asker;
    if (this.#scope.waiting.size === 0 && this.#later.length === 0) return patience;
    const remaining = patience.deadline - clock.monotonic();
    const depth = this.#depth(source, []);
    if (depth === 0 || remaining <= 0) return patience;
    const share = remaining / (depth + 1);
    return patience.until(patience.deadline - Math.min(this.#reserve(source, share, []), share * depth));
  }

  #then(source: SourcePlan): readonly SourcePlan[] {
    return [...(this.#scope.waiting.get(source) ?? []), ...(this.#scope.sources.includes(source) ? this.#later : [])];
  }

  #depth(source: SourcePlan, above: readonly SourcePlan[]): number {
    if (above.includes(source)) return 0;
    return Math.max(0, ...this.#then(source).map((next) => 1 + this.#depth(next, [...above, source])));
  }

  #reserve(source: SourcePlan, share: number, above: readonly SourcePlan[]): number {
    if (above.includes(source)) return 0;
    const usual = (next: SourcePlan): number => this.#asker.readers.get(next.name)?.usualMs() ?? share;
    return Math.max(
      0,
      ...this.#then(source).map((next) => usual(next) + this.#reserve(next, share, [...above, source])),
    );
  }
}

function bySource(readings: readonly Reading[]): ReadonlyMap<string, Reading> {
  const map = new Map<string, Reading>();
  for (const reading of readings) map.set(reading.source, reading);
  return map;
}

/** Notes how questions to a source went. */
export function note({ noted }: Asker, source: string, metas: SourceMeta[]): void {
  const known = noted.get(source);
  if (known) for (const meta of metas) known.push(meta);
  else noted.set(source, metas); // whoever hands them over has no other use for the list
}

/** What a source is asked with, once somebody knows; the reading where that comes to nothing. */
export function inOtherWords(name: string, map: () => Input | undefined): Input | NotAsked {
  let input: Input | undefined;
  try {
    input = map();
  } catch (error) {
    const thrown = error instanceof Error ? error.name : "something was thrown";
    return notAsked(name, "invalid", `what it is asked with cannot be made of the rest (${thrown})`);
  }
  return input ?? notAsked(name, "missing", "there is nothing to ask it with");
}

/** Stands where an input would. */
export class NotAsked {
  readonly reading: Reading;
  constructor(reading: Reading) {
    this.reading = reading;
  }
}

/** How each source did, the worst of its questions for all of them. In the order of declaration. */
export function toSources(sources: readonly SourcePlan[], { noted }: Asker): { [source: string]: SourceMeta } {
  const told: { [source: string]: SourceMeta } = {};
  for (const { name } of sources) {
    const metas = noted.get(name);
    if (metas && !told[name]) told[name] = worst(metas);
  }
  return told;
}

/** The worst of some questions to one source, of which there is at least one, and how many there were. */
export function worst(metas: readonly SourceMeta[]): SourceMeta {
  let [bad] = metas as readonly [SourceMeta]; // there is at least one
  if (metas.length === 1) return bad;
  let worstOf = badness.indexOf(bad.state);
  let [ms, attempts, questions, age] = [0, 0, 0, -1];
  for (const meta of metas) {
    const how = meta.state === bad.state ? worstOf : badness.indexOf(meta.state);
    if (how > worstOf) {
      bad = meta;
      worstOf = how;
    }
    ms = Math.max(ms, meta.ms);
    attempts += meta.attempts;
    questions += meta.questions ?? 1;
    age = Math.max(age, meta.ageMs ?? -1);
  }
  return { ...bad, ms, attempts, ...(age >= 0 && { ageMs: age }), questions };
}

function notAsked(source: string, state: SourceState, why: string): NotAsked {
  const problem = `The source "${source}" was not asked: ${why}.`;
  return new NotAsked({ source, meta: { state, ms: 0, attempts: 0, problem } });
}
