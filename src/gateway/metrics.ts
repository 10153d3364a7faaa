import type { FastifyInstance } from "fastify";
import { enter, type Gate } from "./gate.ts";
import { isLocal, isLoopback } from "./loopback.ts";
import type { GatewayParts, Metric } from "./ports.ts";
import type { Usage } from "./versions.ts";

/**
 * `/metrics`: what Prometheus scrapes (text format 0.0.4). Open to this machine on a loopback host, as the console is;
 * everybody else needs the scope `metrics:read`.
 */
export function addMetrics(
  app: FastifyInstance,
  { settings, metrics, version, name }: GatewayParts,
  gate: Gate,
  usage: Usage,
  answered: Answered,
): void {
  const isOpen = settings.console === "on" && isLoopback(settings.host);
  app.get(
    "/metrics",
    {
      config: { path: "/metrics", quiet: true },
      exposeHeadRoute: false,
      onRequest: (request) =>
        enter(request, gate, isOpen && isLocal(request) ? "public" : "metrics:read", "The metrics"),
    },
    async (_request, reply) =>
      reply
        .header("cache-control", "no-store")
        .type("text/plain; version=0.0.4; charset=utf-8")
        .send(
          toPrometheus([...ofProcess(name, version), answered.metric(), ofVersions(usage), ...(metrics?.() ?? [])]),
        ),
  );
}

/** Writes metrics as Prometheus reads them. */
export function toPrometheus(metrics: readonly Metric[]): string {
  return metrics
    .map(({ name, help, type, samples }) => {
      const lines = samples.map(
        ({ suffix = "", labels = {}, value }) => `${name}${suffix}${inBraces(labels)} ${value}`,
      );
      return [`# HELP ${name} ${help.replaceAll("\\", "\\\\")}`, `# TYPE ${name} ${type}`, ...lines, ""].join("\n");
    })
    .join("");
}

function inBraces(labels: { readonly [label: string]: string }): string {
  const pairs = Object.entries(labels).map(([label, value]) => `${label}="${escaped(value)}"`);
  return pairs.length > 0 ? `{${pairs.join(",")}}` : "";
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

/** Requests that were answered. */
export interface Answered {
  count(method: string, route: string, status: number): void;
  metric(): Metric;
}

/** Counts by route as declared, never by path as asked, so that what somebody asks for makes no new line. */
export function countAnswers(): Answered {
  const counts = new Map<string, { readonly labels: { readonly [label: string]: string }; value: number }>();
  return {
    count(method, route, status) {
      const key = `${method} ${route} ${status}`;
      const count = counts.get(key);
      if (count) count.value += 1;
      else counts.set(key, { labels: { method, route, status: String(status) }, value: 1 });
    },
    metric: () => ({
      name: "trilith_requests_total",
      help: "Requests that were answered, by route and status.",
      type: "counter",
      samples: [...counts.values()],
    }),
  };
}

const ofVersions = (usage: Usage): Metric => ({
  name: "trilith_contract_calls_total",
  help: "Calls from outside that were let in, by contract, version and caller.",
  type: "counter",
  samples: usage.calls.map(({ calls, ...labels }) => ({ labels: { ...labels }, value: calls })),
});

function ofProcess(name: string, version: string): readonly Metric[] {
  const { user, system } = process.cpuUsage();
  return [
    {
      name: "trilith_info",
      help: "What runs here.",
      type: "gauge",
      samples: [{ labels: { name, version }, value: 1 }],
    },
    {
      name: "process_start_time_seconds",
      help: "When the process began, in seconds since 1970.",
      type: "gauge",
      samples: [{ value: performance.timeOrigin / 1_000 }],
    },
    {
      name: "process_cpu_seconds_total",
      help: "Time that the process has computed.",
      type: "counter",
      samples: [{ value: (user + system) / 1e6 }],
    },
    {
      name: "process_resident_memory_bytes",
      help: "Memory that the process holds.",
      type: "gauge",
      samples: [{ value: process.memoryUsage.rss() }],
    },
  ];
}
