// The backend of source-secrets.test.ts and hostile-rounds.test.ts, whose sources are asked with secrets: in `authorization`, in a header, in the query, and for many at once.
import { backend } from "trilith";
import { json, prefer, source, view } from "trilith/aggregation";
import { contract, query } from "trilith/contracts";
import { z } from "zod";

const Way = z.object({ way: z.string() });
const output = z.object({
  bearer: z.string().optional(),
  header: z.string().optional(),
  queried: z.string().optional(),
  batched: z.string().optional(),
  list: z.array(z.object({ id: z.string() })).optional(),
});
const Asked = contract("asked", "1.0.0", {
  page: query({ input: Way, output, http: "GET /asked/{way}", access: "public" }),
  needed: query({ input: Way, output: z.object({ needed: z.string() }), http: "GET /needed/{way}", access: "public" }),
});
const Said = z.object({ said: z.string() });
const fails = { attempts: 2, timeout: "400ms", breaker: false, redirects: 1, staleIfError: "10m" } as const;
const shape = ({ said }: z.output<typeof Said>) => said;

const bearer = source("bearer", {
  get: json("http://127.0.0.1:1/bearer/{way}", Said),
  shape: (answer) => ({ bearer: shape(answer) }),
  ...fails,
});
const header = source("header", {
  get: json("http://127.0.0.1:1/header/{way}", Said),
  shape: (answer) => ({ header: shape(answer) }),
  tokenIn: "x-api-key",
  ...fails,
});
const queried = source("queried", {
  get: json("http://127.0.0.1:1/queried/{way}", Said),
  shape: (answer) => ({ queried: shape(answer) }),
  tokenIn: "?api_key",
  ...fails,
});
const batched = source("batched", {
  batch: json("http://127.0.0.1:1/batched/any?way={way}", z.array(Said.extend({ way: z.string() }))),
  match: "way",
  shape: (answer) => ({ batched: shape(answer) }),
  tokenIn: "?api_key",
  ...fails,
});
const list = source("list", {
  get: json("http://127.0.0.1:1/list/{way}", z.array(z.object({ id: z.string() }))),
  shape: (items) => ({ list: items }),
  tokenIn: "?api_key",
  ...fails,
});
const needed = source("needed", {
  get: json("http://127.0.0.1:1/needed/{way}", Said),
  shape: (answer) => ({ needed: shape(answer) }),
  tokenIn: "?api_key",
  ...fails,
});

const running = await backend("asked", {
  aggregation: [
    view(Asked.page, {
      budget: "1s",
      fields: {
        bearer: prefer(bearer),
        header: prefer(header),
        queried: prefer(queried),
        batched: prefer(batched),
        list: prefer(list),
      },
    }),
    view(Asked.needed, { budget: "1s", require: [needed], fields: { needed: prefer(needed) } }),
  ],
  graphql: true,
}).start();
console.log(`up at ${running.url}`);
process.once("SIGINT", () => void running.stop());
