import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { launchUpstreams } from "../../examples/trips/upstreams/launch.ts";
import { openPostgres } from "../../src/engines/postgres/index.ts";
import { Draws, toRunId } from "../../src/orchestration/journal/identity.ts";
import { nodeRows, runRows } from "../../src/runtime/run-collections.ts";
import { startPostgres } from "../postgres.ts";
import { Adoptions } from "./adoptions.ts";
import { type NodeProcess, startNodeProcess } from "./processes.ts";
import { judge } from "./verdict.ts";

export interface Chaos {
  readonly folder: string;
  readonly seconds: number;
  readonly runs: number;
  readonly seed: number;
  readonly leaseMs: number;
}
export interface Aftermath {
  readonly runs: number;
  readonly done: number;
  readonly undone: number;
  readonly kills: number;
  readonly freezes: number;
  readonly restartsOfPostgres: number;
  /** How long after it was killed or frozen a node's runs were all somebody else's, while PostgreSQL was there. */
  readonly adoptionMs: { readonly count: number; readonly median: number; readonly longest: number };
  readonly violations: readonly string[];
}
export interface Order {
  readonly order: string;
  readonly shelf: string;
  readonly how: "plain" | "refused" | "signalled" | "ignored";
  readonly pauseMs: number;
}

const nodes = 3;
const callers = 40;
const restartEveryMs = 10_000;

/** Three nodes on one PostgreSQL, all of which are killed, held and started again while runs are under way; and then the books. */
export async function chaos({ folder, seconds, runs, seed, leaseMs }: Chaos): Promise<Aftermath> {
  await mkdir(folder, { recursive: true });
  const chance = new Draws(String(seed), "chaos");
  await using ends = new AsyncDisposableStack();
  const postgres = await startPostgres();
  ends.defer(() => postgres.remove());
  const behaviour = { all: { mode: "up", errors: 0.03, latency: "1..15" } } as const;
  const upstreams = ends.use(await launchUpstreams({ data: folder, quiet: true, seed, only: ["payments"], behaviour }));
  const environment = {
    TRILITH_POSTGRES: postgres.url,
    TRILITH_REMOTE_PAYMENTS_URL: upstreams.urls.payments,
    TRILITH_LEASE: `${leaseMs}ms`,
    TRILITH_DATA: folder,
    TRILITH_LOG: process.env.CHAOS_LOG ?? "fatal",
    TRILITH_CONSOLE: "off",
  };
  const fleet: NodeProcess[] = [];
  ends.defer(async () => void (await Promise.all(fleet.map((node) => node.end()))));
  for (let n = 0; n < nodes; n++) fleet.push(await startNodeProcess(environment));

  const engine = await openPostgres({ url: postgres.url, connections: 2 });
  ends.defer(() => engine.close());
  for (const collection of [runRows, nodeRows]) await engine.define(collection);
  const adoptions = new Adoptions(engine);

  const orders: Order[] = Array.from({ length: runs }, (_, n) => ({
    order: randomUUID(),
    shelf: `shelf-${n % 50}`,
    how: (["plain", "refused", "signalled", "ignored"] as const)[Math.floor(chance.random() * 4)] ?? "plain",
    pauseMs: Math.floor(chance.random() * 2_500),
  }));
  const began = performance.now();
  const caller = async (_: unknown, number: number): Promise<void> => {
    for (let n = number; n < orders.length; n += callers) {
      // Spread over the time of the fire, so that there is always something under way.
      await pause(Math.max(0, began + (n / orders.length) * seconds * 1_000 - performance.now()));
      await begin(fleet, orders[n] as Order, chance);
    }
  };
  const calling = Promise.all(Array.from({ length: callers }, caller));
  let [kills, freezes, restartsOfPostgres] = [0, 0, 0];
  const fire = async (): Promise<void> => {
    for (let next = began + 1_500; performance.now() - began < seconds * 1_000; ) {
      await pause(Math.max(0, next - performance.now()));
      next = performance.now() + leaseMs * (0.5 + chance.random());
      const able = fleet.filter(({ url, isStopped }) => url !== undefined && !isStopped);
      if (able.length < 2) continue; // one is left alone, or nothing would be under way
      const node = able[Math.floor(chance.random() * able.length)] as NodeProcess;
      adoptions.struck();
      if (chance.random() < 0.5) {
        kills++;
        node.kill();
      } else {
        freezes++;
        setTimeout(node.freeze(), leaseMs * (1.5 + chance.random()));
      }
    }
  };
  const shake = async (): Promise<void> => {
    while (performance.now() - began + restartEveryMs / 2 < seconds * 1_000) {
      await pause(restartsOfPostgres === 0 ? restartEveryMs / 2 : restartEveryMs);
      restartsOfPostgres++;
      adoptions.disturbed();
      await postgres.stop(chance.random() < 0.5 ? "fast" : "kill");
      await postgres.start();
      adoptions.disturbed();
    }
  };
  await Promise.all([calling, fire(), shake()]);
  const ended = await settled(fleet, orders, chance);
  const verdict = await judge(engine, upstreams.urls.payments, orders, ended);
  return { runs, kills, freezes, restartsOfPostgres, adoptionMs: await adoptions.end(), ...verdict };
}

