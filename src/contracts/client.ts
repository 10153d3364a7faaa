import type { Call, Dispatch } from "./call.ts";
import { type AnyContract, type Client, operationsOf } from "./contract.ts";

/** A typed client of one contract: every call travels with the same context. Throws `Failed` or `Fault`. */
export function toClient<C extends AnyContract>(contract: C, dispatch: Dispatch, call: Call): Client<C> {
  const calls = operationsOf(contract).map(({ id }) => [
    id.slice(id.indexOf(".") + 1),
    async (input: unknown) => {
      const answer = await dispatch.call(id, input, call);
      if ("accepted" in answer)
        throw new TypeError(
          `${id} was accepted as run ${answer.run}; call it without patience to wait for its result.`,
        );
      return answer.value;
    },
  ]);
  return Object.freeze(Object.fromEntries(calls)) as Client<C>;
}
