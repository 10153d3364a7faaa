import { createHash } from "node:crypto";
import { join } from "node:path";
import { openAppendOnlyFile } from "./append-only-file.ts";
import {
  type ChargeEntry,
  decideCharge,
  decideRefund,
  type Entry,
  evolve,
  type Payment,
  type RefundEntry,
  unseen,
} from "./payment.ts";

/** Every payment there ever was. What it answers is on disk. */
export interface Ledger {
  charge(payment: string, card: string, cents: number): Promise<ChargeEntry["outcome"]>;
  refund(payment: string): Promise<RefundEntry["outcome"]>;
  payments(): Promise<ReadonlyMap<string, Payment>>;
  close(): Promise<void>;
}

export async function openLedger(folder: string): Promise<Ledger> {
  const file = await openAppendOnlyFile<Entry>(join(folder, "payments.ledger.jsonl"), (error) => {
    process.stderr.write(`The payments ledger cannot be written: ${error}. The service ends; start it again.\n`);
    process.exit(1);
  });

  const payments = new Map<string, Payment>();
  const find = (payment: string) => payments.get(payment) ?? unseen;
  const apply = (entry: Entry) => payments.set(entry.payment, evolve(find(entry.payment), entry));
  file.entries.forEach(apply);

  // Decided and applied in one go, so that two requests cannot both find a payment uncharged; answered once on disk.
  const record = async <E extends Entry>(entry: E): Promise<E["outcome"]> => {
    apply(entry);
    await file.append(entry);
    return entry.outcome;
  };

  return {
    charge(payment, cardNumber, cents) {
      const card = fingerprint(cardNumber);
      return record({ kind: "charge", payment, card, cents, outcome: decideCharge(find(payment), card, cents) });
    },
    refund: (payment) => record({ kind: "refund", payment, outcome: decideRefund(find(payment)) }),
    async payments() {
      await file.flushed();
      return payments;
    },
    close: () => file.close(),
  };
}

function fingerprint(card: string): string {
  return createHash("sha256").update(card).digest("hex").slice(0, 16);
}
