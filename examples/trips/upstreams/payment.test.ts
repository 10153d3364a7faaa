import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideCharge, decideRefund, type Entry, evolve, type Payment, unseen } from "./payment.ts";

const attempt = fc.oneof(
  fc.record({ kind: fc.constant("charge"), card: fc.constantFrom("a", "b"), cents: fc.constantFrom(100, 250) }),
  fc.record({ kind: fc.constant("refund"), card: fc.constant(""), cents: fc.constant(0) }),
);

const entryOf = (payment: Payment, { kind, card, cents }: { kind: string; card: string; cents: number }): Entry =>
  kind === "charge"
    ? { kind: "charge", payment: "p", card, cents, outcome: decideCharge(payment, card, cents) }
    : { kind: "refund", payment: "p", outcome: decideRefund(payment) };

describe("a payment", () => {
  test("takes money at most once and gives it back at most once, whatever is asked in whatever order", () => {
    fc.assert(
      fc.property(fc.array(attempt, { maxLength: 12 }), (attempts) => {
        let payment = unseen;
        const outcomes: string[] = [];
        for (const next of attempts) {
          const entry = entryOf(payment, next);
          outcomes.push(entry.outcome);
          payment = evolve(payment, entry);
        }
        expect(outcomes.filter((outcome) => outcome === "charged").length).toBeLessThanOrEqual(1);
        expect(outcomes.filter((outcome) => outcome === "refunded").length).toBeLessThanOrEqual(1);
        expect([0, payment.chargedCents]).toContain(payment.refundedCents);
        expect(payment.chargeAttempts + payment.refundAttempts).toBe(attempts.length);
        if (attempts[0]?.kind === "refund") expect(payment).toMatchObject({ tombstone: true, chargedCents: 0 });
      }),
    );
  });

  test("refuses to be charged again once it was refunded", () => {
    const charged = evolve(unseen, { kind: "charge", payment: "p", card: "a", cents: 100, outcome: "charged" });
    const refunded = evolve(charged, { kind: "refund", payment: "p", outcome: "refunded" });
    expect(decideCharge(charged, "a", 100)).toBe("already charged");
    expect(decideCharge(refunded, "a", 100)).toBe("refused: refunded");
  });
});
