import type { AnyCommand } from "./operation.ts";
import { type Validated, validate } from "./schema.ts";

/**
 * Reads an input that was stored when the contract may have been another: as it is now, or else as it was before, the
 * newest shape first, led to the present one. What it is refused for is what the present shape says of it.
 */
export async function validateStored(operation: AnyCommand, stored: unknown): Promise<Validated<unknown>> {
  const present = await validate(operation.input, stored);
  if (present.ok) return present;
  for (let at = operation.earlier.length - 1; at >= 0; at -= 1) {
    const led = await lead(operation, at, stored);
    if (led?.ok) return led;
  }
  return present;
}

async function lead(operation: AnyCommand, from: number, stored: unknown): Promise<Validated<unknown> | undefined> {
  let value = stored;
  for (const { schema, up } of operation.earlier.slice(from)) {
    const old = await validate(schema, value);
    if (!old.ok) return undefined;
    value = up(old.value);
  }
  return validate(operation.input, value);
}
