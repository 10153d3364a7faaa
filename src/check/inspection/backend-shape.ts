import type { AnyContract, AnyQuery, AnySchema, Named, Operation } from "../../contracts/index.ts";

/** As much of a composed backend as is looked at here, in this room's own words. */
export interface InspectedBackend {
  /** What it implements, of each contract the operations that it has. */
  readonly serves: readonly AnyContract[];
  readonly composition: {
    readonly storage: readonly InspectedStorage[];
    readonly orchestration: readonly {
      readonly operation: Operation & Named;
      readonly uses: readonly AnyContract[];
    }[];
    readonly aggregation: readonly {
      readonly operation: AnyQuery & Named;
      readonly sources: readonly {
        readonly name: string;
        readonly fetch: { readonly via: string; readonly operation?: string };
      }[];
    }[];
    readonly remote: { readonly [contract: string]: string };
  };
}
export interface InspectedStorage {
  readonly contract: AnyContract;
  readonly parts: {
    readonly [name: string]: {
      readonly kind: string;
      readonly name: string;
      readonly state?: AnySchema;
      readonly row?: AnySchema;
    };
  };
}

export const isBackend = (value: unknown): value is InspectedBackend =>
  typeof value === "object" && value !== null && "composition" in value && "start" in value;

export const isContract = (value: unknown): value is AnyContract =>
  typeof value === "object" && value !== null && typeof (value as AnyContract)["~contract"]?.name === "string";
