import type { Catalog, CatalogEntry } from "../evolution/index.ts";

/** The catalog as one page without scripts, to be read and kept anywhere. */
export function toCatalogPage({ backend, contracts }: Catalog, files: readonly string[]): string {
  const links = files.map((file) => `<li><a href="${escaped(file)}">${escaped(file)}</a></li>`).join("");
  const index = contracts.map(
    ({ name, contract }) => `<li><a href="#${escaped(name)}">${escaped(name)}</a> ${escaped(contract.version)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Contracts of ${escaped(backend)}</title>
<style>
:root { color-scheme: light dark } body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid #8884 }
code { font-size: .92em } .muted { opacity: .7 } section { margin: 2.5rem 0 }
</style>
<h1>Contracts of ${escaped(backend)}</h1>
<ul>${index.join("")}</ul>
${contracts.map(sectionOf).join("\n")}
<h2>Files</h2>
<ul>${links}</ul>
</html>
`;
}

function sectionOf({ name, provided, contract, providers, consumers, versions, deprecations }: CatalogEntry): string {
  const { version, owner, summary, operations, events } = contract;
  const rows = Object.entries(operations).map(([operation, described]) => {
    const { kind, route, access, summary, failures, deprecated } = described;
    const ends = Object.entries(failures).map(([code, { status }]) => `<code>${escaped(code)}</code> ${status}`);
    return row([
      `<code>${escaped(operation)}</code>${deprecated ? " <b>deprecated</b>" : ""}<br><span class="muted">${escaped(summary ?? "")}</span>`,
      kind,
      `${route ? `<code>${escaped(route)}</code>` : "inside only"}<br><span class="muted">${escaped(access ?? "")}</span>`,
      ends.join("<br>"),
      escaped(providers[operation] ?? ""),
    ]);
  });
  const facts = Object.entries(events).map(
    ([event, { version }]) => `<li><code>${escaped(event)}</code> version ${version}</li>`,
  );
  const history = versions.map(
    ({ version, is, published, changes }) =>
      `<li><b>${version}</b> ${is === "present" ? "" : is}${published === false ? " (not published)" : ""}${list(changes.map(({ level, sentence }) => `${level}: ${escaped(sentence)}`))}</li>`,
  );
  const going = deprecations.map(
    ({ what, since, sunset, instead }) =>
      `<b>${escaped(what)}</b> since ${since}${sunset ? `, until ${sunset}` : ""}. ${escaped(instead ?? "")}`,
  );
  return `<section id="${escaped(name)}"><h2>${escaped(name)} ${version}</h2>
<p>${escaped(summary ?? "")} <span class="muted">Owner: ${escaped(owner ?? "nobody yet")}. Implemented ${provided}.</span></p>
<table><tr><th>Operation<th>Kind<th>Route, access<th>Failures<th>Provider</tr>${rows.join("")}</table>
${block("Events", facts.length > 0 ? `<ul>${facts.join("")}</ul>` : "")}${block("Called by", list(consumers.map(escaped)))}${block("Going", list(going))}${block("Versions", `<ul>${history.join("")}</ul>`)}</section>`;
}

const block = (title: string, body: string): string => (body === "" ? "" : `<h3>${title}</h3>${body}`);
const list = (items: readonly string[]): string =>
  items.length === 0 ? "" : `<ul>${items.map((item) => `<li>${item}</li>`).join("")}</ul>`;
const row = (cells: readonly string[]): string => `<tr>${cells.map((cell) => `<td>${cell}`).join("")}</tr>`;
const escaped = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
