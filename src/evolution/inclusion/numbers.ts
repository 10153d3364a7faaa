import { isEqual } from "../plain.ts";
import { type Atom, ofKind } from "./formula.ts";
import { found, none, type Outcome, unknown } from "./outcome.ts";

const mostTries = 5_000;

/** A number that meets all atoms. Multiples are counted off; between two bounds of real numbers there is always room. */
export function solveNumber(atoms: readonly Atom[]): Outcome {
  const outcome = withoutFormats(atoms);
  const format = ofKind(atoms, "format")[0];
  return outcome.kind === "found" && format
    ? unknown(`the format "${format.text}" of numbers is checked by nobody`)
    : outcome;
}

function withoutFormats(atoms: readonly Atom[]): Outcome {
  const low = strictest(atoms, "from");
  const high = strictest(atoms, "to");
  if (low.bound > high.bound || (low.bound === high.bound && (low.open || high.open))) return none;
  const [wanted, unwanted] = [true, false].map((met) =>
    atoms.flatMap((atom) => (atom.kind === "multiple" && atom.met === met ? [atom.of] : [])),
  ) as [number[], number[]];
  const whole = ofKind(atoms, "whole");
  const taken = ofKind(atoms, "none of").flatMap(({ values }) => values);
  const fits = (value: number): boolean =>
    Number.isFinite(value) &&
    (low.open ? value > low.bound : value >= low.bound) &&
    (high.open ? value < high.bound : value <= high.bound) &&
    wanted.every((of) => isMultiple(value, of)) &&
    unwanted.every((of) => !isMultiple(value, of)) &&
    whole.every(({ met }) => Number.isInteger(value) === met) &&
    !taken.some((other) => isEqual(other, value));
  const steps = whole.some(({ met }) => met) ? [...wanted, 1] : wanted;
  const between = whole.some(({ met }) => !met) ? [...unwanted, 1] : unwanted;
  if (steps.length === 0) {
    const candidate = realCandidates(low.bound, high.bound, between, taken.length).find(fits);
    if (candidate !== undefined) return found(candidate);
    return low.bound === high.bound ? none : unknown("no number between its bounds was found");
  }
  const step = commonMultiple(steps);
  if (step === undefined) return unknown(`no number is found that is a multiple of ${steps.join(" and ")}`);
  // Told by digits: that a ratio is nearly whole once does not make it so every time.
  if (between.some((of) => commonMultiple([step, of]) === step)) return none;
  // 0.29 / 0.01 is a little less than 29 to a machine. One too many is tried at each end; what does not fit is passed over.
  const first = Math.ceil(low.bound / step - nearly);
  const last = Math.floor(high.bound / step + nearly);
  const bound = [low.bound, high.bound].find(fits);
  if (bound !== undefined && last - first < 2) return found(bound);
  let tried = 0;
  for (const count of fromTheMiddle(first, last)) {
    const value = clean(count * step);
    if (fits(value)) return found(value);
    tried += 1;
    if (tried >= mostTries) return unknown(`none of ${mostTries} multiples of ${step} fits`);
  }
  if (bound !== undefined) return found(bound);
  const isExact = [first, last].every((count) => Math.abs(count) < Number.MAX_SAFE_INTEGER);
  return isExact ? none : unknown(`multiples of ${step} that large cannot be told apart`);
}

function strictest(atoms: readonly Atom[], kind: "from" | "to"): { readonly bound: number; readonly open: boolean } {
  const sign = kind === "from" ? 1 : -1;
  let best = { bound: -sign * Number.POSITIVE_INFINITY, open: false };
  for (const atom of atoms) {
    if (atom.kind !== kind) continue;
    const further = (atom.bound - best.bound) * sign;
    if (further > 0 || (further === 0 && atom.open)) best = atom as { bound: number; open: boolean };
  }
  return best;
}

function realCandidates(low: number, high: number, unwanted: readonly number[], taken: number): readonly number[] {
  const [from, to] = [Math.max(low, -1e15), Math.min(high, 1e15)];
  const near = low > -Infinity ? low : high < Infinity ? high : 0;
  const candidates = [
    0,
    1,
    near,
    low,
    high,
    near + 1,
    near - 1,
    near + 0.5,
    near - 0.5,
    (from + to) / 2,
    from + (to - from) * 0.371,
  ];
  for (const of of unwanted)
    for (let count = -3; count <= 3; count += 1)
      candidates.push(near + of * (count + 0.5), clean(near + of * count * 0.3));
  for (let count = 1; count <= taken + 20; count += 1)
    candidates.push(
      near + count,
      near - count,
      near + count + 0.5,
      near - count - 0.5,
      from + ((to - from) * count) / (taken + 22),
    );
  return candidates;
}

/** Whether a number is a multiple, as people count: 0.3 is three times 0.1, whatever a machine divides. */
export function isMultiple(value: number, of: number): boolean {
  const ratio = value / of;
  return Number.isFinite(ratio) && Math.abs(ratio - Math.round(ratio)) < 10 ** -multiplePrecision;
}
/** Digits after the point that count; the same for Ajv. */
export const multiplePrecision = 9;
const nearly = 10 ** -multiplePrecision;

/** The least common multiple of decimals; undefined where they have too many digits to be exact. */
function commonMultiple(numbers: readonly number[]): number | undefined {
  if (numbers.length === 1) return numbers[0];
  const digits = Math.max(...numbers.map(digitsOf));
  if (digits > 12) return undefined;
  const scale = 10 ** digits;
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  const scaled = numbers.map((one) => Math.round(one * scale));
  const whole = scaled.reduce((a, b) => (a / gcd(a, b)) * b);
  return [...scaled, whole].every(Number.isSafeInteger) ? clean(whole / scale) : undefined;
}

/** How many digits follow the point: 2 of 0.25, 8 of 1.5e-7. */
function digitsOf(value: number): number {
  const [mantissa = "", exponent = "0"] = `${value}`.split("e");
  return Math.max(0, (mantissa.split(".")[1]?.length ?? 0) - Number(exponent));
}

/** Counts from where people look first: small positive numbers, then further on, then below. */
function* fromTheMiddle(first: number, last: number): Iterable<number> {
  const start = Math.min(Math.max(1, first), last);
  for (let away = 0; start + away <= last || start - away >= first; away += 1) {
    if (start + away <= last) yield start + away;
    if (away > 0 && start - away >= first) yield start - away;
  }
}

// 3 × 0.1 is not 0.3 to a machine; it is to whoever reads a counterexample.
const clean = (value: number): number => Number(value.toPrecision(15)) + 0;
