import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchUpstreams, type Upstreams } from "./launch.ts";
import { wellBehaved } from "./settings.ts";

let folder: string;
let upstreams: Upstreams<"payments">;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "payments-"));
  upstreams = await launchUpstreams({ data: folder, only: ["payments"], behaviour: { all: wellBehaved } });
});
afterAll(async () => {
  await upstreams.stop();
  await rm(folder, { recursive: true });
});

const post = (path: string, body: unknown) =>
  fetch(upstreams.urls.payments + path, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": "any" },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const charge = (payment: string, amount = 245.37, card = "4242") => post("/charge", { payment, card, amount });
const refund = (payment: string) => post("/refund", { payment });
const get = async (path: string): Promise<any> => (await fetch(upstreams.urls.payments + path)).json();
const known = async (payment: string) =>
  (await get("/ledger")).payments.find((one: { payment: string }) => one.payment === payment);

describe("payments", () => {
  test("charges once, however often it is asked", async () => {
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => charge("often")));
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204, 204, 204]);
    expect(await known("often")).toEqual({
      payment: "often",
      chargedCents: 24_537,
      refundedCents: 0,
      tombstone: false,
      chargeAttempts: 5,
      refundAttempts: 0,
    });
  });

  test("refuses the same payment with another amount or another card", async () => {
    await charge("different");
    const answer = await charge("different", 1);
    expect(answer.status).toBe(409);
    expect(answer.headers.get("content-type")).toMatch("application/problem+json");
    expect(await answer.json()).toEqual({
      type: "/problems/payment-differs",
      title: "The payment exists and differs",
      status: 409,
      detail: "Payment different was already charged, with another amount or another card.",
    });
    expect((await charge("different", 245.37, "5555")).status).toBe(409);
    expect(await known("different")).toMatchObject({ chargedCents: 24_537 });
  });

  test("refunds once, and does not charge again after that", async () => {
    await charge("refunded");
    expect([(await refund("refunded")).status, (await refund("refunded")).status]).toEqual([204, 204]);
    expect((await charge("refunded")).status).toBe(409);
    expect(await known("refunded")).toMatchObject({ chargedCents: 24_537, refundedCents: 24_537, refundAttempts: 2 });
  });

  test("remembers the refund of a payment never seen, and refuses the charge that comes late", async () => {
    expect((await refund("early")).status).toBe(204);
    const late = await charge("early");
    expect(late.status).toBe(409);
    expect(await late.json()).toMatchObject({ type: "/problems/payment-voided", status: 409 });
    expect(await known("early")).toMatchObject({ tombstone: true, chargedCents: 0, chargeAttempts: 1 });
  });

  test.each([
    ["no JSON", "{"],
    ["no object", "null"],
    ["no payment", { card: "4242", amount: 1 }],
    ["a payment that is no id", { payment: "a b", card: "4242", amount: 1 }],
    ["no card", { payment: "p", amount: 1 }],
    ["an amount as text", { payment: "p", card: "4242", amount: "1" }],
    ["an amount of nothing", { payment: "p", card: "4242", amount: 0 }],
    ["a negative amount", { payment: "p", card: "4242", amount: -5 }],
    ["a fraction of a cent", { payment: "p", card: "4242", amount: 1.005 }],
  ])("refuses %s with a 400 problem", async (_, body) => {
    const answer = await post("/charge", body);
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ status: 400, title: "Bad request" });
  });

  test.each(["unavailable-after-work", "reset-after-work"] as const)(
    "may have charged although it says: %s",
    async (fault) => {
      await upstreams.control("payments", { next: [fault] });
      const outcome = await charge(fault).then(
        ({ status }) => status,
        () => "reset",
      );
      expect(outcome).toBe(fault === "reset-after-work" ? "reset" : 503);
      expect(await known(fault)).toMatchObject({ chargedCents: 24_537, chargeAttempts: 1 });
      expect((await charge(fault)).status).toBe(204);
      expect(await known(fault)).toMatchObject({ chargedCents: 24_537, chargeAttempts: 2 });
    },
  );

  test("charges before a slow answer, not after it", async () => {
    await upstreams.control("payments", { next: ["slow"] });
    const slow = charge("slow");
    await expect.poll(() => known("slow")).toMatchObject({ chargedCents: 24_537 });
    expect((await slow).status).toBe(204);
  });

  test("does nothing for a caller who left before the work began", async () => {
    await upstreams.control("payments", { latency: "300..300" });
    const body = JSON.stringify({ payment: "left", card: "4242", amount: 1 });
    const left = fetch(`${upstreams.urls.payments}/charge`, { method: "POST", body, signal: AbortSignal.timeout(50) });
    await expect(left).rejects.toThrow();
    expect((await charge("stayed")).status).toBe(204);
    await upstreams.control("payments", { latency: "0..0" });
    expect(await known("left")).toBeUndefined();
  });
});

describe("the ledger", () => {
  test("survives the death of the service, and a line that the death tore", async () => {
    await charge("kept");
    await refund("voided");
    const [ledger, totals] = [await get("/ledger"), await get("/ledger/totals")];
    await appendFile(join(folder, "payments.ledger.jsonl"), '{"kind":"charge","payment":"to');
    await upstreams.restart("payments", "SIGKILL");
    expect(await get("/ledger")).toEqual(ledger);
    expect(await get("/ledger/totals")).toEqual(totals);
    expect((await charge("voided")).status).toBe(409);
    await charge("after the crash".replaceAll(" ", "-"));
    await upstreams.restart("payments");
    expect(await known("after-the-crash")).toMatchObject({ chargedCents: 24_537 });
  });

  test("holds every charge that was answered when the service is killed in the middle of them", async () => {
    const crowd = Array.from({ length: 200 }, (_, index) => `crowd-${index}`);
    const charges = crowd.map((payment) =>
      charge(payment).then(
        ({ status }) => status === 204,
        () => false,
      ),
    );
    await charges[0];
    await upstreams.restart("payments", "SIGKILL");
    const answered = await Promise.all(charges);
    const { payments } = await get("/ledger");
    const held = new Set(payments.map(({ payment }: { payment: string }) => payment));
    expect(crowd.filter((payment, index) => answered[index] && !held.has(payment))).toEqual([]);
  });

  test("holds no card number", async () => {
    await charge("private", 10, "4000-0000-0000-0002");
    expect(await readFile(join(folder, "payments.ledger.jsonl"), "utf8")).not.toMatch("4000-0000");
  });

  test("adds up to whole cents", async () => {
    const before = await get("/ledger/totals");
    await Promise.all([charge("sum-1", 0.1), charge("sum-2", 0.2), charge("sum-3", 19.99)]);
    await refund("sum-3");
    const after = await get("/ledger/totals");
    expect(after.chargedCents - before.chargedCents).toBe(2_029);
    expect(after.refundedCents - before.refundedCents).toBe(1_999);
  });
});
