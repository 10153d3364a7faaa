import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import type { Logger } from "pino";
import { Fault, type Principal } from "../contracts/index.ts";
import type { JwtSettings } from "./ports.ts";

export interface Tokens {
  /** The principal of a JWT that holds. Throws `Unauthenticated` with the reason for one that does not. */
  read(token: string): Promise<Principal>;
}

const clockToleranceS = 5;
/** Signatures whose verifying key is public. Without `none` and without the HMACs, nobody can sign with what everybody may read. */
const algorithms = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];

/** Checks JWTs against their issuer's public keys. */
export function createTokens({ issuer, audience, jwks }: JwtSettings, log: Logger): Tokens {
  const keys = /^https?:\/\//.test(jwks) ? createRemoteJWKSet(new URL(jwks)) : keysFromFile(jwks);
  return {
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          algorithms,
          clockTolerance: clockToleranceS,
          requiredClaims: ["exp", "sub"],
        });
        if (typeof payload.sub !== "string" || payload.sub === "") {
          throw new errors.JWTClaimValidationFailed("no subject", payload, "sub");
        }
        return Object.freeze({ id: `token:${payload.sub}`, kind: "token", scopes: scopesOf(payload) });
      } catch (failure) {
        if (isRefusal(failure)) throw new Fault("Unauthenticated", `The token does not hold: ${reason(failure)}.`);
        log.error({ err: failure, jwks }, "The issuer's keys cannot be read, so no token is accepted.");
        throw new Fault("Unavailable", "Tokens cannot be checked right now.", { outcome: "not done" });
      }
    },
  };
}

/** The keys of a file, read again when it has changed. */
function keysFromFile(file: string): JWTVerifyGetKey {
  let seen: string | undefined;
  let keys: JWTVerifyGetKey | undefined;
  return async (header, token) => {
    const { ino, mtimeNs, size } = await stat(file, { bigint: true });
    const mark = `${ino} ${mtimeNs} ${size}`;
    if (!keys || mark !== seen) {
      keys = createLocalJWKSet(JSON.parse(await readFile(file, "utf8")) as JSONWebKeySet);
      seen = mark;
    }
    return keys(header, token);
  };
}

/** `scope` is a string with spaces (RFC 8693), `scp` either that or a list. */
function scopesOf({ scope, scp }: JWTPayload): readonly string[] {
  const said = [scope, scp].flatMap((claim) =>
    typeof claim === "string" ? claim.split(" ") : Array.isArray(claim) ? claim : [],
  );
  return Object.freeze(said.filter((one): one is string => typeof one === "string" && one !== ""));
}

/** Whether the token is at fault, rather than the way to the keys. */
function isRefusal(failure: unknown): failure is errors.JOSEError {
  return (
    failure instanceof errors.JOSEError &&
    !(failure instanceof errors.JWKSTimeout || failure instanceof errors.JWKSInvalid) &&
    failure.code !== "ERR_JOSE_GENERIC"
  );
}

function reason(failure: errors.JOSEError): string {
  if (failure instanceof errors.JWTExpired) return "it has expired";
  if (failure instanceof errors.JWTClaimValidationFailed) return `its claim "${failure.claim}" is missing or wrong`;
  if (failure instanceof errors.JWSSignatureVerificationFailed) return "its signature is wrong";
  if (failure instanceof errors.JWKSNoMatchingKey || failure instanceof errors.JWKSMultipleMatchingKeys)
    return "its issuer has no such key";
  if (failure instanceof errors.JOSEAlgNotAllowed || failure instanceof errors.JOSENotSupported)
    return "its algorithm is not accepted";
  return "it is not a signed JWT";
}
