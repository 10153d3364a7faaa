import { toCanonicalJson } from "../contracts/index.ts";
import { type Description, hashOf } from "./description.ts";
import { compareVersions } from "./level.ts";
import { isRecord } from "./plain.ts";

/** `contracts.lock.json`: every published version of every contract, as it was published. */
export interface Lock {
  readonly lockVersion: 1;
  readonly contracts: { readonly [name: string]: Locked };
}
interface Locked {
  /** True once nobody is promised anything of it any more; its history stays. */
  readonly retired?: true;
  readonly versions: { readonly [version: string]: LockedVersion };
}
interface LockedVersion {
  readonly hash: string;
  readonly contract: Description;
}

/** What was published of a contract. */
export interface Published {
  readonly name: string;
  readonly retired: boolean;
  readonly latest: Description;
  /** By version, lowest first. */
  readonly versions: readonly Description[];
}

export const emptyLock: Lock = { lockVersion: 1, contracts: {} };

/** A lock file that cannot be relied on: the sentences say which entries, and what to do. */
export class LockError extends Error {}

/** Reads a lock file's text, and checks that every version in it is as it was published. */
export function readLock(text: string, file: string): Lock {
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch (error) {
    throw new LockError(
      `${file} is not JSON (${(error as Error).message}). Take the last version of it from your repository.`,
    );
  }
  if (!isRecord(lock) || lock.lockVersion !== 1 || !isRecord(lock.contracts))
    throw new LockError(
      `${file} is not a lock file that this version of Trilith reads. It begins with "lockVersion": 1.`,
    );
  const edited: string[] = [];
  for (const [name, locked] of Object.entries(lock.contracts))
    for (const [version, entry] of Object.entries((locked as Partial<Locked>)?.versions ?? {})) {
      const { contract, hash } = (entry ?? {}) as Partial<LockedVersion>;
      if (!contract || contract.name !== name || contract.version !== version || hashOf(contract) !== hash)
        edited.push(`"${name}" ${version}`);
    }
  if (edited.length > 0)
    throw new LockError(
      `${file} was changed by hand: ${edited.join(", ")} ${edited.length === 1 ? "does" : "do"} not match ${edited.length === 1 ? "its" : "their"} hash. What is published stays as it was; take the file from your repository.`,
    );
  return lock as unknown as Lock; // every entry was looked at
}

/** As it is written to disk: stable, so that what did not change makes no difference in a repository. */
export const writeLock = (lock: Lock): string => `${JSON.stringify(JSON.parse(toCanonicalJson(lock)), undefined, 2)}\n`;

export function publishedIn({ contracts }: Lock): ReadonlyMap<string, Published> {
  return new Map(
    Object.entries(contracts).flatMap(([name, { versions, retired }]) => {
      const sorted = Object.values(versions)
        .map(({ contract }) => contract)
        .sort((a, b) => compareVersions(a.version, b.version));
      const latest = sorted.at(-1);
      return latest ? [[name, { name, retired: retired === true, latest, versions: sorted }] as const] : [];
    }),
  );
}

/** The lock with further versions in it. What is there already stays. */
export function withPublished(lock: Lock, descriptions: readonly Description[], retired: readonly string[] = []): Lock {
  const contracts: Record<string, Locked> = { ...lock.contracts };
  for (const contract of descriptions) {
    const { versions = {} } = contracts[contract.name] ?? {};
    contracts[contract.name] = { versions: { [contract.version]: { hash: hashOf(contract), contract }, ...versions } };
  }
  for (const name of retired) {
    const had = contracts[name];
    if (had) contracts[name] = { ...had, retired: true };
  }
  return { lockVersion: 1, contracts };
}
