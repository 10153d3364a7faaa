import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { type Catalog, type Entry, fetchCatalog, type Used } from "./catalog.ts";

/** The Contracts view: every contract with its operations, who provides and calls it, what changed, and who uses which version. */
export function ContractsView(): JSX.Element {
  const catalog = useSignal<Catalog | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  useEffect(() => {
    const gone = new AbortController();
    const load = (): void => {
      fetchCatalog(gone.signal).then(
        (told) => {
          catalog.value = told;
          trouble.value = undefined;
        },
        (error: unknown) => {
          if (!gone.signal.aborted) trouble.value = error instanceof Error ? error.message : String(error);
        },
      );
    };
    load();
    const timer = setInterval(load, 5_000);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [catalog, trouble]);
  return (
    <main class="contracts">
      <header class="contracts-head">
        <h2>Contracts</h2>
        <nav aria-label="Documents">
          {["openapi.json", "asyncapi.json", "arazzo.json", ".well-known/api-catalog"].map((file) => (
            <a key={file} href={`/${file}`} download={file.split("/").at(-1)}>
              {file.split("/").at(-1)}
            </a>
          ))}
        </nav>
      </header>
      {trouble.value && <p role="alert">{trouble.value}</p>}
      {catalog.value?.contracts.map((entry) => (
        <Contract key={entry.name} entry={entry} usage={catalog.value?.usage ?? []} />
      ))}
    </main>
  );
}

function Contract({ entry, usage }: { readonly entry: Entry; readonly usage: readonly Used[] }): JSX.Element {
  const { name, contract, provided, providers, consumers, versions, deprecations } = entry;
  const used = usage.filter((line) => line.contract === name);
  return (
    <section class="contract" aria-label={name}>
      <h3>
        {name} <span class="contract-version">{contract.version}</span>
      </h3>
      <p>
        {contract.summary}{" "}
        <span class="contract-quiet">
          Owner: {contract.owner ?? "nobody yet"}. Implemented {provided}.
        </span>
      </p>
      {deprecations.map(({ what, since, sunset, instead }) => (
        <p key={what} class="contract-going">
          {what} goes: since {since}
          {sunset && `, until ${sunset}`}. {instead}
        </p>
      ))}
      <table>
        <thead>
          <tr>
            <th>Operation</th>
            <th>Route</th>
            <th>Access</th>
            <th>Failures</th>
            <th>Provider</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(contract.operations).map(
            ([operation, { kind, route, access, summary, failures, deprecated }]) => (
              <tr key={operation}>
                <td title={summary}>
                  {operation} <span class="contract-quiet">{kind}</span> {deprecated && <em>deprecated</em>}
                </td>
                <td data-title="Route">{route ?? "inside only"}</td>
                <td data-title="Access">{access ?? "–"}</td>
                <td data-title="Failures">
                  {Object.entries(failures)
                    .map(([code, { status }]) => `${code} ${status}`)
                    .join(", ") || "–"}
                </td>
                <td data-title="Provider">{providers[operation] ?? "–"}</td>
              </tr>
            ),
          )}
        </tbody>
      </table>
      <dl>
        <Row
          title="Events"
          items={Object.entries(contract.events).map(([event, { version }]) => `${event} v${version}`)}
        />
        <Row title="Called by" items={consumers} />
        <Row
          title="Use"
          items={used.map(
            ({ version, operation, caller, calls }) => `${caller} → ${operation} of ${version}: ${calls}`,
          )}
        />
        <Row
          title="Versions"
          items={versions.map(
            ({ version, is, published, changes }) =>
              `${version}${is === "present" ? "" : ` (${is})`}${published === false ? ", not published" : ""}${changes.map(({ sentence }) => ` · ${sentence}`).join("")}`,
          )}
        />
      </dl>
    </section>
  );
}

function Row({ title, items }: { readonly title: string; readonly items: readonly string[] }): JSX.Element | null {
  if (items.length === 0) return null;
  return (
    <div>
      <dt>{title}</dt>
      {items.map((item) => (
        <dd key={item}>{item}</dd>
      ))}
    </div>
  );
}
