import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { amount, duration, plural } from "../format.ts";
import { type Aftermath, aftermath, type Outage, runsInHand } from "../model/outage.ts";
import { useConsole } from "./context.ts";
import { Icon } from "./icons.tsx";

const shownMs = 90_000;

/** What a crash did, while it happens and for a while after: counted from the spans, not claimed. */
export function OutageStrip(): JSX.Element {
  const { live } = useConsole();
  const dismissed = useSignal(-1);
  const world = live.world.value;
  const outage = world.outages.at(-1);
  const lost = live.connection.value.is === "lost" && world.hello;
  const recent = outage && live.now.value - outage.backMs < shownMs && dismissed.value !== outage.epoch;
  return (
    <div class="strip-place" data-open={Boolean(lost || (outage && recent))} role="status" aria-live="polite">
      <div class="strip-clip">
        {lost ? (
          <div class="strip is-down">
            <span class="strip-mark">
              <Icon name="bolt" />
            </span>
            <p>
              <strong>The process is gone.</strong> {inHand(runsInHand(world.traces.values()).underWay.length)} Waiting
              for it to come back.
            </p>
          </div>
        ) : (
          outage &&
          recent && (
            <div class="strip is-back">
              <span class="strip-mark">
                <Icon name="bolt" />
              </span>
              <p>
                <strong>{story(outage, aftermath(outage, world.traces))}</strong>{" "}
                <span class="quiet">
                  Process {outage.pid} was gone for {duration(outage.backMs - outage.atMs)}.{stillWaiting(outage)}
                </span>
              </p>
              <Tally {...aftermath(outage, world.traces)} />
              <button
                type="button"
                class="icon-button"
                aria-label="Dismiss"
                onClick={() => {
                  dismissed.value = outage.epoch;
                }}
              >
                <Icon name="close" />
              </button>
            </div>
          )
        )}
      </div>
    </div>
  );
}

function story(outage: Outage, { underWay, wentOn, ended }: Aftermath): string {
  if (underWay === 0) return "The process was replaced; no run was under way.";
  const began = `${plural(underWay, "run")} ${underWay === 1 ? "was" : "were"} under way when the process died`;
  const so = wentOn < underWay && outage.backMs > 0 ? ` so far` : "";
  return `${began}; ${wentOn} went on${so}${ended > 0 ? `, ${ended} ${ended === 1 ? "has" : "have"} ended` : ""}.`;
}

const inHand = (runs: number) =>
  runs === 0 ? "No run was under way." : `${plural(runs, "run")} ${runs === 1 ? "was" : "were"} under way.`;

const stillWaiting = ({ waiting }: Outage) =>
  waiting === 0 ? "" : ` ${amount(waiting)} more waited for something, and still ${waiting === 1 ? "does" : "do"}.`;

/** One mark per run: gone, going on, ended. */
function Tally({ underWay, wentOn, ended }: Aftermath): JSX.Element {
  const marks = Array.from({ length: Math.min(underWay, 24) }, (_, i) =>
    i < ended ? "ended" : i < wentOn ? "on" : "gone",
  );
  return (
    <span class="tally" aria-hidden="true">
      {marks.map((mark, i) => (
        <i key={String(i)} class={`tally-${mark}`} />
      ))}
    </span>
  );
}
