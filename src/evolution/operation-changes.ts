import { toCanonicalJson } from "../contracts/index.ts";
import type { FailureDescription, OperationDescription, SignalDescription } from "./description.ts";
import type { Comparison } from "./inclusion/inclusion.ts";
import { type Counterexample, type Finding, rules } from "./rules.ts";
import { type Place, toSchemaChanges } from "./schema-changes.ts";

/** Two versions of one thing, and what they are called in sentences: "bookings 1.0.0". */
export interface Versions<T> {
  readonly before: T;
  readonly after: T;
  readonly old: string;
  readonly now: string;
}

/** What changed in an operation, for those who call it and for those who answer. */
export function toOperationChanges(
  comparison: Comparison,
  id: string,
  { before, after, old, now }: Versions<OperationDescription>,
): readonly Finding[] {
  const say = sayer(id);
  const findings: Finding[] = [];
  if (before.kind !== after.kind)
    findings.push(say("operation.kind", `${id} was a ${before.kind} and is a ${after.kind}.`));
  const callers: Place = { subject: id, part: "input", writer: `a caller of ${old}`, reader: now };
  findings.push(...toSchemaChanges(comparison, callers, before.input, after.input, "accepted"));
  const readers: Place = { subject: id, part: "output", writer: now, reader: `a caller of ${old}` };
  findings.push(...toSchemaChanges(comparison, readers, before.output, after.output, "returned"));
  for (const [code, failure] of Object.entries(after.failures))
    findings.push(
      ...toFailureChanges(comparison, id, code, { before: before.failures[code], after: failure, old, now }),
    );
  for (const code of Object.keys(before.failures))
    if (!(code in after.failures)) findings.push(say("failure.removed", `${id} no longer ends with ${code}.`));
  findings.push(...toSignalChanges(comparison, id, { before: before.signals, after: after.signals, old, now }));
  findings.push(...toProgressChanges(comparison, id, { before, after, old, now }));
  findings.push(...toPromiseChanges(id, { before, after, old, now }));
  return findings;
}

type Say = (rule: string, sentence: string, counterexample?: Counterexample) => Finding;
export const sayer =
  (subject: string): Say =>
  (rule, sentence, counterexample) => ({
    rule,
    level: rules[rule]?.level ?? "major",
    subject,
    path: "",
    sentence,
    ...(counterexample && { counterexample }),
  });

function toFailureChanges(
  comparison: Comparison,
  id: string,
  code: string,
  {
    before,
    after,
    old,
    now,
  }: {
    readonly before: FailureDescription | undefined;
    readonly after: FailureDescription;
    readonly old: string;
    readonly now: string;
  },
): readonly Finding[] {
  const say = sayer(id);
  const problem = (status: number) => ({ type: `urn:trilith:failure:${id}:${code}`, status, code });
  const told = { from: now, to: `a caller of ${old}` };
  if (!before)
    return [
      say("failure.added", `${id} may end with ${code}, which a caller of ${old} does not know.`, {
        value: problem(after.status),
        ...told,
      }),
    ];
  const findings: Finding[] = [];
  if (before.status !== after.status)
    findings.push(
      say("failure.status", `${code} of ${id} had the status ${before.status} and has ${after.status}.`, {
        value: problem(after.status),
        ...told,
      }),
    );
  if (before.retry !== after.retry)
    findings.push(
      say("failure.retry", `${code} of ${id} said "${before.retry}" of repeating and says "${after.retry}".`),
    );
  if (before.message !== after.message)
    findings.push(say("failure.described", `The sentence of ${code} of ${id} changed.`));
  if (before.details && !after.details)
    findings.push(
      say("failure.details-removed", `${code} of ${id} no longer carries details.`, {
        value: problem(after.status),
        ...told,
      }),
    );
  if (!before.details && after.details)
    findings.push(say("failure.details-added", `${code} of ${id} carries details.`));
  if (before.details && after.details) {
    const place: Place = { subject: id, part: "failure", writer: now, reader: told.to };
    findings.push(...toSchemaChanges(comparison, place, before.details, after.details, "returned"));
  }
  return findings;
}

type Signals = { readonly [name: string]: SignalDescription };
function toSignalChanges(
  comparison: Comparison,
  id: string,
  { before, after, old, now }: Versions<Signals>,
): readonly Finding[] {
  const say = sayer(id);
  const findings: Finding[] = [];
  for (const [name, was] of Object.entries(before)) {
    const is = after[name];
    if (!is) {
      findings.push(say("signal.removed", `A run of ${id} no longer takes the signal "${name}".`));
      continue;
    }
    const place: Place = { subject: id, part: "signal", writer: `a sender of ${old}`, reader: now };
    findings.push(...toSchemaChanges(comparison, place, was.payload, is.payload, "accepted"));
    if (was.access && !is.access)
      findings.push(say("signal.closed", `The signal "${name}" of ${id} can no longer be sent from outside.`));
    else findings.push(...toAccessChange(id, `The signal "${name}" of ${id}`, was.access, is.access));
  }
  for (const name of Object.keys(after))
    if (!(name in before)) findings.push(say("signal.added", `A run of ${id} takes the signal "${name}".`));
  return findings;
}

