import { toCanonicalJson } from "../contracts/index.ts";
import { type Description, type OperationDescription, promisedIn } from "./description.ts";
import { toEventChanges } from "./event-changes.ts";
import { Comparison } from "./inclusion/inclusion.ts";
import { announces, highest, type Level, majorOf, nextVersion, stepBetween } from "./level.ts";
import type { Published } from "./lock.ts";
import { sayer, toOperationChanges } from "./operation-changes.ts";
import type { Finding } from "./rules.ts";
import { toBreaks } from "./schema-changes.ts";

/** The verdict on one contract. */
export interface Verdict {
  readonly contract: string;
  /** The latest published version; none where it was never published. */
  readonly published?: string;
  readonly version: string;
  /** What the changes amount to. */
  readonly change: Level;
  /** What the version says they amount to. */
  readonly announced: Level | "downgrade";
  readonly findings: readonly Finding[];
  /** What keeps it from being published, in sentences that say what to do. Empty: it may be. */
  readonly missing: readonly string[];
}

export interface DiffOptions {
  /** The commands that workflows implement: their inputs are stored. Commands with signals are among them anyway. */
  readonly stored?: ReadonlySet<string>;
}

/** Judges contracts against what was published of them. */
export function diff(
  present: readonly Description[],
  published: ReadonlyMap<string, Published>,
  options: DiffOptions = {},
): readonly Verdict[] {
  const comparison = new Comparison();
  const verdicts = present.map((description) =>
    judge(comparison, description, published.get(description.name), options),
  );
  const here = new Set(present.map(({ name }) => name));
  const gone = [...published.values()].filter(({ name, retired }) => !here.has(name) && !retired);
  return [
    ...verdicts,
    ...gone.map(
      ({ name, latest }): Verdict => ({
        contract: name,
        published: latest.version,
        version: latest.version,
        change: "major",
        announced: "none",
        findings: [
          sayer(name)(
            "contract.removed",
            `The contract "${name}" was published in version ${latest.version} and is gone.`,
          ),
        ],
        missing: [`If nobody calls "${name}" any more, say so: trilith contracts publish --retire ${name}`],
      }),
    ),
  ];
}

function judge(
  comparison: Comparison,
  present: Description,
  published: Published | undefined,
  options: DiffOptions,
): Verdict {
  const { name, version } = present;
  if (!published) {
    const added = sayer(name)("contract.added", `The contract "${name}" is new.`);
    return { contract: name, version, change: "minor", announced: "minor", findings: [added], missing: [] };
  }
  const { latest } = published;
  const latestChanges = changesBetween(latest, present, options, comparison);
  const findings = [...latestChanges, ...toOlderBreaks(comparison, published, present, latestChanges, options)];
  const change = highest(findings.map(({ level }) => level));
  const announced = stepBetween(latest.version, version);
  const missing: string[] = [];
  const wanted = announces(announced, latest.version, change) ? version : nextVersion(latest.version, change);
  if (announced === "downgrade")
    missing.push(`"${name}" was published in version ${latest.version}, and is ${version} here. Versions only grow.`);
  else if (change !== "none" && announced === "none")
    missing.push(
      `"${name}" ${version} is published and has changed (${change}). Give it version ${wanted}; what is published stays as it is.`,
    );
  else if (wanted !== version)
    missing.push(
      `"${name}" changed by a ${change} change, and its version by a ${announced} one. Give it version ${wanted}, or take the change back.`,
    );
  // Said with the version that it asks for, so that nobody is sent back a second time.
  if (
    announced !== "downgrade" &&
    change === "major" &&
    majorOf(wanted) > majorOf(latest.version) &&
    !present.migration
  )
    missing.push(
      `"${name}" ${wanted} has no migration note. Tell callers how to get there: contract("${name}", { version: "${wanted}", migration: "…" }, …).`,
    );
  const lost = findings.filter(({ rule }) => demandsUpcaster.has(rule));
  missing.push(...lost.map(({ sentence }) => sentence));
  return { contract: name, published: latest.version, version, change, announced, findings, missing };
}

/**
 * Callers of every minor version are still there. What breaks one of them and not those of the latest: an optional field
 * that went in one version and comes back as something else in the next.
 */
function toOlderBreaks(
  comparison: Comparison,
  { latest, versions }: Published,
  present: Description,
  found: readonly Finding[],
  options: DiffOptions,
): readonly Finding[] {
  const major = majorOf(present.version);
  if (major === 0 || major !== majorOf(latest.version)) return [];
  const keyOf = ({ rule, subject, path }: Finding): string => `${rule} ${subject} ${path}`;
  const known = new Set(found.map(keyOf));
  return versions
    .filter(({ version }) => version !== latest.version && majorOf(version) === major)
    .flatMap((older) => changesBetween(older, present, options, comparison))
    .filter((finding) => {
      const fresh = finding.level === "major" && !known.has(keyOf(finding));
      if (fresh) known.add(keyOf(finding));
      return fresh;
    });
}

