import { Draws } from "../../src/orchestration/journal/identity.ts";
import type { Engine } from "../../src/storage/host.ts";
import { type Order, runOf } from "./chaos.ts";

interface Payment {
  readonly payment: string;
  readonly chargedCents: number;
  readonly refundedCents: number;
}

/** Holds the log of the store and the payment service's books against how the runs ended. */
export async function judge(
  engine: Engine,
  payments: string,
  orders: readonly Order[],
  ended: ReadonlyMap<string, string>,
): Promise<{ readonly done: number; readonly undone: number; readonly violations: readonly string[] }> {
  const { payments: books } = (await (await fetch(`${payments}/ledger`)).json()) as { payments: readonly Payment[] };
  const ledger = new Map(books.map((payment) => [payment.payment, payment]));
  const effects = await effectsOf(engine);
  const violations: string[] = [];
  let done = 0;
  for (const order of orders) {
    const run = runOf(order);
    const state = ended.get(order.order) ?? "lost";
    const what = `order ${order.order} (run ${run}, ${order.how}, ${state})`;
    const count = (type: string): number => effects.get(`${type} ${order.order}`) ?? 0;
    const [taken, givenBack, kept] = [count("Taken"), count("GivenBack"), count("Kept")];
    // How it ends is said by the order, whatever happens to the nodes: a fault that is taken for an answer would end it otherwise.
    const expected = order.how === "refused" || order.how === "ignored" ? "failed" : "done";
    if ((state === "done" || state === "failed") && state !== expected)
      violations.push(`${what} should be ${expected}: ${await storyOf(engine, run)}`);
    const payment = new Draws(run, "").uuid(); // the workflow's first draw
    const { chargedCents = 0, refundedCents = 0 } = ledger.get(payment) ?? {};
    ledger.delete(payment);
    if (state === "done") {
      done++;
      if (taken !== 1 || kept !== 1 || givenBack !== 0)
        violations.push(`${what} has ${taken} taken, ${kept} kept, ${givenBack} given back`);
      if (chargedCents - refundedCents !== 500)
        violations.push(`${what} has paid ${chargedCents - refundedCents} cents`);
    } else if (state === "failed") {
      if (taken > 1 || kept !== 0 || givenBack !== taken)
        violations.push(`${what} has ${taken} taken, ${kept} kept, ${givenBack} given back`);
      if (chargedCents !== refundedCents) violations.push(`${what} has paid ${chargedCents - refundedCents} cents`);
    } else violations.push(`${what} has not come to its end: ${await storyOf(engine, run)}`);
  }
  for (const { payment, chargedCents, refundedCents } of ledger.values())
    if (chargedCents !== refundedCents) violations.push(`payment ${payment} belongs to no order`);
  return { done, undone: orders.length - done, violations };
}

/** Everything that is known of a run, for whoever has to find out why. */
async function storyOf(engine: Engine, run: string): Promise<string> {
  const [row] = await engine.find("run", { key: run, limit: 1 });
  const told = await engine.read("runs", { stream: `inbox/${run}`, from: 0, limit: 100 });
  const entries = await engine.read("runs", { stream: `run/${run}`, from: 0, limit: 100 });
  const lines = [...entries, ...told].map(({ data, position }) => `${position} ${data}`);
  return [JSON.stringify(row?.data), ...lines].join("\n");
}

/** How often each thing was done for each order, as the log has it. */
async function effectsOf(engine: Engine): Promise<ReadonlyMap<string, number>> {
  const effects = new Map<string, number>();
  for (let after = 0; ; ) {
    const page = await engine.read("main", { after, limit: 500 });
    const last = page.at(-1);
    if (!last) return effects;
    after = last.position;
    for (const { type, data } of page) {
      const key = `${type.slice(type.indexOf(".") + 1)} ${(JSON.parse(data) as { readonly order: string }).order}`;
      effects.set(key, (effects.get(key) ?? 0) + 1);
    }
  }
}
