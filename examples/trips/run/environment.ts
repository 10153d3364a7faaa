import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "trilith";
import type { Name } from "../upstreams/launch.ts";

const scopes = ["trips:book", "trips:approve", "bookings:read"];

/** The backend's settings: where the upstreams are, and what was set from outside. */
export function toEnvironment(urls: Readonly<Record<Name, string>>, data: string): Record<string, string> {
  return {
    TRILITH_LOG: process.env.TRILITH_LOG || "error", // the terminal tells of trips
    TRILITH_DATA: data,
    TRILITH_SUPERVISED: "on",
    TRILITH_SOURCE_OPENFLIGHTS_URL: urls.openflights,
    TRILITH_SOURCE_OURAIRPORTS_URL: urls.ourairports,
    TRILITH_SOURCE_FAA_URL: urls.faa,
    TRILITH_SOURCE_OPENFLIGHTS_LIST_URL: urls.openflights,
    TRILITH_SOURCE_OURAIRPORTS_LIST_URL: urls.ourairports,
    TRILITH_SOURCE_FAA_LIST_URL: urls.faa,
    TRILITH_SOURCE_DELAYS_URL: urls.flights,
    TRIPS_REPORTS_URL: process.env.TRIPS_REPORTS_URL ?? urls.flights, // "" for a log without hours
    TRILITH_REMOTE_FARES_URL: urls.fares,
    TRILITH_REMOTE_PAYMENTS_URL: urls.payments,
  };
}

export interface Keys {
  readonly newcomer: string;
  readonly newcomerFile: string;
  readonly traffic: string;
}

/** Makes a key for whoever tries the example, kept where the README's examples read it, and one for its own traffic. */
export async function makeKeys(data: string): Promise<Keys> {
  const file = process.env.TRILITH_KEYS_FILE ?? join(data, "keys.json");
  const newcomer = await createApiKey(file, { id: "newcomer", scopes });
  const traffic = await createApiKey(file, { id: "traffic", scopes });
  const newcomerFile = join(data, "newcomer.key");
  await writeFile(newcomerFile, newcomer, { mode: 0o600 });
  return { newcomer, newcomerFile, traffic };
}