/** What no version number makes good: something stored could not be read. */
const demandsUpcaster: ReadonlySet<string> = new Set([
  "event.upcaster-missing",
  "event.history-changed",
  "event.version-lowered",
  "event.removed",
  "stored-input.upcaster-missing",
]);

/** What changed from one description of a contract to another. */
export function changesBetween(
  before: Description,
  after: Description,
  options: DiffOptions = {},
  comparison: Comparison = new Comparison(),
): readonly Finding[] {
  const said = (one: Description): string => toCanonicalJson({ ...promisedIn(one), version: "" });
  if (said(before) === said(after)) return [];
  const names = {
    old: `${before.name} ${before.version}`,
    now: `${after.name} ${after.version}${before.version === after.version ? " as it is here" : ""}`,
  };
  const findings: Finding[] = [];
  const say = sayer(after.name);
  for (const field of ["owner", "summary", "migration"] as const)
    if (before[field] !== after[field])
      findings.push(
        say(
          "contract.described",
          `The ${field === "migration" ? "migration note" : field} of "${after.name}" changed.`,
        ),
      );
  const removed = Object.keys(before.operations).filter((name) => !(name in after.operations));
  const added = Object.keys(after.operations).filter((name) => !(name in before.operations));
  for (const [name, operation] of Object.entries(after.operations)) {
    const was = before.operations[name];
    if (!was) continue;
    const id = `${after.name}.${name}`;
    const changes = toOperationChanges(comparison, id, { before: was, after: operation, ...names });
    findings.push(...changes);
    // Not only where the input changed: an upcaster that goes takes with it what was stored in its shape.
    if (isStored(id, was, options)) findings.push(...toStoredInputs(comparison, id, was, operation, names));
  }
  findings.push(...toComings(before, after, removed, added));
  for (const [name, event] of Object.entries(before.events)) {
    const now = after.events[name];
    const id = `${after.name}.${name}`;
    if (now) findings.push(...toEventChanges(comparison, id, { before: event, after: now, ...names }));
    else
      findings.push(
        sayer(id)(
          "event.removed",
          `The event ${id} is gone, and what is stored of it stays stored. Declare it again, even if nothing writes it any more.`,
        ),
      );
  }
  for (const name of Object.keys(after.events))
    if (!(name in before.events))
      findings.push(sayer(`${after.name}.${name}`)("event.added", `The event ${after.name}.${name} is new.`));
  // What no rule speaks of is still not what was published.
  if (findings.length === 0)
    findings.push(say("contract.described", `"${after.name}" is not described as it was published.`));
  return findings;
}

const isStored = (id: string, { kind, signals, earlier }: OperationDescription, { stored }: DiffOptions): boolean =>
  kind === "command" && (stored?.has(id) || Object.keys(signals).length > 0 || earlier.length > 0);

/** Runs under way keep their inputs: each shape that may be stored must be read by the present input or by an upcaster. */
function toStoredInputs(
  comparison: Comparison,
  id: string,
  before: OperationDescription,
  after: OperationDescription,
  { old, now }: { readonly old: string; readonly now: string },
): readonly Finding[] {
  const place = { subject: id, part: "stored-input", writer: `a run that began under ${old}`, reader: now } as const;
  const readers = [after.input, ...after.earlier];
  return [...before.earlier, before.input].flatMap((input) => {
    const breaks = readers.map((reader) => toBreaks(comparison, place, input, reader, false));
    if (breaks.some((found) => found.length === 0)) return [];
    const counterexample = breaks[0]?.[0]?.counterexample;
    return [
      sayer(id)(
        "stored-input.upcaster-missing",
        `Runs of ${id} that began under ${old} have stored an input that ${now} does not read. Say how: command({ …, earlier: [upcast(Before, (old) => …)] }).`,
        counterexample,
      ),
    ];
  });
}

/** Operations that came and went. One that went as another came, the same in all but its name, was renamed. */
function toComings(
  before: Description,
  after: Description,
  removed: readonly string[],
  added: readonly string[],
): readonly Finding[] {
  const renamed = new Map<string, string>();
  for (const name of removed) {
    const twin = added.find(
      (other) =>
        ![...renamed.values()].includes(other) &&
        toCanonicalJson(before.operations[name]) === toCanonicalJson(after.operations[other]),
    );
    if (twin) renamed.set(name, twin);
  }
  const id = (name: string): string => `${after.name}.${name}`;
  const gone = (name: string) => ({
    value: { operation: id(name) },
    from: `a caller of ${before.name} ${before.version}`,
    to: `${after.name} ${after.version}`,
  });
  return [
    ...removed.map((name) => {
      const twin = renamed.get(name);
      return twin
        ? sayer(id(name))("operation.renamed", `${id(name)} is called ${id(twin)} now.`, gone(name))
        : sayer(id(name))("operation.removed", `${id(name)} is gone.`, gone(name));
    }),
    ...added
      .filter((name) => ![...renamed.values()].includes(name))
      .map((name) => sayer(id(name))("operation.added", `${id(name)} is new.`)),
  ];
}
