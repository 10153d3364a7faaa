import { fastify } from "fastify";
import { toJsonSchema } from "trilith/contracts";
import type { Open } from "../frame/subject.ts";
import { versionOf } from "../frame/version.ts";
import { add, Sums, type toAsked } from "./operation.ts";
import { served } from "./served.ts";

/** Fastify alone, with the same schema: for what comes in, and for what goes out, as its documentation recommends for speed. */
export const version = (): Promise<string> => versionOf("fastify");
export const works: { readonly [work: string]: Open } = {
  "operation-http": async () => {
    const app = fastify();
    const { note, ...numbers } = propertiesOf(toJsonSchema(Sums.add.input));
    const response = { 200: { type: "object", properties: propertiesOf(toJsonSchema(Sums.add.output)) } };
    const schema = {
      params: { type: "object", properties: numbers, required: Object.keys(numbers) },
      querystring: { type: "object", properties: { note }, required: ["note"], additionalProperties: false },
      response,
    };
    type Route = { Params: { left: number; right: number }; Querystring: Pick<ReturnType<typeof toAsked>, "note"> };
    app.get<Route>("/sums/:left/:right", { schema }, async ({ params, query }) => add({ ...params, ...query }));
    const origin = await app.listen({ host: "127.0.0.1", port: 0 });
    return served(origin, () => app.close());
  },
};

const propertiesOf = (schema: { readonly [keyword: string]: unknown }) =>
  schema.properties as { readonly [name: string]: unknown }; // both are objects, see operation.ts
