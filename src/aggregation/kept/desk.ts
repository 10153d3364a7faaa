import { type Clock, Fault, type Issue, type Provider } from "../../contracts/index.ts";
import { describe } from "../formats/describe.ts";
import { toDeclared } from "../reading/last-good.ts";
import type { SourcePlan } from "../source.ts";
import type { AnyView } from "../view.ts";
import type { Candidate, Candidates } from "./candidates.ts";
import type { Change } from "./change.ts";
import { fold } from "./fold.ts";
import { toFound } from "./kept-reader.ts";
import { type Intake, pushesOf } from "./materialized.ts";
import { placeOf } from "./place.ts";

/** Somebody who is handed events of the log, each at least once: what the runtime subscribes. */
export interface Listener {
  /** In kebab-case, one a view, version and intake. */
  readonly name: string;
  readonly events: { readonly [member: string]: unknown };
  /** By the event's name. Rejects where what the event says cannot be kept. */
  readonly handle: { readonly [event: string]: (event: unknown, position: number) => Promise<void> };
}

/** Takes in what the sources of materialised views say by themselves. What they say is checked before it is kept. */
export function toListeners(views: readonly AnyView[], candidates: Candidates, clock: Clock): readonly Listener[] {
  return views.flatMap((view) =>
    (view.kept?.intakes ?? []).flatMap((intake, at): readonly Listener[] => {
      if (intake.kind !== "fed") return [];
      const handle = Object.entries(intake.on).map(([name, toChanges]) => [
        name,
        async (event: unknown, position: number) => {
          const changes = [toChanges(event)]
            .flat()
            .map((change) => ({ ...change, revision: change.revision ?? position }));
          await candidates.keep(await toCandidates(view, intake.source, changes, clock));
        },
      ]);
      const { "~contract": _about, ...events }: Listener["events"] = { ...intake.events };
      const name = kebab(`view-${view.id}-${intake.source.name}-v${view.kept?.version}-${at}`);
      return [{ name, events, handle: Object.fromEntries(handle) }];
    }),
  );
}

/** The commands through which sources push, each for every view that hears it. */
export function toPushProviders(views: readonly AnyView[], candidates: Candidates, clock: Clock): readonly Provider[] {
  return pushesOf(views).map(({ id }) => ({
    operation: id,
    async handle(input: unknown) {
      const heard = views.flatMap((view) =>
        (view.kept?.intakes ?? [])
          .filter((intake): intake is Intake & { readonly kind: "pushed" } => intake.kind === "pushed")
          .filter(({ operation }) => operation.id === id)
          .map(({ source, take }) => toCandidates(view, source, [take(input)].flat(), clock)),
      );
      // All of them or none: a push that is refused has changed nothing.
      await candidates.keep((await Promise.all(heard)).flat());
      return { output: undefined };
    },
  }));
}

async function toCandidates(
  view: AnyView,
  source: SourcePlan,
  changes: readonly Change[],
  clock: Clock,
): Promise<readonly Candidate[]> {
  const declared = toDeclared(source);
  const at = clock.now();
  const candidates = await Promise.all(
    changes.map(async ({ key, item = "", items, revision, value }): Promise<Candidate> => {
      const place = placeOf(view, source, key);
      if (place === undefined) refuse(source, `its key lacks one of ${source.fetch.params.join(", ")}`);
      if (revision === undefined || !Number.isFinite(revision)) refuse(source, "it has no revision that counts");
      if (value === undefined) {
        if (item !== "" && !answersWithList(source)) refuse(source, "it takes back an item, and answers with no list");
        return { place, item, revision, at };
      }
      const isRecord = source.batch !== undefined || item !== "";
      const [said] = declared([isRecord ? [value] : value]) as [unknown];
      const text = JSON.stringify(isRecord ? (said as readonly unknown[])[0] : said);
      const candidate = { place, item, revision, said: text, at, ...(items && { items }) };
      const found = await toFound(source, fold([candidate]), key);
      if (found.state !== "fresh") refuse(source, found.problem);
      return candidate;
    }),
  );
  return candidates.filter((candidate, at) => !candidates.slice(at + 1).some((later) => replaces(later, candidate)));
}

/** Of what is said in one go, what comes later is newer: the last word on an item, or on everything, is the one that counts. */
const replaces = (later: Candidate, { place, item, revision }: Candidate): boolean =>
  later.place === place && later.revision >= revision && (later.item === item || later.item === "");

/** Whether a source has items that could be spoken of one by one. */
function answersWithList({ fetch, batch }: SourcePlan): boolean {
  if (batch || (fetch.via === "http" && fetch.format !== "json")) return true;
  const { type } = describe(fetch.schema);
  return type === undefined || type === "array";
}

function refuse(source: SourcePlan, why: string): never {
  const message = `What the source "${source.name}" says cannot be kept: ${why}.`;
  const issues: readonly Issue[] = [{ path: "", message }];
  throw new Fault("InvalidInput", message, { issues });
}

const kebab = (text: string): string =>
  text
    .replaceAll(/([a-z\d])([A-Z])/g, "$1-$2")
    .replaceAll(/[^a-zA-Z\d]+/g, "-")
    .toLowerCase();
