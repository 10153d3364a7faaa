import { afterEach, expect, test } from "vitest";
import { toPrometheus } from "./metrics.ts";
import { answering, type Started, startGateway } from "./start-gateway.test-d.ts";

let started: Started | undefined;
afterEach(() => started?.stop());

test("tells whoever scrapes what was asked and how, by route and not by path", async () => {
  started = await startGateway(answering({ shelf: "a", count: 1 }), {
    metrics: () => [
      { name: "books", help: "Books.", type: "gauge", samples: [{ labels: { of: 'a "b"\n' }, value: 7 }] },
    ],
  });
  await started.get("/shelf");
  await started.get("/shelf");
  await started.get("/trips/4711");
  await started.get("/nowhere/4711");
  const answer = await started.get("/metrics");
  expect(answer.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const text = await answer.text();
  expect(text).toContain('# HELP books Books.\n# TYPE books gauge\nbooks{of="a \\"b\\"\\n"} 7\n');
  expect(text).toContain('trilith_requests_total{method="GET",route="/shelf",status="200"} 2\n');
  expect(text).toMatch(/^process_resident_memory_bytes [1-9]\d+$/m);
  expect(text).toContain('trilith_info{name="test",version="1.2.0"} 1\n');
  expect(text).not.toContain("4711");
});

test("asks for a scope wherever the console does", async () => {
  started = await startGateway(answering({}), { settings: { console: "key" } });
  expect((await started.get("/metrics")).status).toBe(401);
  const other = await started.key("other", "console:read");
  const scraper = await started.key("scraper", "metrics:read");
  const asked = async (key: string) =>
    (await started?.get("/metrics", { headers: { authorization: `Bearer ${key}` } }))?.status;
  expect([await asked(other), await asked(scraper)]).toEqual([403, 200]);
});

test("is open to this machine alone: a name that was made to point here is somebody else's", async () => {
  started = await startGateway(answering({}));
  const proxied = await started.get("/metrics", { headers: { "x-forwarded-for": "203.0.113.9" } });
  expect(proxied.status).toBe(401);
});

test("the console shows the sources to whoever may see it", async () => {
  const sources = { sources: [{ source: "a" }], views: [] };
  started = await startGateway(answering({}), { sources: () => sources });
  expect(await (await started.get("/console/sources")).json()).toEqual(sources);
  expect((await started.get("/console/sources", { headers: { forwarded: "for=203.0.113.9" } })).status).toBe(401);
});

test("a summary has its quantiles, its sum and its count", () => {
  const samples = [
    { labels: { quantile: "0.5" }, value: 0.25 },
    { suffix: "_sum", value: 3 },
    { suffix: "_count", value: 9 },
  ] as const;
  expect(toPrometheus([{ name: "took", help: "How long.", type: "summary", samples }])).toBe(
    '# HELP took How long.\n# TYPE took summary\ntook{quantile="0.5"} 0.25\ntook_sum 3\ntook_count 9\n',
  );
});
