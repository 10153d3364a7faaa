/** What a caller would like (RFC 7240). What is not understood is passed over, as the RFC says. */
export interface Preferences {
  /** Seconds, as asked for. */
  readonly wait?: number;
  readonly waitMs?: number;
  /** Provenance beside the answer: the way that works where a field is called `meta` too. */
  readonly meta: boolean;
}

/** Nobody waits longer than this, whatever they prefer: proxies on the way give up about then. */
const longestWaitS = 60;

export function readPreferences(header: string | string[] | undefined): Preferences {
  if (header === undefined) return none;
  const said = [header]
    .flat()
    .flatMap((line) => line.split(/[,;]/))
    .map((one) => one.trim().toLowerCase());
  const wait = said.map((one) => /^wait\s*=\s*"?(\d{1,6})"?$/.exec(one)?.[1]).find((seconds) => seconds !== undefined);
  const seconds = wait === undefined ? undefined : Math.min(Number(wait), longestWaitS);
  return { ...(seconds !== undefined && { wait: seconds, waitMs: seconds * 1_000 }), meta: said.includes("meta") };
}

const none: Preferences = { meta: false };
