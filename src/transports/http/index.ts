/**
 * HTTP as a transport: sources of views over HTTP (upstream.ts), and contracts that an outside service implements
 * (remote.ts). Both share one client with limits (client.ts). May import contracts and aggregation's inside door.
 */
export { createHttp, type Http, type HttpOptions } from "./client.ts";
export { type RemoteOptions, toRemoteProviders } from "./remote.ts";
export { toUpstream } from "./upstream.ts";
