import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { ago, duration } from "../format.ts";
import { useConsole } from "../parts/context.ts";
import { fetchSchedules, type Schedule, steerSchedule } from "./schedules.ts";

const everyMs = 2_000;

/** The schedules: when each begins its next run, how the last one is found, what it owes, and the button that holds it. */
export function SchedulesView(): JSX.Element {
  const { live } = useConsole();
  const schedules = useSignal<readonly Schedule[] | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  const steering = useSignal(false);
  const asked = useRef(0);
  const shown = useRef(0);
  const look = async (signal?: AbortSignal): Promise<void> => {
    const mine = ++asked.current;
    // What was asked for before a schedule was held tells how it stood then, and would turn its button round.
    const isStale = () => signal?.aborted || mine < shown.current;
    try {
      const found = await fetchSchedules(signal);
      if (isStale()) return;
      shown.current = mine;
      schedules.value = found;
      trouble.value = undefined;
    } catch (error) {
      if (!isStale()) trouble.value = (error as Error).message;
    }
  };
  useEffect(() => {
    const gone = new AbortController();
    void look(gone.signal);
    const timer = setInterval(() => void look(gone.signal), everyMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, []);
  const steer = async (name: string, to: "pause" | "resume"): Promise<void> => {
    steering.value = true;
    try {
      await steerSchedule(name, to);
      shown.current = asked.current + 1;
      await look();
    } catch (error) {
      trouble.value = (error as Error).message;
    } finally {
      steering.value = false;
    }
  };
  return (
    <main class="contracts" aria-label="Schedules">
      <header class="contracts-head">
        <h2>Schedules</h2>
      </header>
      {trouble.value !== undefined && <p role="alert">{trouble.value}</p>}
      {schedules.value?.length === 0 && (
        <p class="contracts-none">
          This backend has no schedules. <code>schedule(operation, {"{ cron, input }"})</code> beside a workflow begins
          its runs at set times; each schedule is told here, with its next time, its last run and what it owes.
        </p>
      )}
      {schedules.value !== undefined && schedules.value.length > 0 && (
        <section class="contract">
          <table>
            <thead>
              <tr>
                <th>Schedule</th>
                <th>Times</th>
                <th>Next</th>
                <th>Last</th>
                <th>Owed</th>
                <th aria-label="What can be done" />
              </tr>
            </thead>
            <tbody>
              {schedules.value.map((schedule) => (
                <Row
                  key={schedule.name}
                  schedule={schedule}
                  nowMs={live.now.value}
                  steer={steer}
                  isSteering={steering.value}
                />
              ))}
            </tbody>
          </table>
        </section>
      )}
    </main>
  );
}

interface RowProps {
  readonly schedule: Schedule;
  readonly nowMs: number;
  readonly steer: (name: string, to: "pause" | "resume") => Promise<void>;
  readonly isSteering: boolean;
}
function Row({ schedule, nowMs, steer, isSteering }: RowProps): JSX.Element {
  const { name, operation, cron, zone, paused, pause, owed, next, last, lastRun, otherTimes } = schedule;
  const to = paused ? "resume" : "pause";
  return (
    <tr>
      <td>
        <strong>{name}</strong>
        {name !== operation && <div class="contract-quiet">{operation}</div>}
      </td>
      <td>
        <code>{cron}</code> <span class="contract-quiet">{zone}</span>
        {otherTimes !== undefined && <div class="contract-quiet">at present by other code: {otherTimes}</div>}
      </td>
      <td>
        {paused ? (
          <>
            <span class="badge is-paused">Paused</span>
            {pause && (
              <div class="contract-quiet" title={pause.at}>
                by {pause.by}
                {pause.reason !== undefined && `: ${pause.reason}`}
              </div>
            )}
          </>
        ) : next === undefined ? (
          "never"
        ) : (
          <Instant at={next} zone={zone} words={`in ${duration(Math.max(0, Date.parse(next) - nowMs))}`} />
        )}
      </td>
      <td>
        {last === undefined ? (
          "not yet"
        ) : (
          <Instant at={last} zone={zone} words={toAgo(nowMs - Date.parse(last))} run={lastRun} />
        )}
      </td>
      <td>{owed}</td>
      <td>
        <button type="button" class="button button-small" disabled={isSteering} onClick={() => void steer(name, to)}>
          {paused ? "Resume" : "Pause"}
        </button>
      </td>
    </tr>
  );
}

interface InstantProps {
  readonly at: string;
  readonly zone: string;
  readonly words: string;
  readonly run?: string | undefined;
}
function Instant({ at, zone, words, run }: InstantProps): JSX.Element {
  const told = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium", timeZone: zone });
  return (
    <>
      <time dateTime={at} title={at}>
        {told.format(new Date(at))}
      </time>
      <div class="contract-quiet">
        {words}
        {run !== undefined && (
          <>
            {" · "}
            <a href={`#run=${encodeURIComponent(run)}`}>its run</a>
          </>
        )}
      </div>
    </>
  );
}

const toAgo = (ms: number): string => (ago(Math.max(0, ms)) === "now" ? "just now" : `${ago(ms)} ago`);
