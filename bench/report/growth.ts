import type { Finding } from "../frame/rows.ts";

export interface Point {
  readonly system: string;
  readonly x: number;
  readonly y: number;
}

/** What draws, see plots.ts. */
export interface Plots {
  toBars(findings: readonly Finding[]): Promise<string>;
  toLines(points: readonly Point[], x: string, y: string): Promise<string>;
}

/** One picture of how cost grows. */
export interface Growth {
  readonly name: string;
  readonly title: string;
  readonly x: string;
  readonly y: string;
  /** What a finding is on the picture; nothing where it is not on it. */
  readonly point: (finding: Finding) => Omit<Point, "system"> | undefined;
}

/** The pictures of a suite, from the findings of its runs with --scale. */
export const growths: { readonly [suite: string]: readonly Growth[] } = {
  storage: [
    byClients("append-1", "events a second"),
    {
      ...{
        name: "append-by-log",
        title: "Appends to a log that has grown",
        x: "events in the log",
        y: "events a second",
      },
      point: ({ row }) => at(/^append-1-at-(\d+)([km])$/, row.work, row.opsPerSecond),
    },
    {
      ...{
        name: "reopen-by-log",
        title: "Opening a log that has grown",
        x: "events in the log",
        y: "ms until it is open",
      },
      point: ({ row }) => at(/^reopen-(\d+)([km])$/, row.work, row.p50Ms),
    },
    {
      ...{ name: "append-by-size", title: "Appends of larger events", x: "bytes of an event", y: "events a second" },
      point: ({ row }) => at(/^append-1-of-(\d+)(k)b$/, row.work, row.opsPerSecond),
    },
  ],
  orchestration: [
    byClients("five-steps", "runs a second"),
    {
      ...{ name: "steps", title: "Steps, in runs of 1 to 1,000", x: "steps of a run", y: "steps a second" },
      point: ({ row }) => at(/^steps-(\d+)()$/, row.work, row.opsPerSecond),
    },
  ],
  aggregation: [
    byClients("fuse-4", "answers a second"),
    {
      ...{ name: "page-by-items", title: "Pages of 1 to 50 items", x: "items of a page", y: "pages a second" },
      point: ({ row }) => at(/^page-(\d+)()$/, row.work, row.opsPerSecond),
    },
  ],
  gateway: [byClients("operation-http", "requests a second")],
};

function byClients(work: string, y: string): Growth {
  return {
    ...{ name: `${work}-by-clients`, title: `${work} from 1 to 512 clients`, x: "clients", y },
    point: ({ row }) => (row.work === work ? { x: row.clients, y: row.opsPerSecond } : undefined),
  };
}

const units: { readonly [unit: string]: number } = { "": 1, k: 1e3, m: 1e6 };

function at(pattern: RegExp, work: string, y: number): Omit<Point, "system"> | undefined {
  const [, count, unit = ""] = pattern.exec(work) ?? [];
  return count === undefined ? undefined : { x: Number(count) * (units[unit] ?? 1), y };
}
