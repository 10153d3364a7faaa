/** What the ledger knows about one payment; a fold of its entries. */
export interface Payment {
  readonly chargedCents: number;
  readonly refundedCents: number;
  /** Refunded before it was ever charged: a charge that still comes is refused. */
  readonly tombstone: boolean;
  readonly card: string | undefined;
  readonly chargeAttempts: number;
  readonly refundAttempts: number;
}

/** One attempt and what came of it. The only thing that is ever written. */
export type Entry = ChargeEntry | RefundEntry;

export interface ChargeEntry {
  readonly kind: "charge";
  readonly payment: string;
  /** A fingerprint, so that the ledger holds no card number. */
  readonly card: string;
  readonly cents: number;
  readonly outcome: "charged" | "already charged" | "refused: tombstone" | "refused: refunded" | "refused: different";
}

export interface RefundEntry {
  readonly kind: "refund";
  readonly payment: string;
  readonly outcome: "refunded" | "already refunded" | "tombstone";
}

export const unseen: Payment = {
  chargedCents: 0,
  refundedCents: 0,
  tombstone: false,
  card: undefined,
  chargeAttempts: 0,
  refundAttempts: 0,
};

/** A payment is charged once, whoever repeats it; the same id for something else is a mistake and is refused. */
export function decideCharge(payment: Payment, card: string, cents: number): ChargeEntry["outcome"] {
  if (payment.tombstone) return "refused: tombstone";
  if (payment.chargedCents === 0) return "charged";
  if (payment.card !== card || payment.chargedCents !== cents) return "refused: different";
  // 204 would say that the customer has paid, which is no longer so.
  if (payment.refundedCents > 0) return "refused: refunded";
  return "already charged";
}

export function decideRefund(payment: Payment): RefundEntry["outcome"] {
  if (payment.chargedCents === 0) return "tombstone";
  return payment.refundedCents > 0 ? "already refunded" : "refunded";
}

export function evolve(payment: Payment, entry: Entry): Payment {
  if (entry.kind === "charge") {
    const { card, cents } = entry;
    const seen = { ...payment, chargeAttempts: payment.chargeAttempts + 1 };
    return entry.outcome === "charged" ? { ...seen, card, chargedCents: cents } : seen;
  }
  const seen = { ...payment, refundAttempts: payment.refundAttempts + 1 };
  if (entry.outcome === "refunded") return { ...seen, refundedCents: payment.chargedCents };
  return entry.outcome === "tombstone" ? { ...seen, tombstone: true } : seen;
}
