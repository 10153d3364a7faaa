/**
 * The gateway: contracts over HTTP. Routes, principals, problem documents, probes, the API's description and the
 * console's files and feed. Imports contracts and telemetry; what it needs of runs and of health it names in ports.ts.
 * Start with gateway.ts, then operation-routes.ts.
 */
export { type ApiKey, createApiKey } from "./api-keys.ts";
export { createGateway, type Gateway } from "./gateway.ts";
export type { Page } from "./pages.ts";
export type {
  GatewayParts,
  GatewaySettings,
  Health,
  JwtSettings,
  Metric,
  Rehearse,
  RunState,
  RunStatus,
  Runs,
  SignalAnswer,
} from "./ports.ts";
export type { RunBulk, RunDesk, RunFilter, RunList, RunSummary } from "./run-desk.ts";
export type { ScheduleDesk } from "./schedule-routes.ts";
