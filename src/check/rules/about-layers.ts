import type { Rule } from "./catalogue.ts";

type LayerRule =
  | "layers/import"
  | "layers/transitive"
  | "layers/symlink"
  | "layers/shared-file"
  | "layers/door"
  | "layers/undecidable-import"
  | "layers/unresolved-import"
  | "capabilities/driver"
  | "capabilities/network";

/** What keeps the layers apart. */
export const layerRules: { readonly [rule in LayerRule]: Rule } = {
  "layers/import": {
    what: "A layer imports contracts and its own folder, and never another layer: no value, no type, by no form of import.",
    why: "What a layer can name, it comes to depend on. A type that is borrowed from storage makes the table's columns part of the workflow, and neither can then be changed, tested or moved alone.",
    wayOut:
      "Call the other layer as an operation of its contract: name the contract in `uses` (or in `call(…)`), and it is handed to you. A type that both need belongs into the contract.",
    wrong: 'import { bookingStore } from "../storage/bookings.ts"; // in orchestration/',
    right: "workflow(Trips.book, { version: 1, uses: [Bookings] }, async (trip, { bookings }) => bookings.hold(trip));",
  },
  "layers/transitive": {
    what: "A layer reaches no other layer through files in between.",
    why: "A helper that imports storage brings all of storage along to whoever imports the helper. The wall has then a door that nobody sees in the layer itself.",
    wayOut:
      "Take the part that is needed into the layer's own folder, without what it drags along; or call the other layer as an operation of its contract.",
    wrong: 'import { seats } from "../helpers.ts"; // and helpers.ts imports storage/bookings.ts',
    right: "const seats = await bookings.seats({ flight });",
  },
  "layers/symlink": {
    what: "No link in one layer's folder leads to a file of another.",
    why: "A link looks like a file of this layer and is one of another: the compiler follows it, and so does whoever runs it.",
    wayOut: "Remove the link. What both layers need belongs into the contracts.",
    wrong: "ln -s ../storage/bookings.ts orchestration/bookings.ts",
    right: 'import { Bookings } from "../contracts.ts";',
  },
  "layers/shared-file": {
    what: "Only contract files are shared: a layer imports no file that is neither its own nor a contract.",
    why: "A folder of helpers that all layers import becomes the place where they meet: first for a date format, then for a rule of the business.",
    wayOut:
      "Move the file into the layer that uses it. If two do, give each its own copy, put what they agree on into the contracts, or make it a package.",
    wrong: 'import { toCents } from "../shared/money.ts"; // in storage/',
    right: 'import { toCents } from "./money.ts";',
  },
  "layers/door": {
    what: "A layer imports trilith/contracts and its own door of the package: orchestration imports trilith/orchestration, and so on.",
    why: "trilith/storage in a workflow is a store being made where nobody looks for one; trilith and the engines belong to the composition root.",
    wayOut:
      "Declare entities, read models and stores in storage/, workflows in orchestration/, sources and views in aggregation/, and compose them in backend.ts.",
    wrong: 'import { store } from "trilith/storage"; // in orchestration/',
    right: 'import { workflow } from "trilith/orchestration";',
  },
  "layers/undecidable-import": {
    what: "A layer imports nothing by a name that is put together at run time.",
    why: "Such an import can lead anywhere, so nothing can be said of where this layer reaches.",
    wayOut: 'Write the imports out, for instance as a map from names to `() => import("./one.ts")`.',
    wrong: 'await import("../" + layer + "/index.ts");',
    right: 'const shapes = { csv: () => import("./csv.ts") };',
  },
  "layers/unresolved-import": {
    what: "What a layer imports by a path or an alias is there.",
    why: "What cannot be found cannot be checked: it may be made later, by a build step, and lead anywhere.",
    wayOut: "Correct the path, or generate the file before the check is run.",
    wrong: 'import { Bookings } from "../contract.ts"; // it is called contracts.ts',
    right: 'import { Bookings } from "../contracts.ts";',
  },
  "capabilities/driver": {
    what: "No database driver outside an engine.",
    why: "What is written past the log has no receipt, no seal, no backup and no as-of; and a driver in a layer ties it to one database.",
    wayOut: "Keep it as an entity or a read model of a store. The database is a setting of the backend.",
    wrong: 'import { Pool } from "pg"; // in storage/',
    right: 'import { entity, readModel, store } from "trilith/storage";',
  },
  "capabilities/network": {
    what: "No sockets, no HTTP and no other programs outside aggregation.",
    why: "A call that a layer makes by itself has no timeout, no retry, no key and no trace that anybody knows of; inside a workflow it is made again at each replay.",
    wayOut:
      "Describe the service as a contract, name it in `uses` and give its address under `remote`; or, to read from it, declare a source in aggregation/.",
    wrong: 'const answer = await fetch("https://payments.test/charge", { method: "POST" });',
    right: "await payments.charge({ payment, card, amount }).undo(() => payments.refund({ payment }));",
  },
};
