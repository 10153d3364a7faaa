import { Wrong } from "../frame/subject.ts";

/** What is appended: a booking such as many systems have, about 100 bytes of JSON unless it is asked to be larger. */
export interface Booked {
  readonly booking: string;
  readonly flight: string;
  readonly traveller: string;
  readonly amount: number;
  readonly remarks?: string;
}

export function toBooked(client: number, number: number, bytes = 0): Booked {
  const booked = { booking: `${client}-${number}`, flight: "SK1423", traveller: "Ada Lovelace", amount: 129.5 };
  return bytes > 100 ? { ...booked, remarks: "a window seat, ".repeat(bytes / 15).slice(0, bytes - 100) } : booked;
}

/** Who wrote it and as which; throws a `Wrong` where it is not as it was written. */
export function fromBooked(there: Booked, bytes = 0): readonly [client: number, number: number] {
  const [client = -1, number = -1] = there.booking.split("-").map(Number);
  const { flight, traveller, amount, remarks } = toBooked(client, number, bytes);
  if (there.flight !== flight || there.traveller !== traveller || there.amount !== amount || there.remarks !== remarks)
    throw new Wrong(`The booking ${there.booking} is not as it was written: ${JSON.stringify(there).slice(0, 200)}`);
  return [client, number];
}

/** What read models are rebuilt from: movements of 10,000 accounts, in no order that a page could profit from. */
export interface Deposited {
  readonly account: string;
  readonly amount: number;
}
export const accounts = 10_000;
export const toDeposited = (index: number): Deposited => ({
  account: `account-${(index * 7_919) % accounts}`,
  amount: index % 100,
});

/** The rows that so many movements come to. */
export function toBalances(events: number): ReadonlyMap<string, { readonly balance: number; readonly count: number }> {
  const rows = new Map<string, { balance: number; count: number }>();
  for (let index = 0; index < events; index++) {
    const { account, amount } = toDeposited(index);
    const row = rows.get(account) ?? { balance: 0, count: 0 };
    rows.set(account, { balance: row.balance + amount, count: row.count + 1 });
  }
  return rows;
}
/** Each of the accounts, to look into after a rebuild. */
export const everyAccount: readonly string[] = Array.from(
  { length: accounts },
  (_, index) => toDeposited(index).account,
);
