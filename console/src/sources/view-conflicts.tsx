import type { JSX } from "preact";
import { amount } from "../format.ts";
import type { ViewTold } from "./sources.ts";

/** Each view with the fields in which its sources contradicted each other, or said what nobody can use. */
export function ViewConflicts({ views }: { readonly views: readonly ViewTold[] }): JSX.Element {
  return (
    <table class="conflicts">
      <thead>
        <tr>
          <th>View</th>
          <th class="number">Answers</th>
          <th>Field</th>
          <th>Conflicts</th>
          <th class="number">Unusable</th>
        </tr>
      </thead>
      {views.map((view) => (
        <Fields key={view.view} view={view} />
      ))}
    </table>
  );
}

function Fields({ view }: { readonly view: ViewTold }): JSX.Element {
  const { view: name, answers, conflicts, unusable, review } = view;
  const fields = [...new Set([...Object.keys(conflicts), ...Object.keys(unusable)])].sort(
    (a, b) => (conflicts[b] ?? 0) - (conflicts[a] ?? 0),
  );
  const most = Math.max(...Object.values(conflicts), answers, 1);
  const rows = fields.length > 0 ? fields : [undefined];
  return (
    <tbody>
      {rows.map((field, at) => (
        <tr key={field ?? ""}>
          {at === 0 && (
            <>
              <td rowSpan={rows.length}>
                <strong>{name}</strong>
                {review > 0 && <div class="quiet">{amount(review)} pairs of records to be looked at by a person</div>}
              </td>
              <td class="number" rowSpan={rows.length}>
                {amount(answers)}
              </td>
            </>
          )}
          <td>{field ?? <span class="quiet">none</span>}</td>
          <td>{field !== undefined && <Share count={conflicts[field] ?? 0} of={most} />}</td>
          <td class="number">{field !== undefined && amount(unusable[field] ?? 0)}</td>
        </tr>
      ))}
    </tbody>
  );
}

const Share = ({ count, of }: { readonly count: number; readonly of: number }): JSX.Element => (
  <span class="share">
    <span class="share-track">
      <i style={{ width: `${(count / of) * 100}%` }} />
    </span>
    {amount(count)}
  </span>
);
