/**
 * The composition root: binds the layers to engines, transports, the gateway and telemetry. The only room that imports
 * every other. Start with backend.ts, then start-backend.ts; dispatcher.ts is the way between the layers.
 */
// By its own file, for the gateway itself is loaded when a backend starts.
export { type ApiKey, createApiKey } from "../gateway/api-keys.ts";
export type { Page } from "../gateway/index.ts";
export { type Backend, backend, type StartOptions } from "./backend.ts";
export { catalogOf } from "./catalog.ts";
export type { Composition } from "./composition.ts";
export type { Orchestrated } from "./orchestrated.ts";
export type { Later, Running } from "./running.ts";
export type { RunsClient, RunsOf } from "./runs-client.ts";
export { type Environment, readSettings, type Settings, SettingsError } from "./settings.ts";
