import type { EventDescription } from "./description.ts";
import type { Comparison } from "./inclusion/inclusion.ts";
import { sayer, type Versions } from "./operation-changes.ts";
import type { Finding } from "./rules.ts";
import { type Place, toBreaks, toSchemaChanges } from "./schema-changes.ts";

/**
 * What changed in an event, for both of its sides: what is stored must be read by the new code, and while nodes of both
 * versions run, what the new code writes is read by the old one.
 */
export function toEventChanges(
  comparison: Comparison,
  id: string,
  { before, after, old, now }: Versions<EventDescription>,
): readonly Finding[] {
  const say = sayer(id);
  const stored: Place = { subject: id, part: "stored-event", writer: `the log, since ${old}`, reader: now };
  const fresh: Place = { subject: id, part: "new-event", writer: now, reader: `a reader of ${old}` };
  const findings: Finding[] = [];
  if (after.version < before.version)
    return [
      say(
        "event.version-lowered",
        `${id} is stored in version ${before.version} already, and ${now} knows it up to version ${after.version}.`,
      ),
    ];
  // Every version that may be stored has a place where it is read now: an upcaster's schema, or the present one.
  const shapes = [...before.earlier, before.payload];
  const places = [...after.earlier, after.payload];
  for (const [index, payload] of shapes.entries()) {
    const last = index === shapes.length - 1;
    const breaks = toBreaks(comparison, stored, payload, places[index], false);
    findings.push(...breaks);
    const [first] = breaks;
    if (!first) continue;
    if (last && after.version === before.version)
      findings.push(
        say(
          "event.upcaster-missing",
          `${id} changed so that stored events do not fit any more. Give it version ${after.version + 1} and an upcaster: event(Now, { version: ${after.version + 1}, from: [… upcast(Before, (old) => …)] }).`,
          first.counterexample,
        ),
      );
    else
      findings.push(
        say(
          "event.history-changed",
          `The upcaster of ${id} from version ${index + 1} reads another payload than was published for it.`,
          first.counterexample,
        ),
      );
  }
  const isLedDown = after.version > before.version && (after.downTo ?? after.version) <= before.version;
  // What is led down is read by those who know the payload that was published.
  if (isLedDown)
    findings.push(
      ...toSchemaChanges(comparison, fresh, before.payload, places[shapes.length - 1], "returned").filter(
        ({ level }) => level === "major",
      ),
    );
  if (after.version > before.version)
    findings.push(
      isLedDown
        ? say(
            "event.led-down",
            `${id} is written in version ${after.version}, and led down to version ${before.version} while readers of ${old} run.`,
          )
        : say(
            "event.version-raised",
            `${id} is written in version ${after.version}; readers of ${old} know it up to version ${before.version}. It is held up while they run. With a way down nobody waits: upcast(Before, up, down), in each step from version ${before.version} on.`,
          ),
    );
  else {
    const inWriting = toSchemaChanges(comparison, fresh, before.payload, after.payload, "returned");
    findings.push(...inWriting.filter(({ rule }) => findings.length === 0 || rule !== "schema.narrowed"));
  }
  return findings;
}
