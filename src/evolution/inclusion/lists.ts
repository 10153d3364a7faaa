import { type Atom, type AtomOf, ofKind } from "./formula.ts";
import { type Literal, meet, opposite } from "./literal.ts";
import { found, none, type Outcome, unknown } from "./outcome.ts";

export type Solve = (literals: readonly Literal[]) => Outcome;
const longest = 500;
const mostPlacings = 3_000;

/** A list that meets all atoms: the shortest ones are tried, since a longer one has only more to comply with. */
export function solveList(atoms: readonly Atom[], solve: Solve): Outcome {
  const min = Math.max(0, ...ofKind(atoms, "least").map(({ size }) => size));
  const max = Math.min(Number.POSITIVE_INFINITY, ...ofKind(atoms, "most").map(({ size }) => size));
  if (min > max) return none;
  const wanted = ofKind(atoms, "has at");
  const contained = ofKind(atoms, "contains");
  if (contained.some((atom) => atom.min > atom.max)) return none;
  const twins = ofKind(atoms, "unique").some(({ met }) => !met);
  const distinct = ofKind(atoms, "unique").some(({ met }) => met);
  if (twins && distinct) return none;
  const furthest = Math.max(
    0,
    ...wanted.map(({ place }) => place + 1),
    ...ofKind(atoms, "at").map(({ place }) => place),
  );
  // Enough places for each thing that wants one of its own, after all the places that are spoken of one by one.
  const needs = wanted.length + contained.reduce((sum, atom) => sum + atom.min, 0) + (twins ? 2 : 0);
  const enough = Math.min(max, Math.max(min, needs === 0 ? min : furthest + needs));
  if (enough > longest || min > longest) return unknown(`a list of more than ${longest} items would have to be made`);
  let doubt: Outcome | undefined;
  let placings = 0;
  for (let length = min; length <= enough; length += 1) {
    const base = Array.from({ length }, (_, at) =>
      atoms.flatMap((atom) =>
        atom.kind === "at" && (atom.rest ? at >= atom.place : at === atom.place) ? [atom.item] : [],
      ),
    );
    for (const places of placed(base, wanted, contained, twins)) {
      placings += 1;
      if (placings > mostPlacings) return doubt ?? unknown("there are too many ways to fill its lists");
      const outcome = fill(places.slots, places.twins, distinct, solve);
      if (outcome.kind === "found") return outcome;
      if (outcome.kind === "unknown") doubt ??= outcome;
    }
  }
  return doubt ?? none;
}

type Slots = readonly (readonly Literal[])[];
interface Placed {
  readonly slots: Slots;
  /** Two places that hold the same. */
  readonly twins?: readonly [number, number];
}

/** Every way to give each thing that wants a place one of them. */
function* placed(
  base: Slots,
  wanted: readonly AtomOf<"has at">[],
  contained: readonly AtomOf<"contains">[],
  twins: boolean,
): Iterable<Placed> {
  const [first, ...rest] = wanted;
  if (first) {
    const places = base.flatMap((_, at) => ((first.rest ? at >= first.place : at === first.place) ? [at] : []));
    for (const place of places) yield* placed(withItem(base, place, first.item), rest, contained, twins);
    return;
  }
  const [kind, ...others] = contained;
  if (kind) {
    const most = kind.max === Number.POSITIVE_INFINITY ? kind.min : Math.min(kind.max, base.length);
    for (let count = kind.min; count <= most; count += 1)
      for (const chosen of choices(base.length, count)) {
        const slots = base.map((slot, at) => {
          if (chosen.includes(at)) return [...slot, kind.item];
          return kind.max === Number.POSITIVE_INFINITY ? slot : [...slot, opposite(kind.item)];
        });
        yield* placed(slots, [], others, twins);
      }
    return;
  }
  if (!twins) return yield { slots: base };
  for (let one = 0; one < base.length; one += 1)
    for (let other = one + 1; other < base.length; other += 1) yield { slots: base, twins: [one, other] };
}

const withItem = (slots: Slots, place: number, item: Literal): Slots =>
  slots.map((slot, at) => (at === place ? [...slot, item] : slot));

function* choices(length: number, count: number, from = 0): Iterable<readonly number[]> {
  if (count === 0) return yield [];
  for (let first = from; first <= length - count; first += 1)
    for (const rest of choices(length, count - 1, first + 1)) yield [first, ...rest];
}

function fill(slots: Slots, twins: readonly [number, number] | undefined, distinct: boolean, solve: Solve): Outcome {
  const items: unknown[] = [];
  for (const [at, slot] of slots.entries()) {
    if (twins?.[1] === at) {
      items.push(items[twins[0]]);
      continue;
    }
    const asked = twins?.[0] === at ? [...slot, ...(slots[twins[1]] ?? [])] : slot;
    const others = distinct && items.length > 0 ? [meet({ not: { enum: [...items] } })] : [];
    const outcome = solve([...asked, ...others]);
    if (outcome.kind === "unknown") return outcome;
    if (outcome.kind === "none") {
      // An earlier item may have taken the only value that this one could have had; that is not tried out.
      const alike = slots.slice(0, at).every((other) => isSame(other, slot));
      return others.length > 0 && !alike && solve(asked).kind !== "none"
        ? unknown("its lists must not repeat items")
        : none;
    }
    items.push(outcome.value);
  }
  return found(items);
}

const isSame = (one: readonly Literal[], other: readonly Literal[]): boolean =>
  one.length === other.length &&
  one.every(({ schema, met }, at) => schema === other[at]?.schema && met === other[at]?.met);
