/**
 * The same operations as GraphQL: a schema out of the contracts, answered through the same dispatch. Needs the packages
 * `graphql` and `graphql-yoga`, so it is loaded only where a backend asks for it. May import contracts, telemetry and
 * the gateway's own folder. Start with route.ts, then schema.ts.
 */
export { addGraphql, type GraphqlOptions } from "./route.ts";
