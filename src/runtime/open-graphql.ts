import type { GraphqlOptions } from "../gateway/graphql/index.ts";
import type { GatewayParts } from "../gateway/index.ts";

/** Loads what answers GraphQL, for a backend that asks for it. */
export async function openGraphql(options: GraphqlOptions): Promise<NonNullable<GatewayParts["beside"]>> {
  for (const [name, limit] of [
    ["depth", options.depth],
    ["cost", options.cost],
  ] as const) {
    if (!Number.isSafeInteger(limit) || limit < 1)
      throw new TypeError(`The backend's \`graphql\` has ${name} ${limit}; give a whole number from 1 on.`);
  }
  const { addGraphql } = await load();
  return (app, parts, gate) => addGraphql(app, parts, gate, options);
}

// Loaded only where it is used, for its packages are installed by those alone who use it.
async function load(): Promise<typeof import("../gateway/graphql/index.ts")> {
  try {
    return await import("../gateway/graphql/index.ts");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "ERR_MODULE_NOT_FOUND" || !/'graphql(-yoga)?'/.test(message)) throw error;
    throw new Error(
      "The backend asks for a GraphQL endpoint, and its packages are not installed. Install them beside trilith: npm install graphql@17 graphql-yoga@5",
      { cause: error },
    );
  }
}
