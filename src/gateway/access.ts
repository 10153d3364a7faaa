import { type Access, Fault, type Principal } from "../contracts/index.ts";

/** Refuses a principal who may not do what `access` guards: 401 for nobody, 403 for somebody without the scope. */
export function demand(principal: Principal, access: Access, what: string): void {
  if (access === "public" || principal.scopes.includes(access)) return;
  if (principal.kind === "anonymous") {
    throw new Fault(
      "Unauthenticated",
      `${what} needs the scope "${access}". Send an API key or a token: "Authorization: Bearer …".`,
    );
  }
  throw new Fault("Forbidden", `${what} needs the scope "${access}", and "${principal.id}" does not have it.`);
}
