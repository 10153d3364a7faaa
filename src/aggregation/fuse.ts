import { byText, compare } from "./order.ts";
import type { ChoicePlan, Offered } from "./rules.ts";
import { toSaid } from "./said.ts";

/** One source's value for a field. A rule is a function of the set of them; the order in which they came is not in it. */
export interface Offer extends Offered {
  /** Where a source says something several times: what has the greatest revision counts. */
  readonly revision?: number;
}
export interface Choice {
  /** Missing where none of them was good enough. */
  readonly chosen?: Offer;
  /** The others, in the order of declaration, each with what spoke against it. */
  readonly rejected: readonly { readonly offer: Offer; readonly why: string; readonly differs: boolean }[];
  /** Why a rule of one's own has no answer where it should have one. */
  readonly broken?: string;
}
type How = Pick<ChoicePlan, "by" | "least" | "own" | "comparing">;

/** Chooses one offer, or none where there are none. `declared` is the order of the sources in the rule. */
export function choose(how: How, declared: readonly string[], offers: readonly Offer[]): Choice | undefined {
  const inOrder = isInOrder(declared, offers)
    ? offers
    : declared.flatMap((source) => newest(offers.filter((offer) => offer.source === source)));
  const [first] = inOrder;
  if (!first) return undefined;
  if (inOrder.length === 1 && how.by !== "quorum" && how.by !== "rule") return { chosen: first, rejected: none };
  if (how.by === "prefer") return preferred(how, inOrder, first);
  const said = new Map(inOrder.map((offer) => [offer, toCompared(how, offer.value)]));
  const { chosen, why, broken } = chooseBy[how.by]({ inOrder, first, said, how });
  const reference = said.get(chosen ?? first);
  const rejected = inOrder
    .filter((offer) => offer !== chosen)
    .map((offer) => ({ offer, why: why(offer), differs: said.get(offer) !== reference }));
  return { ...(chosen && { chosen }), rejected, ...(broken !== undefined && { broken }) };
}

/** The first one, whatever the others say; what they say is only compared to tell where they differ. */
function preferred(how: How, inOrder: readonly Offer[], chosen: Offer): Choice {
  const reference = toCompared(how, chosen.value);
  const why = `${chosen.source} is preferred`;
  const rejected = inOrder
    .slice(1)
    .map((offer) => ({ offer, why, differs: toCompared(how, offer.value) !== reference }));
  return { chosen, rejected };
}

const none: Choice["rejected"] = Object.freeze([]);

interface Asked {
  readonly inOrder: readonly Offer[];
  readonly first: Offer;
  /** What each is compared by, as canonical text. */
  readonly said: ReadonlyMap<Offer, string>;
  readonly how: How;
}
interface Verdict {
  readonly chosen?: Offer | undefined;
  readonly why: (rejected: Offer) => string;
  readonly broken?: string;
}

const chooseBy: { readonly [B in Exclude<ChoicePlan["by"], "prefer">]: (asked: Asked) => Verdict } = {
  latest: (asked) => {
    const chosen = best(asked, (a, b) => (b.asOf ?? Number.NEGATIVE_INFINITY) - (a.asOf ?? Number.NEGATIVE_INFINITY));
    const why = (offer: Offer): string => {
      if (offer.asOf === undefined) return "does not say of which instant it speaks";
      return offer.asOf === chosen.asOf
        ? `is of the same instant as ${chosen.source}`
        : `is older than ${chosen.source}`;
    };
    return { chosen, why };
  },
  majority: (asked) => vote(asked, 1),
  quorum: (asked) => vote(asked, asked.how.least ?? 1),
  mostComplete: (asked) => greatest(asked, ({ value }) => filled(value), "is as complete as", "is less complete than"),
  longest: (asked) => greatest(asked, ({ value }) => lengthOf(value), "is as long as", "is shorter than"),
  min: (asked) => outermost(asked, false, "is greater than"),
  max: (asked) => outermost(asked, true, "is less than"),
  rule: ({ inOrder, how }) => {
    const { name = "", pick } = how.own ?? {};
    // The candidates are handed out frozen copies of: a rule that changes them would change what the next one sees.
    const shown = inOrder.map(({ source, value, asOf }) =>
      Object.freeze({ source, value, ...(asOf !== undefined && { asOf }) }),
    );
    const none = (broken: string): Verdict => ({ why: () => `the rule "${name}" ${broken}`, broken });
    try {
      const picked = pick?.(shown);
      if (picked === undefined) return { why: () => `the rule "${name}" takes none` };
      const at = shown.indexOf(picked as (typeof shown)[number]); // what it was not shown is not found
      const chosen = inOrder[at];
      if (!chosen) return none("took what it was not shown");
      return { chosen, why: () => `the rule "${name}" takes ${chosen.source}` };
    } catch (error) {
      return none(`threw ${error instanceof Error ? error.name : "something"}`);
    }
  },
};

