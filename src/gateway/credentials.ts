import type { FastifyRequest } from "fastify";
import { anonymous, Fault, type Principal } from "../contracts/index.ts";
import type { KeyRing } from "./api-keys.ts";
import type { Tokens } from "./tokens.ts";

export type Authenticate = (request: FastifyRequest) => Principal | Promise<Principal>;

/**
 * Finds out who calls. Without credentials it is nobody; with credentials that do not hold it is a 401, even where
 * nobody would do.
 */
export function createAuthenticate(keys: KeyRing | undefined, tokens: Tokens | undefined): Authenticate {
  const read = async (credential: string): Promise<Principal> => {
    const principal = credential.startsWith("tri_") ? await keys?.find(credential) : await tokens?.read(credential);
    if (!principal) throw refused(credential);
    return principal;
  };
  return ({ headers }) => {
    const credential = presented(headers.authorization, headers["x-api-key"]);
    return credential === undefined ? anonymous : read(credential);
  };
}

function presented(authorization: string | undefined, apiKey: string | string[] | undefined): string | undefined {
  if (authorization === undefined && apiKey === undefined) return undefined;
  if (authorization !== undefined && apiKey !== undefined) {
    throw new Fault("Unauthenticated", 'Send either "Authorization" or "X-API-Key", not both.');
  }
  if (typeof apiKey === "string") return apiKey;
  const [, credential] = /^bearer +([\x21-\x7e]+) *$/i.exec(authorization ?? "") ?? [];
  if (credential === undefined) {
    throw new Fault("Unauthenticated", 'The credentials are not understood. Send "Authorization: Bearer …".');
  }
  return credential;
}

const refused = (credential: string): Fault =>
  new Fault(
    "Unauthenticated",
    credential.startsWith("tri_")
      ? "The API key is not known here. It may have been replaced."
      : "The credentials are not known here.",
  );
