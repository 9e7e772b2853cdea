import { useState } from 'react';

import { Button } from '../../shared/components/controls';
import { Skeleton } from '../../shared/components/states';
import { DataPreview } from './dataPreview';
import { algorithmOf, namesLabel } from './draft';
import { Field } from './fields';
import { FIELDS } from './findings';
import { SourceField } from './sourceField';
import type { IStepProps } from './step';
import { problemOf } from './step';
import type { ChannelName } from './trainModel';

/** Step 1: the data, what it looks like, and which column is the label. */
export function DataStep(props: IStepProps): JSX.Element {
  const { model, draft, catalog, trans } = props;
  const [withValidation, setWithValidation] = useState(false);
  const validation = withValidation || draft.validation !== null;
  const algorithm = algorithmOf(draft, catalog);
  const supervised = algorithm?.Supervised ?? false;
  return (
    <section aria-labelledby="bottega-train-data">
      <h2 id="bottega-train-data">{trans.__('1 · Data')}</h2>
      <Channel
        {...props}
        channel="train"
        label={trans.__('Training data')}
        supervised={supervised}
      />
      {supervised && <Target {...props} />}
      {validation ? (
        <>
          <Channel
            {...props}
            channel="validation"
            label={trans.__('Validation data')}
            supervised={supervised}
          />
          <div>
            <Button
              onClick={() => {
                setWithValidation(false);
                model.setSource('validation', null);
              }}
            >
              {trans.__('Train without validation data')}
            </Button>
          </div>
        </>
      ) : (
        <div>
          <Button onClick={() => setWithValidation(true)}>
            {trans.__('Add validation data')}
          </Button>
        </div>
      )}
      {draft.others.map(channel => (
        <p key={channel.ChannelName} className="jp-BottegaTraining-hint">
          {trans.__(
            'Channel %1, as the cloned job had it: %2',
            channel.ChannelName,
            channel.DataSource.S3DataSource?.S3Uri ?? ''
          )}
        </p>
      ))}
    </section>
  );
}

function Channel(
  props: IStepProps & {
    channel: ChannelName;
    label: string;
    supervised: boolean;
  }
): JSX.Element {
  const { model, draft, channel, trans } = props;
  const source = draft[channel];
  const preview = model.previews[channel];
  const choosable =
    channel === 'train' &&
    props.supervised &&
    preview.state === 'ready' &&
    source !== null &&
    namesLabel(source, preview.data);
  return (
    <>
      <SourceField
        label={props.label}
        field={FIELDS[channel]}
        source={source}
        problem={
          source ? problemOf(props.findings, FIELDS[channel]) : undefined
        }
        uploading={
          model.uploading?.channel === channel ? model.uploading.name : null
        }
        files={props.files}
        trans={trans}
        onChange={next => model.setSource(channel, next)}
        onUpload={file => void model.upload(channel, file)}
      />
      {preview.state === 'loading' && <Skeleton trans={trans} rows={3} />}
      {preview.state === 'ready' && (
        <DataPreview
          data={preview.data}
          target={choosable || channel === 'validation' ? draft.target : null}
          onTarget={choosable ? target => model.edit({ target }) : undefined}
          label={trans.__('First rows: %1', props.label)}
          trans={trans}
        />
      )}
    </>
  );
}

/** The label column, or that the data is sent as it is. */
function Target(props: IStepProps): JSX.Element {
  const { model, draft, findings, trans } = props;
  const preview = model.previews.train;
  const asItIs =
    draft.train?.kind === 'kept' ||
    (draft.train !== null &&
      preview.state === 'ready' &&
      !namesLabel(draft.train, preview.data));
  if (!draft.train || asItIs) {
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
