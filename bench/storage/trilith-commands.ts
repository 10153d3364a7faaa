import { backend } from "trilith";
import { command, contract, event, query } from "trilith/contracts";
import { entity, store } from "trilith/storage";
import { z } from "zod";
import { closedLoop } from "../frame/closed-loop.ts";
import { expectEqual, type Subject, Wrong } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import { accounts } from "./events.ts";
import type { Engine } from "./trilith.ts";

const Account = z.object({ account: z.string() });
const Balance = z.object({ balance: z.number() });
const Accounts = contract("accounts", "1.0.0", {
  deposit: command({ input: Account, output: Balance }),
  state: query({ input: Account, output: Balance }),
  Deposited: event(Account),
});
const entities = entity("account", {
  events: Accounts,
  state: Balance,
  initial: { balance: 0 },
  evolve: { Deposited: ({ balance }) => ({ balance: balance + 1 }) },
});
const accountStore = store(
  Accounts,
  { entities },
  {
    deposit: ({ account }, { entities }) => entities(account).decide((_, { Deposited }) => Deposited({ account })),
    state: async ({ account }, { entities }) => (await entities(account).state()) ?? { balance: 0 },
  },
);

/** Commands to 10,000 entities, each of which decides over its state and appends: through a backend's own client. */
export async function commands(engine: Engine): Promise<Subject> {
  const running = await backend("bench", { storage: [accountStore] }).start({ engine, environment: quiet });
  const client = running.client(Accounts);
  const done = new Array<number>(accounts).fill(0);
  const deposit = async (index: number): Promise<void> => {
    const before = done[index] ?? 0;
    const { balance } = await client.deposit({ account: `a-${index}` });
    if (balance <= before) throw new Wrong(`The account ${index} has ${balance}, and had ${before} before.`);
    done[index] = (done[index] ?? 0) + 1;
  };
  // Hot entities are asked for: in a short round nearly all commands would be the first ones of their entities.
  let next = 0;
  await Promise.all(
    Array.from({ length: 128 }, async () => {
      while (next < accounts) await deposit(next++);
    }),
  );
  return {
    round: (asked) => closedLoop(asked, () => deposit(Math.floor(Math.random() * accounts)).then(() => 1)),
    async verify() {
      for (const [index, expected] of done.entries()) {
        if (index % 97 !== 0) continue;
        const { balance } = await client.state({ account: `a-${index}` });
        expectEqual(balance, expected, `The balance of the account ${index}`);
      }
      const { position } = await engine.head("main");
      expectEqual(
        position,
        done.reduce((sum, one) => sum + one, 0),
        "The log's last position",
      );
    },
    close: () => running.stop(),
  };
}
