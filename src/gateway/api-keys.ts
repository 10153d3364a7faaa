import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Logger } from "pino";
import { Fault, type Principal } from "../contracts/index.ts";

/** What a caller is known by, and what it may do. */
export interface ApiKey {
  /** Letters, digits, dots, dashes and underscores; at most 64. */
  readonly id: string;
  readonly scopes: readonly string[];
}
export interface KeyRing {
  /** The principal of a key, or undefined for one that is not known. */
  find(key: string): Promise<Principal | undefined>;
}

interface StoredKey extends ApiKey {
  /** SHA-256 of the key, in hexadecimal digits. A key is 256 random bits, so a slow hash would add nothing. */
  readonly sha256: string;
  readonly createdAt: string;
}

/**
 * Makes an API key and writes its hash into the keys file, in the place of an older key of that id. The plaintext is
 * given back here and kept nowhere. The file is replaced as a whole, so a reader sees the old keys or the new ones.
 */
export async function createApiKey(file: string, { id, scopes }: ApiKey): Promise<string> {
  if (!/^[\w.-]{1,64}$/.test(id)) {
    throw new TypeError(
      `"${id}" is no id for an API key: use letters, digits, dots, dashes and underscores, at most 64.`,
    );
  }
  await mkdir(dirname(file), { recursive: true });
  const key = `tri_${randomBytes(32).toString("base64url")}`;
  const stored = { id, sha256: hashOf(key).toString("hex"), scopes: [...scopes], createdAt: new Date().toISOString() };
  const next = await lockedNext(file);
  try {
    const others = (await readKeys(file)).filter((other) => other.id !== id);
    await next.handle.writeFile(`${JSON.stringify({ keys: [...others, stored] }, null, 2)}\n`);
    await next.handle.sync();
    await next.handle.close();
    await rename(next.path, file);
  } catch (failure) {
    await next.handle.close().catch(() => {});
    await rm(next.path, { force: true });
    throw failure;
  }
  return key;
}

/** Reads the keys file whenever it has changed. A file that cannot be read locks everybody out, and says so in the log. */
export function createKeyRing(file: string, log: Logger): KeyRing {
  let seen: string | undefined;
  let keys: readonly StoredKey[] = [];
  const refresh = async (): Promise<void> => {
    const state = await fingerprint(file);
    if (state.mark === seen) return;
    keys = await readKeys(file);
    seen = state.mark;
    if (state.shared) log.warn({ file }, "Others on this machine can read the keys file. Set its mode to 0600.");
  };
  return {
    async find(key) {
      try {
        await refresh();
      } catch (failure) {
        log.error({ err: failure, file }, "The keys file cannot be read, so no API key is accepted.");
        throw new Fault("Unavailable", "API keys cannot be checked right now.", { outcome: "not done" });
      }
      const hash = hashOf(key);
      let found: StoredKey | undefined;
      // Every key is looked at, whatever was found: the time that it takes says nothing.
      for (const stored of keys) {
        if (timingSafeEqual(hash, Buffer.from(stored.sha256, "hex"))) found = stored;
      }
      return found && Object.freeze({ id: `key:${found.id}`, kind: "key", scopes: found.scopes });
    },
  };
}

const hashOf = (key: string): Buffer => createHash("sha256").update(key).digest();

async function fingerprint(file: string): Promise<{ readonly mark: string; readonly shared: boolean }> {
  try {
    const { ino, mtimeNs, size, mode } = await stat(file, { bigint: true });
    return { mark: `${ino} ${mtimeNs} ${size}`, shared: process.platform !== "win32" && (mode & 0o077n) !== 0n };
  } catch (failure) {
    if (isMissing(failure)) return { mark: "missing", shared: false };
    throw failure;
  }
}

async function readKeys(file: string): Promise<readonly StoredKey[]> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (failure) {
    if (isMissing(failure)) return [];
    throw failure;
  }
  try {
    const { keys } = JSON.parse(text) as { readonly keys: readonly unknown[] };
    if (Array.isArray(keys) && keys.every(isStored)) return keys;
  } catch {
    // Said below, in one sentence for both.
  }
  throw new TypeError(
    `${file} is not a keys file: it holds {"keys": [{"id", "sha256", "scopes", "createdAt"}]}. Mend it, or remove it and make new keys.`,
  );
}

function isStored(key: unknown): key is StoredKey {
  if (typeof key !== "object" || key === null) return false;
  const { id, sha256, scopes } = key as Partial<StoredKey>;
  return (
    typeof id === "string" &&
    typeof sha256 === "string" &&
    /^[\da-f]{64}$/.test(sha256) &&
    Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === "string")
  );
}

const lockTriesMs = 50;
const staleAfterMs = 60_000;

/** The file that will take the place of the keys file is also the lock: two who write at once do not lose a key. */
async function lockedNext(
  file: string,
): Promise<{ readonly path: string; readonly handle: Awaited<ReturnType<typeof open>> }> {
  const path = `${file}.next`;
  for (;;) {
    try {
      return { path, handle: await open(path, "wx", 0o600) };
    } catch (failure) {
      if ((failure as NodeJS.ErrnoException).code !== "EEXIST") throw failure;
    }
    // Its writer died halfway: a write takes milliseconds, and seconds where the disk has much to flush.
    const age =
      Date.now() -
      (await stat(path).then(
        (there) => there.mtimeMs,
        () => Date.now(),
      ));
    if (age > staleAfterMs) await rm(path, { force: true });
    else await wait(lockTriesMs);
  }
}

const isMissing = (failure: unknown): boolean => (failure as NodeJS.ErrnoException).code === "ENOENT";
