import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { json, prefer, source, view } from "../aggregation/index.ts";
import { contract, query } from "../contracts/index.ts";
import { backend } from "./backend.ts";

const Cities = contract("cities", "1.0.0", {
  page: query({
    input: z.object({ city: z.string() }),
    output: z.object({ people: z.number().optional() }),
    http: "GET /cities/{city}",
    access: "public",
  }),
});
const dead = source("dead", {
  // A port that nobody can listen on.
  get: json("http://127.0.0.1:1/{city}", z.object({ people: z.number() })),
  attempts: 1,
  breaker: { least: 2 },
});

test("an operator sees at /metrics and /console/sources how a source does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "source-metrics-"));
  const page = view(Cities.page, { budget: "2s", fields: { people: prefer(dead) } });
  const environment = { PORT: "0", TRILITH_DATA: folder, TRILITH_LOG: "silent" };
  const running = await backend("cities", { aggregation: [page] }).start({ environment });
  for (const city of ["oslo", "bergen", "tromso"])
    expect((await fetch(`${running.url}/cities/${city}`)).status).toBe(200);
  const text = await (await fetch(`${running.url}/metrics`)).text();
  for (const line of [
    'trilith_source_answers_total{source="dead",state="down"} 3',
    'trilith_source_errors_total{source="dead",kind="unreachable"} 2',
    'trilith_source_errors_total{source="dead",kind="breaker"} 1',
    'trilith_source_requests_total{source="dead"} 2',
    'trilith_source_breaker_state{source="dead"} 2',
    'trilith_source_seconds_count{source="dead"} 0',
    "trilith_last_good_lost_total 0",
    'trilith_view_answers_total{view="cities.page"} 3',
    'trilith_requests_total{method="GET",route="/cities/{city}",status="200"} 3',
  ])
    expect(text).toContain(`${line}\n`);
  const shown = await (await fetch(`${running.url}/console/sources`)).json();
  expect(shown).toMatchObject({ sources: [{ source: "dead", breaker: { state: "open", opened: 1 }, queued: 0 }] });
  await running.stop();
  await rm(folder, { recursive: true });
});
