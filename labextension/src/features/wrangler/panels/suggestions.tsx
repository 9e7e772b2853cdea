import type { IFlowSuggestion } from '../../../api/types/wrangler';
import { isSame } from './json';
import type { IPanelProps } from '../model/types';
import { useLoaded } from './useLoaded';

/** Selections that follow each other faster than this are not all asked about. */
const SETTLED_MS = 200;

/** Steps that would do the selected column, and the table, good; one click shows what they do. */
export function Suggestions(props: IPanelProps): JSX.Element {
  const { selected, selectedColumn: column } = props.model;
  if (!selected) {
    return <></>;
  }
  return (
    <>
      {column !== null && (
        // What was suggested for another column is not for this one.
        <Suggested key={column} {...props} column={column} />
      )}
      <Suggested {...props} column={null} />
    </>
  );
}

/** Suggestions for a column, or for the table. */
function Suggested(
  props: IPanelProps & { column: string | null }
): JSX.Element {
  const { model, client, column, trans } = props;
  const { selected, text, trust } = model;
  const found = useLoaded(
    selected
      ? signal =>
          client.call(
            'bottega:SuggestSteps',
            {
              ...model.request(),
              NodeId: selected.nodeId,
              OutputName: selected.outputName,
              ...(column === null ? {} : { Column: column })
            },
            signal
          )
      : null,
    [
      client,
      model,
      selected?.nodeId,
      selected?.outputName,
      column,
      text,
      trust
    ],
    SETTLED_MS
  );
  const heading =
    column === null
      ? trans.__('Suggested for the table')
      : trans.__('Suggested for %1', column);
  const start = (suggestion: IFlowSuggestion): void =>
    model.startDraft({
      Kind: 'add_step',
      Operator: suggestion.Operator,
      Name: suggestion.Name,
      Values: suggestion.Values
    });
  const edit = model.draft?.edit;
  return (
    <div className="jp-BottegaSuggestions" aria-busy={found.pending}>
      <h3>{heading}</h3>
      {found.state === 'loading' && (
        <p className="jp-BottegaPanel-hint">
          {trans.__('Looking at the data…')}
        </p>
      )}
      {found.state === 'error' && (
        <p className="jp-BottegaPanel-problem">
          {trans.__('Nothing can be suggested: %1', found.error.message)}
        </p>
      )}
      {found.state === 'ready' && found.value.Suggestions.length === 0 && (
        <p className="jp-BottegaPanel-hint">
          {trans.__('Nothing stands out here.')}
        </p>
      )}
      {found.state === 'ready' && (
        <ul>
          {found.value.Suggestions.map((suggestion, index) => (
            <li key={index}>
              <button
                type="button"
                className="jp-BottegaSuggestions-item"
                aria-pressed={
                  edit?.Name === suggestion.Name &&
                  isSame(edit.Values, suggestion.Values)
                }
                disabled={model.store.readOnly}
                title={trans.__('Show what it does; it is applied after that')}
                onClick={() => start(suggestion)}
              >
                <span className="jp-BottegaSuggestions-title">
                  {suggestion.Title}
                </span>
                <span className="jp-BottegaSuggestions-sentence">
                  {suggestion.Sentence}
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
