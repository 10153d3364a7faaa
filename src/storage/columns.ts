import type { Collection } from "./engine.ts";

type ColumnType = Collection["columns"][number]["type"];

/** Index columns by their names, in their order. */
export const toColumns = (types: { readonly [name: string]: ColumnType }): Collection["columns"] =>
  Object.entries(types).map(([name, type]) => ({ name, type }));
