import { commandLine } from "./command-line.ts";
import { BadRequest, type Call, json, problem, type Reply } from "./http.ts";
import { openLedger } from "./ledger.ts";
import type { Payment } from "./payment.ts";
import { serve } from "./serve.ts";

const ledger = await openLedger(commandLine().data);

await serve({
  name: "payments",
  behaviour: {
    latency: "10..60",
    errors: 0.1,
    faults: ["unavailable", "unavailable-after-work", "reset-after-work", "slow"],
  },
  routes: {
    "POST /charge": async (call) => {
      const { payment, card, amount } = await bodyOf(call);
      const id = idOf(payment);
      return toReply(id, await ledger.charge(id, cardOf(card), centsOf(amount)));
    },
    "POST /refund": async (call) => {
      const id = idOf((await bodyOf(call)).payment);
      return toReply(id, await ledger.refund(id));
    },
  },
  operator: {
    "GET /ledger": async () => {
      const payments = [...(await ledger.payments())];
      return json({ payments: payments.map(([payment, { card: _, ...known }]) => ({ payment, ...known })) });
    },
    "GET /ledger/totals": async () => json(totalsOf([...(await ledger.payments()).values()])),
  },
  close: () => ledger.close(),
});

function toReply(payment: string, outcome: string): Reply {
  const refused = refusals[outcome];
  return refused ? problem(409, refused.type, refused.title, refused.detail(payment)) : { status: 204 };
}

const refusals: Record<string, { type: string; title: string; detail: (payment: string) => string }> = {
  "refused: tombstone": {
    type: "payment-voided",
    title: "The payment was voided",
    detail: (payment) => `Payment ${payment} was refunded before it was charged, so it cannot be charged any more.`,
  },
  "refused: refunded": {
    type: "payment-refunded",
    title: "The payment was refunded",
    detail: (payment) => `Payment ${payment} was charged and refunded. Use a new payment id to charge again.`,
  },
  "refused: different": {
    type: "payment-differs",
    title: "The payment exists and differs",
    detail: (payment) => `Payment ${payment} was already charged, with another amount or another card.`,
  },
};

function totalsOf(payments: readonly Payment[]): Record<string, number> {
  const sum = (of: (payment: Payment) => number) => payments.reduce((total, payment) => total + of(payment), 0);
  return {
    payments: payments.length,
    charged: sum(({ chargedCents }) => Number(chargedCents > 0)),
    refunded: sum(({ refundedCents }) => Number(refundedCents > 0)),
    tombstones: sum(({ tombstone }) => Number(tombstone)),
    chargedCents: sum(({ chargedCents }) => chargedCents),
    refundedCents: sum(({ refundedCents }) => refundedCents),
    chargeAttempts: sum(({ chargeAttempts }) => chargeAttempts),
    refundAttempts: sum(({ refundAttempts }) => refundAttempts),
  };
}

async function bodyOf(call: Call): Promise<Record<string, unknown>> {
  const body = await call.json();
  if (typeof body !== "object" || body === null) throw new BadRequest("The body must be a JSON object.");
  return body as Record<string, unknown>;
}

function idOf(payment: unknown): string {
  if (typeof payment === "string" && /^[\w.-]{1,64}$/.test(payment)) return payment;
  throw new BadRequest('"payment" must be an id of 1 to 64 letters, digits, dots, dashes or underscores.');
}

function cardOf(card: unknown): string {
  if (typeof card === "string" && card.trim() !== "" && card.length <= 64) return card;
  throw new BadRequest('"card" must be text of 1 to 64 characters.');
}

/** Dollars as a JSON number become whole cents, here and nowhere else. */
function centsOf(amount: unknown): number {
  const cents = typeof amount === "number" ? Math.round(amount * 100) : 0;
  const exact = Math.abs(Number(amount) * 100 - cents) < 1e-6;
  if (cents > 0 && cents <= 10_000_000 && exact) return cents;
  throw new BadRequest('"amount" must be dollars above 0 and at most 100000, with no more than two decimals.');
}
