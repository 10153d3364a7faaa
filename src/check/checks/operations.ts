import type { Finding } from "../finding.ts";
import type { InspectedComposition, InspectedContract } from "../inspection/inspection.ts";
import type { Places } from "./composition.ts";

/** That every operation is implemented once, every need is met, and every address is needed. */
export function checkOperations(
  places: Places,
  contracts: readonly InspectedContract[],
  { implemented, needs, remote }: InspectedComposition,
): readonly Finding[] {
  const findings: Finding[] = [];
  const byOperation = Map.groupBy(implemented, ({ operation }) => operation);
  for (const [operation, by] of byOperation) {
    if (by.length < 2) continue;
    const message = `${operation} is implemented ${by.length} times: by ${by.map((one) => one.by).join(" and by ")}.`;
    findings.push({
      rule: "operations/implemented-twice",
      ...places.ofOperation(operation),
      about: operation,
      message,
    });
  }
  const contractOf = (operation: string): string => operation.replace(/\..*$/, "");
  const served = new Set([...byOperation.keys()].map(contractOf));
  const met = (contract: string): boolean => served.has(contract) || remote.includes(contract);
  const unmet = Map.groupBy(
    needs.filter(({ contract, operation }) =>
      operation !== undefined && served.has(contract) ? !byOperation.has(operation) : !met(contract),
    ),
    ({ contract, operation }) => (operation !== undefined && served.has(contract) ? operation : contract),
  );
  for (const [what, by] of unmet) {
    const users = [...new Set(by.map((one) => one.by))].join(" and ");
    const message = `${users} ${by.length > 1 ? "use" : "uses"} ${what}, which nobody here implements, and which has no address under "remote".`;
    findings.push({ rule: "operations/need", ...places.ofOperation(what), about: what, message });
  }
  for (const contract of remote.filter((name) => !needs.some((need) => need.contract === name))) {
    const message = `The backend has an address for the contract "${contract}", which nothing here uses.`;
    findings.push({ rule: "operations/stray-remote", ...places.backend(), about: contract, message });
  }
  for (const { name, operations, isDouble } of contracts) {
    if (remote.includes(name) || unmet.has(name) || isDouble) continue;
    const missing = operations.map(({ id }) => id).filter((id) => !byOperation.has(id) && !unmet.has(id));
    if (missing.length === 0) continue;
    const isWhole = missing.length === operations.length;
    const message = isWhole
      ? `Nobody implements the contract "${name}", and it is not among the remote ones.`
      : `Nobody implements ${missing.join(", ")}.`;
    const [first = name] = missing;
    const where = isWhole ? places.ofContract(name) : places.ofOperation(first);
    findings.push({ rule: "operations/implemented", ...where, about: isWhole ? name : first, message });
  }
  return findings;
}
