import { access, constants, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createApiKey } from "trilith";
import type { Name } from "../upstreams/launch.ts";

const scopes = ["trips:book", "trips:approve", "bookings:read"];

/** The backend's settings: where the upstreams are, and what was set from outside. */
export function toEnvironment(urls: Readonly<Record<Name, string>>, data: string): Record<string, string> {
  return {
    TRILITH_LOG: process.env.TRILITH_LOG ?? "warn",
    TRILITH_DATA: data,
    TRILITH_SUPERVISED: "on",
    TRILITH_SOURCE_OPENFLIGHTS_URL: urls.openflights,
    TRILITH_SOURCE_OURAIRPORTS_URL: urls.ourairports,
    TRILITH_SOURCE_FAA_URL: urls.faa,
    TRILITH_SOURCE_DELAYS_URL: urls.flights,
    TRILITH_REMOTE_FARES_URL: urls.fares,
    TRILITH_REMOTE_PAYMENTS_URL: urls.payments,
  };
}

/** Makes the data folder, or says in a sentence why it cannot be. */
export async function prepareFolder(data: string): Promise<void> {
  try {
    await mkdir(data, { recursive: true });
    await access(data, constants.W_OK);
    const probe = join(data, ".writable");
    await writeFile(probe, ""); // a mount may be read-only where the folder's own mode is not
  } catch (error) {
    throw new Error(
      `The data folder ${data} cannot be written (${(error as NodeJS.ErrnoException).code}). Set TRILITH_DATA to a folder that can.`,
      { cause: error },
    );
  }
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
