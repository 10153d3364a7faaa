import { backend } from "trilith";
import { openSqlite } from "trilith/sqlite";
import { store } from "trilith/storage";
import type { Open, Place } from "../frame/subject.ts";
import { quiet } from "../frame/trilith-settings.ts";
import { called } from "./called.ts";
import { add, Sums } from "./operation.ts";
import { served } from "./served.ts";

export { version } from "../storage/trilith-sqlite.ts";
export const works: { readonly [work: string]: Open } = {
  "operation-call": async (place) => {
    const running = await start(place);
    const client = running.client(Sums);
    return called(
      (asked) => client.add(asked),
      () => running.stop(),
    );
  },
  "operation-http": async (place) => {
    const running = await start(place);
    return served(running.url, () => running.stop());
  },
};

const sums = store(Sums, {}, { add: async (asked) => add(asked) });

const start = async ({ folder }: Place) =>
  backend("bench", { storage: [sums] }).start({ engine: await openSqlite({ folder }), environment: quiet });
