import { inspect } from "node:util";

/** A value that does not show itself: not in a log, not in JSON, not in a debugger's line. */
export interface Secret {
  readonly reveal: () => string;
  readonly toString: () => string;
  readonly toJSON: () => string;
}

const shown = "[secret]";

export const toSecret = (value: string): Secret =>
  Object.freeze({ reveal: () => value, toString: () => shown, toJSON: () => shown, [inspect.custom]: () => shown });