/** The run that an order's key stands for. */
export const runOf = ({ order }: Order): string => toRunId("anonymous", "orders.place", order);

const some = (fleet: readonly NodeProcess[], chance: Draws): string => {
  const urls = fleet.map(({ url }) => url).filter((url) => url !== undefined);
  return urls[Math.floor(chance.random() * urls.length)] ?? "http://127.0.0.1:9";
};

/** Asks one node after the other, with the same key, until one says that it has begun the run; and tells it what it waits for. */
async function begin(fleet: readonly NodeProcess[], order: Order, chance: Draws): Promise<void> {
  const headers = { "content-type": "application/json", "idempotency-key": order.order, prefer: "wait=0" };
  const place = { method: "POST", headers, body: JSON.stringify(order) };
  expectOk(await untilAnswered(() => `${some(fleet, chance)}/orders`, place));
  if (order.how !== "signalled") return;
  await pause(chance.random() * 1_000);
  const want = { method: "POST", headers, body: JSON.stringify({ by: "chaos" }) };
  expectOk(await untilAnswered(() => `${some(fleet, chance)}/runs/${runOf(order)}/signals/wanted`, want));
}

function expectOk({ status, url }: Response): void {
  if (status >= 400 && status !== 409) throw new Error(`${url} is answered with ${status}.`); // 409: it has failed already
}

/** A node that is away, held or without its database is no answer. */
async function untilAnswered(url: () => string, request: RequestInit): Promise<Response> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(url(), { ...request, signal: AbortSignal.timeout(1_500) }).catch(() => undefined);
    if (answer && answer.status < 500) return answer;
    if (answer && answer.status === 500) throw new Error(await answer.text());
    await pause(100);
  }
  throw new Error(`${request.method} ${url()} is not answered.`);
}

/** Asks after each run until it has ended: its state, or why it has not. */
async function settled(
  fleet: readonly NodeProcess[],
  orders: readonly Order[],
  chance: Draws,
): Promise<Map<string, string>> {
  const states = new Map<string, string>();
  const end = performance.now() + 60_000;
  for (const order of orders) {
    for (let state = ""; ; await pause(100)) {
      const answer = await untilAnswered(() => `${some(fleet, chance)}/runs/${runOf(order)}`, { method: "GET" });
      const body = (await answer.json()) as { readonly state?: string; readonly reason?: string };
      state = answer.ok ? (body.state ?? "") : `answered ${answer.status}`;
      states.set(order.order, body.reason ? `${state}: ${body.reason}` : state);
      if (state === "done" || state === "failed" || performance.now() > end) break;
    }
  }
  return states;
}