/** The first in the order of declaration that no other comes before. */
function best({ inOrder, first }: Asked, order: (a: Offer, b: Offer) => number): Offer {
  return inOrder.reduce((so, offer) => (order(offer, so) < 0 ? offer : so), first);
}

function greatest(asked: Asked, measure: (offer: Offer) => number, same: string, less: string): Verdict {
  const chosen = best(asked, (a, b) => measure(b) - measure(a));
  const why = (offer: Offer): string => `${measure(offer) === measure(chosen) ? same : less} ${chosen.source}`;
  return { chosen, why };
}

function outermost(asked: Asked, descending: boolean, beyond: string): Verdict {
  const chosen = best(asked, (a, b) => compare(a.value, b.value, descending));
  const why = (offer: Offer): string =>
    `${compare(offer.value, chosen.value) === 0 ? "is the same as" : beyond} ${chosen.source}`;
  return { chosen, why };
}

function vote({ inOrder, said }: Asked, least: number): Verdict {
  // Insertion follows the declaration, so the first of the largest groups is the one that was named first.
  const groups = [...Map.groupBy(inOrder, (offer) => said.get(offer) ?? "").values()];
  const winners = groups.reduce((most, group) => (group.length > most.length ? group : most), []);
  const votesOf = (offer: Offer): number => groups.find((group) => group.includes(offer))?.length ?? 0;
  if (winners.length < least) return { why: (offer) => `has ${votesOf(offer)} of the ${least} votes that it needs` };
  const why = (offer: Offer): string => {
    if (winners.includes(offer)) return "agrees";
    const votes = votesOf(offer);
    return votes < winners.length
      ? `is outvoted ${winners.length} to ${votes}`
      : `has as many votes as ${winners[0]?.source}, which is named first`;
  };
  return { chosen: winners[0], why };
}

/** Whether every source said one thing and they stand as they are declared, which is how they mostly come. */
function isInOrder(declared: readonly string[], offers: readonly Offer[]): boolean {
  let last = -1;
  return offers.every(({ source }) => {
    const at = declared.indexOf(source);
    const isNext = at > last;
    last = at;
    return isNext;
  });
}

/** Of what one source said, the newest; between equal revisions the first by its text, so that no order is left in it. */
function newest(offers: readonly Offer[]): readonly Offer[] {
  if (offers.length < 2) return offers;
  const revisionOf = ({ revision = 0 }: Offer): number => revision;
  const textOf = (offer: Offer): string => toSaid([offer.value, offer.asOf ?? null]);
  const order = (a: Offer, b: Offer): number => revisionOf(b) - revisionOf(a) || byText(textOf(a), textOf(b));
  return offers.toSorted(order).slice(0, 1);
}

function toCompared({ comparing }: How, value: unknown): string {
  if (!comparing) return toText(value);
  try {
    return toText(comparing(value));
  } catch {
    return toText(value); // what cannot be brought to a common form stands for itself
  }
}

// Most values are text, and only text begins with a quotation mark, so nothing is mistaken for anything else.
const toText = (value: unknown): string => (typeof value === "string" ? `"${value}` : toSaid(value));

/** How many plain values are filled in, at every depth. */
function filled(value: unknown): number {
  if (value === undefined || value === null || (typeof value === "string" && value.trim() === "")) return 0;
  if (typeof value !== "object" || value instanceof Date) return 1;
  return Object.values(value).reduce<number>((sum, part) => sum + filled(part), 0);
}

function lengthOf(value: unknown): number {
  if (typeof value === "string") return [...value].length;
  return Array.isArray(value) ? value.length : -1;
}
