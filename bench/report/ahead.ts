import type { Finding, Row } from "../frame/rows.ts";
import type { Reasons, Suite } from "../frame/suite.ts";
import { toNumber, toShare } from "../frame/table.ts";
import { toClients, toldByTimes } from "./told-by.ts";

type Who = "limit" | "peer";
type Compared = Pick<Suite, "systems" | "reasons">;

/** A paragraph on the rows of ours that something else is ahead of; rows of one work that have one reason share it. */
export function toAhead(findings: readonly Finding[], suite: Compared): readonly string[] {
  const rows = findings.map(({ row }) => row);
  const behind = new Map<string, string[]>();
  for (const row of rows.filter(({ system }) => suite.systems[system]?.role === "trilith")) {
    for (const who of ["limit", "peer"] as const) {
      const rival = rivalOf(row, who, rows, suite);
      if (who === "peer" && rival && rival === rivalOf(row, "limit", rows, suite)) continue; // it was told as the limit
      const said = toldByTimes(row) ? byTimes(row, rival) : bySpeed(row, who);
      if (!said) continue;
      const { figure, of } = said;
      const paragraph = JSON.stringify([row.work, of, reasonOf(row, who, suite.reasons)]);
      const all = behind.get(paragraph) ?? [];
      behind.set(paragraph, [...all, `${row.system} with ${toClients(row.clients)} ${figure}`]);
    }
  }
  const paragraphs = [...behind].map(([paragraph, all]) => {
    const [work, of, reason] = JSON.parse(paragraph) as readonly [string, string, string]; // as put together above
    return `**\`${work}\`: ${all.join("; ")}${of}.** ${reason}\n`;
  });
  return paragraphs.length === 0 ? [] : ["### Where something else is ahead", "", ...paragraphs];
}

/** One client's reason stands by itself where it is another one. */
const reasonOf = ({ work, clients }: Row, who: Who, reasons: Reasons): string =>
  (clients === 1 ? reasons[`${work}, 1 client`]?.[who] : undefined) ??
  reasons[work]?.[who] ??
  "Nobody has written down yet why.";

/** Nearer than this, nobody is ahead. */
const asFast = 0.995;

interface Said {
  readonly figure: string;
  readonly of: string;
}

function bySpeed(row: Row, who: Who): Said | undefined {
  const ratio = who === "limit" ? row.ratioToLimit : row.ratioToBestPeer;
  if (ratio === null || ratio >= asFast) return;
  return { figure: toShare(ratio), of: who === "limit" ? " of the limit" : " of the best peer" };
}

function byTimes(row: Row, rival: Row | undefined): Said | undefined {
  if (!rival || (row.p50Ms * asFast <= rival.p50Ms && row.p99Ms * asFast <= rival.p99Ms)) return;
  const [own, other] = [row, rival].map(({ p50Ms, p99Ms }) => `p50 ${toNumber(p50Ms)} ms, p99 ${toNumber(p99Ms)} ms`);
  return { figure: `has ${own}, and ${rival.system} has ${other}`, of: "" };
}

/** What a row is held against: its limit, or the peer that answers soonest. */
function rivalOf(row: Row, who: Who, rows: readonly Row[], { systems }: Compared): Row | undefined {
  const same = rows.filter(({ work, clients }) => work === row.work && clients === row.clients);
  if (who === "peer")
    return same.filter(({ system }) => systems[system]?.role === "peer").sort((a, b) => a.p50Ms - b.p50Ms)[0];
  const limits = systems[row.system]?.limit ?? [];
  return limits.map((limit) => same.find(({ system }) => system === limit)).find((limit) => limit !== undefined);
}