/** What a run tells of itself is returned: those who follow it read what they read before. */
function toProgressChanges(
  comparison: Comparison,
  id: string,
  { before: { progress: was }, after: { progress: is }, old, now }: Versions<OperationDescription>,
): readonly Finding[] {
  const say = sayer(id);
  const reader = `a caller of ${old}`;
  if (was && is)
    return toSchemaChanges(comparison, { subject: id, part: "progress", writer: now, reader }, was, is, "returned");
  if (was) return [say("progress.removed", `Runs of ${id} no longer tell of themselves while they are under way.`)];
  return is ? [say("progress.added", `Runs of ${id} tell of themselves while they are under way.`)] : [];
}

/** Routes, scopes, times and what is promised of repeating. */
function toPromiseChanges(id: string, { before, after, old }: Versions<OperationDescription>): readonly Finding[] {
  const say = sayer(id);
  const findings: Finding[] = [];
  const from = { from: `a caller of ${old}`, to: "the gateway, which has no such route" };
  if (before.route !== after.route) {
    if (!before.route) findings.push(say("route.added", `${id} answers at ${after.route}.`));
    else if (!after.route)
      findings.push(
        say("route.removed", `${id} does not answer at ${before.route} any more.`, { value: before.route, ...from }),
      );
    else if (shapeOf(before.route) === shapeOf(after.route) && !isReordered(before.route, after.route))
      findings.push(say("route.parameter-renamed", `${id} answers at ${after.route}, before at ${before.route}.`));
    else
      findings.push(
        say("route.changed", `${id} answered at ${before.route} and answers at ${after.route}.`, {
          value: before.route,
          ...from,
        }),
      );
  }
  if (before.route && after.route) findings.push(...toAccessChange(id, id, before.access, after.access));
  const [was, is] = [before.timeoutMs ?? Number.POSITIVE_INFINITY, after.timeoutMs ?? Number.POSITIVE_INFINITY];
  if (is < was)
    findings.push(
      say(
        "timeout.lowered",
        `${id} gives up after ${is} ms, before ${was === Number.POSITIVE_INFINITY ? "never" : `after ${was} ms`}.`,
      ),
    );
  if (is > was)
    findings.push(
      say(
        "timeout.raised",
        `${id} gives up ${is === Number.POSITIVE_INFINITY ? "never" : `after ${is} ms`}, before after ${was} ms.`,
      ),
    );
  if (before.idempotent && !after.idempotent)
    findings.push(
      say("idempotency.dropped", `${id} no longer promises that its repetition under one key has one effect.`),
    );
  if (!before.idempotent && after.idempotent)
    findings.push(say("idempotency.promised", `${id} promises that its repetition under one key has one effect.`));
  if (before.summary !== after.summary) findings.push(say("operation.described", `The summary of ${id} changed.`));
  if (toCanonicalJson(before.deprecated) !== toCanonicalJson(after.deprecated))
    findings.push(
      after.deprecated
        ? say(
            "operation.deprecated",
            `${id} is deprecated since ${after.deprecated.since}${after.deprecated.sunset ? ` and stops answering on ${after.deprecated.sunset}` : ""}.`,
          )
        : say("operation.undeprecated", `${id} is no longer deprecated.`),
    );
  return findings;
}

function toAccessChange(id: string, what: string, was: string | undefined, is: string | undefined): readonly Finding[] {
  if (was === is) return [];
  const say = sayer(id);
  if (is === undefined || (is !== "public" && was !== undefined))
    return [
      say(
        "access.demanded",
        `${what} ${is === undefined ? "can no longer be called from outside" : `wants the scope "${is}"`}, before ${was === "public" ? "it was open to everybody" : `"${was}"`}.`,
        {
          value: { scopes: was === "public" || was === undefined ? [] : [was] },
          from: "a caller with what was enough",
          to: "the gateway",
        },
      ),
    ];
  return [
    say(
      "access.opened",
      `${what} is open to ${is === "public" ? "everybody" : `callers with "${is}"`}, before ${was === undefined ? "to nobody outside" : `with "${was}"`}.`,
    ),
  ];
}

/** The same names in other places: the same address means another thing. */
function isReordered(before: string, after: string): boolean {
  const namesIn = (route: string): readonly string[] => route.match(/\{[^{}]+\}/g) ?? [];
  const [was, is] = [namesIn(before), namesIn(after)];
  return was.some((name, at) => is[at] !== name && is.includes(name));
}
const shapeOf = (route: string): string => route.replaceAll(/\{[^{}]+\}/g, "{}");
