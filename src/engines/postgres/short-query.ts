import { type Connection, Query } from "pg";

/** What a statement takes: text, or a value in PostgreSQL's binary format. */
export type Value = string | Buffer | null;

/**
 * A prepared statement that gives one row of one text, for the driver to send. By itself the driver also has the server
 * describe each answer, reads the description, and makes a result with fields and parsers of it: for a lone append that is
 * as much work as everything of ours. `told` is called once.
 */
export function shortQuery(
  name: string,
  text: string,
  values: readonly Value[],
  told: (error: Error | null, answer: string | null | undefined) => void,
): Query {
  let answer: string | null | undefined;
  // `rows` is there where a driver does not ask for what is replaced below.
  const query = new Query<{ readonly reply?: string }>({ name, text, values: values as Value[] }, (error, result) =>
    told(error ?? null, answer ?? result?.rows[0]?.reply),
  ) as unknown as Replaced; // its types name less than there is
  const prepare: Replaced["prepare"] = (connection) => {
    if (!query.hasBeenParsed(connection)) {
      connection.parse({ name, text });
      connection.submittedNamedStatements[name] = text;
    }
    connection.bind({ statement: name, values });
    connection.execute({});
    connection.sync();
  };
  const handleDataRow: Replaced["handleDataRow"] = ({ fields }) => {
    [answer] = fields;
  };
  Object.assign(query, { prepare, handleDataRow });
  return query as unknown as Query; // as it was made
}

interface Replaced {
  prepare: (connection: Asked) => void;
  handleDataRow: (row: { readonly fields: readonly (string | null)[] }) => void;
  hasBeenParsed(connection: Asked): boolean;
}
interface Asked extends Connection {
  readonly submittedNamedStatements: { [name: string]: string };
  parse(asked: object): void;
  bind(asked: object): void;
  execute(asked: object): void;
  sync(): void;
}
