import type { Rule } from "./catalogue.ts";

type ContractRule =
  | "contracts/schema-libraries"
  | "contracts/place"
  | "contracts/one-name"
  | "contracts/owner"
  | "contracts/summary"
  | "contracts/examples"
  | "contracts/invalid-example"
  | "contracts/upcaster"
  | "personal/unmarked"
  | "names/glossary"
  | "lock/current";

/** What contracts carry, and in which words. */
export const contractRules: { readonly [rule in ContractRule]: Rule } = {
  "contracts/schema-libraries": {
    what: "Contract files import schema libraries and other contract files alone.",
    why: "Everybody imports the contracts, so whatever they import is imported by every layer, and by every client that is made of them.",
    wayOut:
      "Move what needs the package into the layer that uses it. A schema library that is not known here is named under `schemaLibraries`.",
    wrong: 'import { readFileSync } from "node:fs"; // in contracts.ts',
    right: 'import { z } from "zod";',
  },
  "contracts/place": {
    what: "Contracts are declared in contract files.",
    why: "A contract inside a layer cannot be imported by another one, so whoever needs it would have to reach into the layer.",
    wayOut: "Move it into contracts.ts, or into a file below contracts/.",
    wrong: 'const Fares = contract("fares", "1.0.0", { … }); // in storage/fares.ts',
    right: 'export const Fares = contract("fares", { … }, { … }); // in contracts.ts',
  },
  "contracts/one-name": {
    what: "A name belongs to one contract.",
    why: "Calls, events and documents find their contract by its name; of two with one name, each layer would mean its own.",
    wayOut: "Rename one of them, or export one object and import it wherever it is meant.",
    wrong: 'contract("fares", …); // in contracts/fares.ts, and again in contracts/prices.ts',
    right: 'contract("fares", …); contract("prices", …);',
  },
  "contracts/owner": {
    what: "Every contract names its owner.",
    why: "Who depends on a contract must know whom to ask before it changes.",
    wayOut: 'Give the version as part of an object: { version: "1.0.0", owner: "team-trips", summary: "…" }.',
    wrong: 'contract("trips", "1.0.0", { … })',
    right: 'contract("trips", { version: "1.0.0", owner: "team-trips", summary: "Booking a trip." }, { … })',
  },
  "contracts/summary": {
    what: "Every contract says in a sentence what it is for.",
    why: "It is the first line of the catalog, and of the API's documents.",
    wayOut: 'Give the contract a summary: { version: "1.0.0", owner: "…", summary: "Booking a trip." }.',
    wrong: 'contract("trips", { version: "1.0.0", owner: "team-trips" }, { … })',
    right: 'contract("trips", { version: "1.0.0", owner: "team-trips", summary: "Booking a trip." }, { … })',
  },
  "contracts/examples": {
    what: "Every operation has an example.",
    why: "A schema says what is allowed, an example says what is meant; mocks and documents begin with it.",
    wayOut: "Give the operation `examples: [{ input: … , output: … }]`, or its input's schema `examples` of its own.",
    wrong: "quote: query({ input: Flight, output: z.number() })",
    right: 'quote: query({ input: Flight, output: z.number(), examples: [{ input: { flight: "UA1" }, output: 230 }] })',
  },
  "contracts/invalid-example": {
    what: "Examples are what their contract says.",
    why: "An example is copied before a schema is read. One that is refused costs everybody an hour.",
    wayOut:
      "Correct the example, or the schema if the example is right. An example ends with an output or with a declared failure, not with both.",
    wrong: 'examples: [{ input: { flight: "UA1" }, output: "230" }] // the output is a number',
    right: 'examples: [{ input: { flight: "UA1" }, output: 230 }]',
  },
  "contracts/upcaster": {
    what: "Upcasters lead from every older shape to the present one, and ways down to the shape below.",
    why: "They are first used on what is stored. One that leads elsewhere makes every read of an old event fail, in production.",
    wayOut:
      "Let it give what the next schema takes, for the value that is named. Where a way down cannot say a value, let it give undefined.",
    wrong: 'upcast(Before, (old) => ({ ...old, by: "card" })) // by: z.enum(["cash", "transfer"])',
    right: 'upcast(Before, (old) => ({ ...old, by: "cash" }))',
  },
  "personal/unmarked": {
    what: "A field whose name sounds like personal data says whether it is.",
    why: "What is marked is hidden in logs, traces and the console, and can be erased. What is forgotten is found in a backup.",
    wayOut:
      "Wrap its schema: `personal(z.email())`, or `impersonal(z.string())` where the name misleads. With a library that cannot carry the mark, allow it in the configuration, with the reason.",
    wrong: "z.object({ customer: subject(z.uuid()), email: z.email() })",
    right: "z.object({ customer: subject(z.uuid()), email: personal(z.email()) })",
  },
  "names/glossary": {
    what: "Names use the words of the glossary, and none that it replaces.",
    why: "Two words for one thing become two things within a year.",
    wayOut: "Use the word on the left of the glossary's table. If the other one is meant, take it out of the table.",
    wrong: 'export const Clients = contract("clients", …); // | customer | client |',
    right: 'export const Customers = contract("customers", …);',
  },
  "lock/current": {
    what: "contracts.lock.json says what the contracts say.",
    why: "The lock is what changes are judged by. One that is behind lets a breaking change through.",
    wayOut:
      "Run `trilith contracts diff` to see the change, and `trilith contracts publish` once its version is right.",
    wrong: "a changed schema under a version that is published already",
    right: "trilith contracts publish",
  },
};
