import type { AnyContract } from "../contracts/index.ts";
import { describe } from "./description.ts";
import { diff } from "./diff.ts";
import { LockError, publishedIn, readLock } from "./lock.ts";
import { withOlder } from "./older.ts";
import { isRecord } from "./plain.ts";
import { tryUpcasters } from "./upcaster-trials.ts";

/** What is wrong with a contract, its older shapes or its lock file, in a sentence that says what to do. */
export interface LockRemark {
  readonly contract: string;
  /** What it is about: the lock file unless told, or an upcaster, whatever is published. */
  readonly about?: "upcaster";
  readonly message: string;
}

/**
 * Whether upcasters lead where they should, and, where there is a lock file's text, whether it says what the contracts say:
 * every version published, and none changed since. `trilith check` loads this module by its address, beside the project's
 * contracts. Of a backend only what it implements is judged: what it calls elsewhere is published there.
 */
export async function judgeLock({
  contracts,
  backend,
  text,
}: {
  readonly contracts: readonly AnyContract[];
  readonly backend: unknown;
  readonly text?: string;
}): Promise<readonly LockRemark[]> {
  const { serves = contracts, older = [], workflows = [] } = (isRecord(backend) ? backend : {}) as Partial<Composed>;
  const trials = (await tryUpcasters(serves)).map(({ subject, sentence }): LockRemark => {
    return { contract: subject.slice(0, subject.lastIndexOf(".")), about: "upcaster", message: sentence };
  });
  return text === undefined ? trials : [...trials, ...judgeText({ serves, older, workflows }, text)];
}

function judgeText({ serves, older, workflows }: Composed, text: string): readonly LockRemark[] {
  try {
    const published = publishedIn(readLock(text, "contracts.lock.json"));
    const stored = new Set(workflows.map(({ operation }) => operation));
    const verdicts = withOlder(diff(serves.map(describe), published, { stored }), older, published);
    return verdicts.flatMap(({ contract, version, missing }) => {
      if (missing.length > 0) return missing.map((message) => ({ contract, message }));
      const isThere = published.get(contract)?.versions.some((one) => one.version === version);
      const message = `"${contract}" ${version} is not published. Do that once it is what you mean: trilith contracts publish.`;
      return isThere ? [] : [{ contract, message }];
    });
  } catch (error) {
    if (error instanceof LockError)
      return [{ contract: serves[0]?.["~contract"].name ?? "contracts.lock.json", message: error.message }];
    throw error;
  }
}

/** A composed backend, as far as it counts here. */
interface Composed {
  readonly serves: readonly AnyContract[];
  readonly older: readonly AnyContract[];
  readonly workflows: readonly { readonly operation: string }[];
}
