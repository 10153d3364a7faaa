/** The catalog as the backend tells it at /console/catalog, as far as it is drawn. */
export interface Catalog {
  readonly contracts: readonly Entry[];
  readonly usage: readonly Used[];
}
export interface Entry {
  readonly name: string;
  readonly provided: "here" | "elsewhere";
  readonly contract: {
    readonly version: string;
    readonly owner?: string;
    readonly summary?: string;
    readonly operations: { readonly [name: string]: Operation };
    readonly events: { readonly [name: string]: { readonly version: number } };
  };
  readonly providers: { readonly [operation: string]: string };
  readonly consumers: readonly string[];
  readonly versions: readonly {
    readonly version: string;
    readonly is: "present" | "older" | "past";
    readonly published?: boolean;
    readonly changes: readonly { readonly level: string; readonly rule: string; readonly sentence: string }[];
  }[];
  readonly deprecations: readonly {
    readonly what: string;
    readonly since: string;
    readonly sunset?: string;
    readonly instead?: string;
  }[];
}
export interface Operation {
  readonly kind: string;
  readonly route?: string;
  readonly access?: string;
  readonly summary?: string;
  readonly failures: { readonly [code: string]: { readonly status: number } };
  readonly deprecated?: { readonly since: string };
}
export interface Used {
  readonly contract: string;
  readonly version: string;
  readonly operation: string;
  readonly caller: string;
  readonly calls: number;
}

/** Asks for the catalog. Throws a sentence where it is not given. */
export async function fetchCatalog(signal: AbortSignal): Promise<Catalog> {
  const response = await fetch("/console/catalog", { signal, cache: "no-store" });
  if (!response.ok) throw new Error(`The catalog is not told (${response.status}).`);
  return (await response.json()) as Catalog;
}
