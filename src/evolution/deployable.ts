import type { Description } from "./description.ts";
import { changesBetween } from "./diff.ts";
import { Comparison } from "./inclusion/inclusion.ts";
import { sayer } from "./operation-changes.ts";
import { isRecord } from "./plain.ts";
import type { Finding } from "./rules.ts";
import { toBreaks } from "./schema-changes.ts";

/** What a backend is, as far as another one has to get on with it: what it tells at `/.well-known/trilith.json`. */
export interface Deployment {
  readonly name: string;
  readonly serves: readonly Description[];
  readonly uses: readonly Description[];
  /** By name and version: `trips.book@1`. */
  readonly workflows: readonly string[];
  /** What lies in its log. */
  readonly storedEvents: readonly { readonly type: string; readonly version: number }[];
  /** By workflow: how many of its runs have not ended. */
  readonly runs: readonly { readonly workflow: string; readonly underWay: number }[];
}

/** Reads what an address told. Throws a sentence where it is something else. */
export function readDeployment(value: unknown, from: string): Deployment {
  const lists = ["serves", "uses", "workflows", "storedEvents", "runs"];
  if (!isRecord(value) || typeof value.name !== "string" || !lists.every((list) => Array.isArray(value[list])))
    throw new TypeError(`What ${from} tells is not what a Trilith backend tells of itself. Is the address right?`);
  return value as unknown as Deployment; // told by a backend of ours
}

/**
 * Whether a backend can take the place of one that runs: for those who call it, for those whom it calls, for what lies in
 * the log, and for runs under way. What comes back would go wrong.
 */
export function obstaclesOf(
  candidate: Omit<Deployment, "storedEvents" | "runs">,
  running: Deployment,
): readonly Finding[] {
  const findings: Finding[] = [];
  const served = byName(candidate.serves);
  const stored = new Set(
    running.runs.filter(({ underWay }) => underWay > 0).map(({ workflow }) => operationOf(workflow)),
  );
  for (const before of running.serves) {
    const after = served.get(before.name);
    if (!after)
      findings.push(
        sayer(before.name)(
          "contract.removed",
          `${running.name} serves the contract "${before.name}", and this working tree does not.`,
        ),
      );
    // A note missing or a version not raised is for "diff" to say; here only what breaks counts.
    else findings.push(...changesBetween(before, after, { stored }).filter(({ level }) => level === "major"));
  }
  const there = byName(running.serves);
  for (const used of candidate.uses) {
    const provider = there.get(used.name);
    if (provider && !served.has(used.name))
      findings.push(...changesBetween(used, provider).filter(({ level }) => level === "major"));
  }
  findings.push(...toStoredEventFindings(candidate, running), ...toRunFindings(candidate, running));
  return findings;
}

function toStoredEventFindings(candidate: Pick<Deployment, "serves">, running: Deployment): readonly Finding[] {
  const events = new Map<string, { readonly version: number }>(
    candidate.serves.flatMap(({ name, events }) =>
      Object.entries(events).map(([event, description]) => [`${name}.${event}`, description] as const),
    ),
  );
  const owned = new Set(candidate.serves.map(({ name }) => name));
  return running.storedEvents.flatMap(({ type, version }) => {
    if (!owned.has(type.slice(0, type.indexOf(".")))) return [];
    const known = events.get(type);
    if (!known)
      return [
        sayer(type)(
          "event.removed",
          `Events ${type} are stored in version ${version}, and this working tree does not declare them.`,
        ),
      ];
    if (version > known.version)
      return [
        sayer(type)(
          "event.version-lowered",
          `Events ${type} are stored in version ${version}, and this working tree knows them up to version ${known.version}.`,
        ),
      ];
    return [];
  });
}

/** Runs under way replay against their journals: their workflow must be there, and read the results that it was given. */
function toRunFindings(candidate: Pick<Deployment, "workflows" | "uses">, running: Deployment): readonly Finding[] {
  const findings: Finding[] = [];
  const underWay = running.runs.filter((one) => one.underWay > 0);
  for (const { workflow, underWay: count } of underWay)
    if (!candidate.workflows.includes(workflow))
      findings.push(
        sayer(operationOf(workflow))(
          "run.workflow-missing",
          `${count} ${count === 1 ? "run" : "runs"} of ${workflow} ${count === 1 ? "is" : "are"} under way, and this working tree has no such version. Keep it beside the new one until they have ended.`,
        ),
      );
  if (underWay.length === 0) return findings;
  const comparison = new Comparison();
  const now = byName(candidate.uses);
  for (const before of running.uses)
    for (const [name, operation] of Object.entries(before.operations)) {
      const after = now.get(before.name)?.operations[name];
      const place = {
        subject: `${before.name}.${name}`,
        part: "journaled-result",
        writer: "a journal of a run under way",
        reader: "its replay in this working tree",
      } as const;
      if (after) findings.push(...toBreaks(comparison, place, operation.output, after.output, false));
    }
  return findings;
}

const operationOf = (workflow: string): string => workflow.slice(0, workflow.lastIndexOf("@"));
const byName = (descriptions: readonly Description[]): ReadonlyMap<string, Description> =>
  new Map(descriptions.map((description) => [description.name, description]));
