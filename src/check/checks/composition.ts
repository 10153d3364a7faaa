import { join } from "node:path";
import type { Finding, Span } from "../finding.ts";
import type { InspectedContract, Inspection, Suspect, Unloadable } from "../inspection/inspection.ts";
import { toRelative } from "../listing.ts";
import type { Project } from "../project.ts";
import { ended } from "../words.ts";
import { type Declaration, fieldIn, memberOf, spanOf } from "./declarations.ts";
import { checkOperations } from "./operations.ts";

/** What is known once contracts and the backend are loaded: that each says what it must, and that all needs are met. */
export function checkComposition(
  project: Project,
  declarations: readonly Declaration[],
  inspection: Inspection,
): readonly Finding[] {
  const places = new Places(project, declarations);
  // What a package declares is for its owner to complete.
  const contracts = inspection.contracts.filter(({ name }) => places.find("contract", name));
  return [
    ...inspection.unloadable.map((one) => unloadable(project, one)),
    ...once(contracts.flatMap((contract) => checkContract(places, contract))),
    ...(inspection.composition ? checkOperations(places, contracts, inspection.composition) : []),
    ...once(inspection.suspects.flatMap((suspect) => suspicion(places, suspect) ?? [])),
    ...inspection.lock.map(
      ({ contract, about, message }): Finding => ({
        rule: about === "upcaster" ? "contracts/upcaster" : "lock/current",
        ...places.ofContract(contract),
        about: contract,
        message,
      }),
    ),
  ];
}

/** Where things stand that are known by their names. */
export class Places {
  readonly project: Project;
  readonly #declarations: readonly Declaration[];
  constructor(project: Project, declarations: readonly Declaration[]) {
    this.project = project;
    this.#declarations = declarations;
  }

  find(kind: Declaration["kind"], name: string): Declaration | undefined {
    return this.#declarations.find((one) => one.kind === kind && one.name === name);
  }

  all(kind: Declaration["kind"], name: string): readonly Declaration[] {
    return this.#declarations.filter((one) => one.kind === kind && one.name === name);
  }

  /** A contract, or the backend where none of its files declares it. */
  ofContract(name: string): { readonly file: string; readonly at?: Span } {
    const declaration = this.find("contract", name);
    return declaration ? { file: declaration.file.path, at: declaration.at } : this.backend();
  }

  ofOperation(id: string): { readonly file: string; readonly at?: Span } {
    const [contract = "", member = ""] = id.split(".");
    const declaration = this.find("contract", contract);
    const property = declaration && memberOf(declaration, member);
    return declaration && property
      ? { file: declaration.file.path, at: spanOf(property.key) }
      : this.ofContract(contract);
  }

  backend(): { readonly file: string } {
    return { file: this.project.config.backend || "backend.ts" };
  }
}

function unloadable(project: Project, { file, reason, from }: Unloadable): Finding {
  const { root } = project.listing;
  const local = toRelative(root, file);
  const inside = from && !toRelative(root, from.file).startsWith("../") ? from : undefined;
  const text = inside && project.files.get(toRelative(root, inside.file))?.text;
  const starts = text === undefined ? [] : [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)];
  const start = inside && starts[inside.line - 1];
  const end = start === undefined ? 0 : (starts[inside?.line ?? 0] ?? (text?.length ?? 0) + 1) - 1;
  return {
    rule: "backend/loads",
    file: inside ? toRelative(root, inside.file) : local,
    ...(start !== undefined && { at: { start, end } }),
    message: ended(`${local} cannot be loaded: ${reason.replaceAll(join(root, "/"), "")}`),
  };
}

function checkContract(places: Places, contract: InspectedContract): readonly Finding[] {
  const { name, owner, summary, operations, isDouble } = contract;
  const here = { ...places.ofContract(name), about: name };
  const findings: Finding[] = [];
  if (isDouble)
    findings.push({ rule: "contracts/one-name", ...here, message: `There are two contracts called "${name}".` });
  if (!owner?.trim())
    findings.push({ rule: "contracts/owner", ...here, message: `The contract "${name}" has no owner.` });
  if (!summary?.trim())
    findings.push({ rule: "contracts/summary", ...here, message: `The contract "${name}" has no summary.` });
  for (const { id, examples, wrong } of operations) {
    const at = { ...places.ofOperation(id), about: id };
    if (examples === 0) findings.push({ rule: "contracts/examples", ...at, message: `${id} has no example.` });
    for (const sentence of wrong)
      findings.push({ rule: "contracts/invalid-example", ...at, message: `${id}: ${ended(sentence)}` });
  }
  return isDouble ? findings.slice(0, 1) : findings;
}

function suspicion(places: Places, { owner, member, field, about }: Suspect): Finding | undefined {
  const declaration = places.find(owner.kind, owner.name);
  // What is declared in a package is for its owner to mark.
  if (!declaration) return undefined;
  const near = (member !== undefined && memberOf(declaration, member)) || declaration.call;
  const own = fieldIn(declaration.file, near, field);
  const shared = own ? undefined : elsewhere(places.project, field);
  return {
    rule: "personal/unmarked",
    file: shared?.file ?? declaration.file.path,
    at: own ?? shared?.at ?? declaration.at,
    about,
    message: `"${field}" sounds like personal data, and does not say whether it is (${about}).`,
  };
}

/** A field of a schema that a store has from the contracts. */
function elsewhere(project: Project, field: string): { readonly file: string; readonly at: Span } | undefined {
  for (const file of project.files.values()) {
    if (project.layerOf(file.path)?.name !== "contracts" || !file.text.includes(field)) continue;
    const at = fieldIn(file, file.tree(), field);
    if (at) return { at, file: file.path };
  }
  return undefined;
}

/** A schema that several operations share is marked once, so it is told of once; and two contracts of one name are one mistake. */
function once(findings: readonly Finding[]): readonly Finding[] {
  const byPlace = new Map<string, Finding>();
  for (const finding of findings) {
    const key = `${finding.rule} ${finding.file}:${finding.at?.start} ${finding.rule === "contracts/invalid-example" ? finding.message : ""}`;
    if (!byPlace.has(key)) byPlace.set(key, finding);
  }
  return [...byPlace.values()];
}
