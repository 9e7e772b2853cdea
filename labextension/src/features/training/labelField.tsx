import { namesLabel } from './draft';
import { Field } from './fields';
import { FIELDS } from './findings';
import type { IStepProps } from './step';
import { problemOf } from './step';

/** The label column, or that the data is sent as it is. */
export function LabelField(props: IStepProps): JSX.Element {
  const { model, draft, findings, trans } = props;
  const preview = model.preview('train');
  const train = draft.sources['train'] ?? null;
  const asItIs =
    train?.kind === 'kept' ||
    (train !== null &&
      (preview.state === 'folder' ||
        (preview.state === 'ready' && !namesLabel(train, preview.data))));
  if (!train || asItIs) {
    return (
      <p className="jp-BottegaTraining-hint">
        {asItIs
          ? trans.__(
              'Sent as it is: the first column is the label, and there is no header.'
            )
          : trans.__('The label column is chosen once there is data.')}
      </p>
    );
  }
  const names =
    preview.state === 'ready'
      ? preview.data.Columns.map(column => column.Name)
      : [];
  const { target } = draft;
  return (
    <Field
      label={trans.__('Label column')}
      field={FIELDS.target}
      hint={trans.__(
        'What is to be predicted. Every other column is a feature.'
      )}
      problem={target ? problemOf(findings, FIELDS.target) : undefined}
    >
      {attributes => (
        <select
          {...attributes}
          className="jp-BottegaInput"
          value={target ?? ''}
          onChange={event => model.edit({ target: event.target.value || null })}
        >
          <option value="">{trans.__('Choose a column')}</option>
          {target && !names.includes(target) && (
            <option value={target}>{trans.__('%1 (not there)', target)}</option>
          )}
          {names.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}
