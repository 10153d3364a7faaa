import { toCanonicalJson } from "../contracts/index.ts";
import { type Annotations, annotationsOf, type ByBranch, merged, withoutAnnotations } from "./annotations.ts";
import { breaksOf } from "./breaks.ts";
import type { Comparison } from "./inclusion/inclusion.ts";
import { type Finding, kindsInWords, type Part, rules } from "./rules.ts";
import { toClosed } from "./wire.ts";

/** Where a schema stands in a contract, and who is on its two sides. */
export interface Place {
  readonly subject: string;
  readonly part: Part;
  readonly writer: string;
  readonly reader: string;
}

/** What changed in a schema whose values are accepted from others, or returned to them. */
export function toSchemaChanges(
  comparison: Comparison,
  place: Place,
  before: unknown,
  after: unknown,
  direction: "accepted" | "returned",
): readonly Finding[] {
  const accepted = direction === "accepted";
  const breaks = accepted
    ? toBreaks(comparison, place, before, after, true)
    : toBreaks(comparison, place, after, before, false);
  const harmless = accepted ? "schema.widened" : "schema.narrowed";
  // A change that breaks is not also reported as the harmless one that it would be without.
  const others = toHarmless(comparison, place, before, after, harmless);
  return [...breaks, ...others.filter(({ rule }) => breaks.length === 0 || rule !== harmless)];
}

/** What the reader would refuse of what the writer may send. Accepting is strict about fields where `closed` says so. */
export function toBreaks(
  comparison: Comparison,
  place: Place,
  written: unknown,
  read: unknown,
  closed: boolean,
): readonly Finding[] {
  const { subject, part, writer, reader } = place;
  return breaksOf(comparison, toClosed(written), closed ? toClosed(read) : read).map(
    ({ kind, path, why, witness }) => ({
      rule: `${part}.${kind}`,
      level: "major",
      subject,
      path,
      sentence:
        kind === "cannot-tell"
          ? `Whether ${reader} takes what ${writer} gives cannot be told: ${why}. That counts as breaking.`
          : `${inWords(part)}${path === "" ? "" : ` at ${path}`} ${kindsInWords[kind]} (${reader}: ${why}).`,
      ...(witness !== undefined && { counterexample: { value: witness, from: writer, to: reader } }),
    }),
  );
}

/** Changes that break nobody: in words only, or towards more for those who write and less for those who read. */
function toHarmless(
  comparison: Comparison,
  place: Place,
  before: unknown,
  after: unknown,
  harmless: "schema.widened" | "schema.narrowed",
): readonly Finding[] {
  const { subject, part } = place;
  if (toCanonicalJson(before) === toCanonicalJson(after)) return [];
  const finding = (rule: string, path: string, sentence: string): Finding => ({
    rule,
    level: rules[rule]?.level ?? "major",
    subject,
    path,
    sentence,
  });
  const marks = toMarkChanges(annotationsOf(before), annotationsOf(after)).map(({ rule, path }) =>
    finding(
      rule,
      path,
      `${inWords(part)}${path === "" ? "" : ` at ${path}`}: ${rules[rule]?.says.charAt(0).toLowerCase()}${rules[rule]?.says.slice(1)}`,
    ),
  );
  const [was, is] = [toClosed(before), toClosed(after)];
  const same = toCanonicalJson(withoutAnnotations(before)) === toCanonicalJson(withoutAnnotations(after));
  const equal =
    same || (comparison.isIncluded(was, is).kind === "included" && comparison.isIncluded(is, was).kind === "included");
  if (equal)
    return marks.length > 0 ? marks : [finding("schema.described", "", `${inWords(part)} is said in other words.`)];
  return [
    ...marks,
    finding(
      harmless,
      "",
      `${inWords(part)} ${harmless === "schema.widened" ? "takes more than before" : "changed in a way that its readers need not notice"}.`,
    ),
  ];
}

function toMarkChanges(
  before: ReadonlyMap<string, ByBranch>,
  after: ReadonlyMap<string, ByBranch>,
): readonly { readonly rule: string; readonly path: string }[] {
  return [...before].flatMap(([path, was]) => {
    const is = after.get(path);
    if (!is) return [];
    const changed = toPairs(was, is).flatMap(([one, other]) => toRules(one, other));
    return [...new Set(changed)].map((rule) => ({ rule, path }));
  });
}

/** Branch by branch; where a union came or went, all that is said before beside all that is said now. */
function toPairs(was: ByBranch, is: ByBranch): readonly (readonly [Annotations, Annotations])[] {
  const pairs = [...was].flatMap(([branch, one]) => {
    const other = is.get(branch);
    return other ? [[one, other] as const] : [];
  });
  return pairs.length > 0 ? pairs : [[merged([...was.values()]), merged([...is.values()])]];
}

function toRules(was: Annotations, is: Annotations): readonly string[] {
  const changed: string[] = [];
  if (was.default !== is.default)
    changed.push(
      was.default === undefined ? "default.added" : is.default === undefined ? "default.removed" : "default.changed",
    );
  if (was.personal !== is.personal) changed.push(was.personal ? "personal.dropped" : "personal.marked");
  if (was.subject !== is.subject) changed.push("subject.changed");
  if (was.readOnly !== is.readOnly || was.writeOnly !== is.writeOnly) changed.push("schema.access-mark");
  return changed;
}

const words: { readonly [part in Part]: string } = {
  input: "The input",
  output: "The output",
  failure: "A failure's details",
  signal: "The payload of a signal",
  progress: "What a run tells of itself",
  "stored-event": "A stored event",
  "new-event": "A new event",
  "stored-input": "A stored input",
  "journaled-result": "A result in a journal",
};
const inWords = (part: Part): string => words[part];
