import type { EngineStatus } from "./engine.ts";
import type { HeldEvent } from "./event-versions.ts";
import type { ReadModelStatus } from "./models.ts";
import type { StorageStatus } from "./open-storage.ts";
import type { SubscriptionStatus } from "./subscription-status.ts";

export interface StorageHealth {
  readonly ready: boolean;
  readonly parts: { readonly [part: string]: { readonly ready: boolean; readonly detail: string } };
}

/**
 * A status as whoever asks may read it, a sentence a part. Why a reader has stopped is not in it, for the reasons may quote
 * what is in the log; the status has them, and `report` was told.
 */
export function toHealth({ engine, readModels, subscriptions, held, warnings }: StorageStatus): StorageHealth {
  const isReady = readModels.every(
    ({ ready, kept, stopped }) => ready && !(kept === "inline" && stopped !== undefined),
  );
  const parts = {
    log: { ready: true, detail: toLogSentence(engine, warnings.length) },
    ...(readModels.length > 0 && { readModels: { ready: isReady, detail: toModelSentence(readModels) } }),
    ...(subscriptions.length > 0 && { subscriptions: { ready: true, detail: toSubscriptionSentence(subscriptions) } }),
    ...(held.length > 0 && { events: { ready: true, detail: toHeldSentence(held) } }),
  };
  return { ready: isReady, parts };
}

function toLogSentence({ engine, logs, bytes, queued, appendMs, replicas }: EngineStatus, warnings: number): string {
  const heads = Object.entries(logs).map(([log, { position }]) => `"${log}" is at position ${position}`);
  const copies = replicas.map(
    ({ name, state, behindBytes }) => `replica "${name}" is ${state}, ${toSize(behindBytes)} behind`,
  );
  return `${[
    `On ${engine}`,
    ...(heads.length > 0 ? heads : ["nothing was written yet"]),
    `${toSize(bytes)} on disk`,
    `appends take ${toMsText(appendMs.p50)} (p50) to ${toMsText(appendMs.p99)} (p99)`,
    `${queued} are waiting`,
    ...(copies.length > 0 ? copies : ["no replica"]),
    ...(warnings > 0 ? [`${warnings} warnings in the status`] : []),
  ].join(", ")}.`;
}

function toModelSentence(models: readonly ReadModelStatus[]): string {
  const told = models.flatMap(({ reader, stopped, progress, behind, parked, ready }) => {
    if (stopped !== undefined) return [`"${reader}" has stopped, ${behind} positions behind`];
    const left = progress?.secondsLeft === undefined ? "" : `, ${progress.secondsLeft} s left`;
    if (!ready)
      return [`"${reader}" is being built, ${progress?.done ?? 0} of ${progress?.of ?? behind} positions${left}`];
    return parked > 0 ? [`"${reader}" has parked ${parked} events`] : [];
  });
  if (told.length > 0) return `${told.join("; ")}.`;
  const most = Math.max(...models.map(({ behind }) => behind));
  return `${models.length === 1 ? "It follows" : `All ${models.length} follow`} the log, ${most} positions behind at most.`;
}

function toSubscriptionSentence(subscriptions: readonly SubscriptionStatus[]): string {
  return `${subscriptions
    .map(({ reader, stopped, trouble, behind, parked, delivering, partitions }) => {
      const here = partitions.filter((partition) => partition.here).length;
      const part = partitions.length > 1 ? ` ${here} of ${partitions.length} partitions` : "";
      const state = stopped !== undefined ? "has stopped" : delivering ? `hands over${part}` : "waits for its turn";
      const rest = [
        ...(trouble === undefined ? [] : ["trying again"]),
        ...(parked > 0 ? [`${parked} events parked`] : []),
      ];
      return [`"${reader}" ${state}`, `${behind} positions behind`, ...rest].join(", ");
    })
    .join("; ")}.`;
}

/** Without the names of those who are waited for: the status has them. */
function toHeldSentence(held: readonly HeldEvent[]): string {
  return `${held
    .map(({ event, version, writes, by }) => {
      const others = by.length === 1 ? "a process that reads" : `${by.length} processes that read`;
      const how = writes === undefined ? "not written" : `written in version ${writes}`;
      return `"${event}" is ${how} until ${others} no version ${version} ${by.length === 1 ? "has" : "have"} ended`;
    })
    .join("; ")}.`;
}

const toMsText = (ms: number): string => `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
const toSize = (bytes: number): string =>
  bytes < 1_000_000 ? `${Math.ceil(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
