import type { Consumption } from "./consumption.ts";
import type { Measured, Notes } from "./subject.ts";
import type { Suite } from "./suite.ts";

/** One line of the results, with exactly these keys. Where there is nothing to compare with, a ratio is null. */
export interface Row {
  readonly suite: string;
  readonly work: string;
  readonly system: string;
  readonly version: string;
  readonly clients: number;
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly errors: number;
  /** Of the system's own processes over all rounds; the PostgreSQL that everybody shares is not among them. */
  readonly cpuSeconds: number;
  readonly peakMemoryMb: number;
  readonly ratioToLimit: number | null;
  readonly ratioToBestPeer: number | null;
}

/** A row, and what else was seen: how far the rounds were apart, and what the system had to say. */
export interface Finding {
  readonly row: Row;
  readonly what: string;
  /** Operations a second of the best round less those of the worst, as a share of the median. */
  readonly spread: number;
  readonly rounds: number;
  readonly notes: Notes;
  readonly firstError?: string;
}

/** What all rounds of one system at one work with one number of clients gave. */
export interface Samples {
  readonly work: string;
  readonly what: string;
  readonly system: string;
  readonly version: string;
  readonly clients: number;
  readonly rounds: readonly { readonly measured: Measured; readonly consumption: Consumption }[];
}

/** Medians over the rounds; ratios within a work and a number of clients. */
export function toFindings(suite: Suite, all: readonly Samples[]): readonly Finding[] {
  const speeds = new Map(all.map((samples) => [toKey(samples, samples.system), speedOf(samples)]));
  const roleOf = (system: string) => suite.systems[system]?.role;
  return all.map((samples) => {
    const { work, what, system, version, clients, rounds } = samples;
    const measured = rounds.map((round) => round.measured);
    const speed = speedOf(samples);
    const limits = suite.systems[system]?.limit?.map((limit) => speeds.get(toKey(samples, limit))) ?? [];
    const peers = all.filter((other) => toKey(other, "") === toKey(samples, "") && roleOf(other.system) === "peer");
    const ofRounds = measured.map(toSpeed);
    const firstError = measured.find((one) => one.firstError !== undefined)?.firstError;
    return {
      row: {
        suite: suite.name,
        work,
        system,
        version,
        clients,
        opsPerSecond: round(speed),
        p50Ms: round(median(measured.map(({ p50Ms }) => p50Ms))),
        p90Ms: round(median(measured.map(({ p90Ms }) => p90Ms))),
        p99Ms: round(median(measured.map(({ p99Ms }) => p99Ms))),
        errors: measured.reduce((sum, { errors }) => sum + errors, 0),
        cpuSeconds: round(rounds.reduce((sum, { consumption }) => sum + consumption.cpuSeconds, 0)),
        peakMemoryMb: round(Math.max(...rounds.map(({ consumption }) => consumption.peakMemoryMb))),
        ratioToLimit: toRatio(
          speed,
          limits.find((limit) => limit !== undefined),
        ),
        ratioToBestPeer: toRatio(speed, peers.length > 0 ? Math.max(...peers.map(speedOf)) : undefined),
      },
      what,
      spread: speed === 0 ? 0 : round((Math.max(...ofRounds) - Math.min(...ofRounds)) / speed),
      rounds: rounds.length,
      notes: Object.assign({}, ...measured.map(({ notes }) => notes)),
      ...(firstError !== undefined && { firstError }),
    };
  });
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low = 0, high = low] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return (low + high) / 2;
}

const toSpeed = ({ operations, seconds }: Measured): number => operations / seconds;
const speedOf = ({ rounds }: Samples): number => median(rounds.map(({ measured }) => toSpeed(measured)));
const toKey = ({ work, clients }: Samples, system: string): string => JSON.stringify([work, clients, system]);
const toRatio = (speed: number, other: number | undefined): number | null =>
  other === undefined || other === 0 ? null : round(speed / other);
/** Four significant digits: more would claim to be known. */
const round = (value: number): number => Number(value.toPrecision(4));
