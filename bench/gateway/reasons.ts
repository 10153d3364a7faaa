import type { Reasons } from "../frame/suite.ts";

const http =
  "Fastify alone parses with its router, checks with a compiled schema, and writes the answer with a compiled serialiser. Trilith runs on it and adds, for each request: who is calling and whether the contract lets them, a trace, a deadline, the check of the input and of the output with the schemas that the contract was written in, and the projection on what is declared. Checks that are compiled from the contract once, and spans that cost less where nobody looks at them, would change it.";

export const reasons: Reasons = {
  "operation-call": {
    limit:
      "The limit is a call of a function. Both sides have about half a microsecond of the bench in them, which reads the clock and holds each answer against what it has to be; of the limit that is nearly all, so the share says less than the difference does. Through the dispatcher a call is projected on the contract, checked on the way in and on the way out, given a span and a deadline, and handed to whoever implements it. Skipping what a caller of the same process has proven already would change it.",
  },
  "operation-http": { limit: http, peer: http },
};
