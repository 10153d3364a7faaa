import { type Adapted, type AdaptedWay, type Dispatch, Failed, Fault, type Provider } from "../contracts/index.ts";

/** The operations of older versions: each call goes up to the present operation, and what comes of it down again. */
export const provideOlder = (older: readonly Adapted[], dispatch: Dispatch): readonly Provider[] =>
  older.flatMap(({ ways }) => ways.map((way) => toProvider(way, dispatch)));

function toProvider(way: AdaptedWay, dispatch: Dispatch): Provider {
  const { older, present, up, down } = way;
  const adapted = <T>(what: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Fault("Internal", `${what} of ${older.id} failed: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  };
  return {
    operation: older.id,
    async handle(input, call, written) {
      const raised = up ? adapted("The way up", () => up(input)) : written;
      const answer = await dispatch.call(present.id, raised, call).catch((error: unknown) => {
        if (!(error instanceof Failed) || error.operation !== present.id) throw error;
        throw way.failure(error.code, error.details) ?? error;
      });
      if ("accepted" in answer) return answer;
      const { wire, value, meta, run } = answer;
      const output = down ? adapted("The way down", () => down(value)) : wire;
      return { output, ...(meta !== undefined && { meta }), ...(run !== undefined && { run }) };
    },
  };
}
