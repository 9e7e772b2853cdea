import { useEffect, useId, useRef, useState } from 'react';

import { Button } from '../../shared/components/controls';
import { Skeleton } from '../../shared/components/states';
import type { IShownChannel } from './channels';
import {
  addableChannels,
  contentTypeChoices,
  isRewritten,
  readsTable,
  shownChannels,
  takesLabel
} from './channels';
import { DataPreview } from './dataPreview';
import type { Source } from './draft';
import { algorithmOf, namesLabel, sourceLabel } from './draft';
import type { Preview } from './findings';
import { channelField } from './findings';
import { LabelField } from './labelField';
import { SourceField } from './sourceField';
import type { IStepProps } from './step';
import { problemOf } from './step';

/** Step 1: the data, what it looks like, and which column is the label. */
export function DataStep(props: IStepProps): JSX.Element {
  const { draft, catalog, trans } = props;
  const algorithm = algorithmOf(draft, catalog);
  const [added, setAdded] = useState<string | null>(null);
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    if (added !== null) {
      section.current
        ?.querySelector<HTMLElement>(
          `[data-field=${JSON.stringify(channelField(added))}] [aria-invalid]`
        )
        ?.focus();
      setAdded(null);
    }
  }, [added]);
  return (
    <section aria-labelledby="bottega-train-data" ref={section}>
      <h2 id="bottega-train-data">{trans.__('1 · Data')}</h2>
      {shownChannels(draft, algorithm).map(channel => (
        <Channel key={channel.name} {...props} channel={channel} />
      ))}
      <AddChannel {...props} onAdded={setAdded} />
    </section>
  );
}

/** The channels that are not shown yet, and the way to them. */
function AddChannel(
  props: IStepProps & { onAdded: (name: string) => void }
): JSX.Element {
  const { model, draft, catalog, trans } = props;
  const algorithm = algorithmOf(draft, catalog);
  const addable = addableChannels(draft, algorithm);
  const [chosen, setChosen] = useState('');
  const add = (name: string): void => {
    model.addChannel(name);
    props.onAdded(name);
  };
  const others = addable.filter(item => item.name !== 'validation');
  const other = others.find(item => item.name === chosen) ?? others[0];
  return (
    <div className="jp-BottegaTraining-channels">
      {addable.length > others.length && (
        <Button onClick={() => add('validation')}>
          {trans.__('Add validation data')}
        </Button>
      )}
      {other && (
        <span className="jp-BottegaTraining-add">
          <select
            className="jp-BottegaInput"
            aria-label={trans.__('Channel to add')}
            value={other.name}
            onChange={event => setChosen(event.target.value)}
          >
            {others.map(item => (
              <option
                key={item.name}
                value={item.name}
                title={item.description}
              >
                {item.name}
              </option>
            ))}
          </select>
          <Button title={other.description} onClick={() => add(other.name)}>
            {trans.__('Add channel')}
          </Button>
        </span>
      )}
    </div>
  );
}

function Channel(
  props: IStepProps & {
    channel: IShownChannel;
  }
): JSX.Element {
  const { model, draft, catalog, channel, findings, trans } = props;
  const { name, description } = channel;
  const algorithm = algorithmOf(draft, catalog);
  const source = draft.sources[name] ?? null;
  const preview = model.preview(name);
  const label =
    {
      train: trans.__('Training data'),
      validation: trans.__('Validation data')
    }[name] ?? trans.__('Channel %1', name);
  const isTabular = algorithm !== null && readsTable(algorithm, name);
  const labelled = isTabular && takesLabel(algorithm);
  const choosable =
    name === 'train' &&
    labelled &&
    preview.state === 'ready' &&
    source !== null &&
    namesLabel(source, preview.data);
  // What tables are for is known; of their form the server takes care.
  const isPlain = isTabular && ['train', 'validation'].includes(name);
  return (
    <div className="jp-BottegaTraining-channel" data-channel={name}>
      <SourceField
        label={label}
        field={channelField(name)}
        hint={isPlain ? undefined : description?.Description}
        source={source}
        problem={source ? problemOf(findings, channelField(name)) : undefined}
        kind={algorithm === null || isTabular ? 'table' : 'data'}
        placeholder={
          algorithm === null || isTabular
            ? trans.__('data/customers.csv')
            : trans.__('data/%1/', name)
        }
        uploading={
          model.uploading?.channel === name ? model.uploading.name : null
        }
        files={props.files}
        trans={trans}
        onChange={next => model.setSource(name, next)}
        onUpload={file => void model.upload(name, file)}
      />
      <ContentType {...props} name={name} label={label} />
      {preview.state === 'loading' && <Skeleton trans={trans} rows={3} />}
      {(preview.state === 'ready' || preview.state === 'folder') && (
        <DataPreview
          preview={
            isGuessed(preview, source, isTabular || algorithm === null)
              ? { state: 'ready', data: { ...preview.data, Columns: [] } }
              : preview
          }
          target={
            choosable || (labelled && name !== 'train') ? draft.target : null
          }
          onTarget={choosable ? target => model.edit({ target }) : undefined}
          label={trans.__('First rows: %1', label)}
          trans={trans}
        />
      )}
      {name === 'train' && labelled && <LabelField {...props} />}
      {name === 'train' &&
        algorithm !== null &&
        !algorithm.Supervised &&
        algorithm.ReadsTables && (
          <p className="jp-BottegaTraining-hint">
            {source === null || isRewritten(draft, algorithm, name)
              ? trans.__(
                  'There is no label: every column is a feature. The names of the columns are left out of what is sent.'
                )
              : trans.__(
                  'Sent as it is: there is no label, and there is no header.'
                )}
          </p>
        )}
      {name !== 'train' && !channel.required && (
        <div>
          <Button onClick={() => model.removeChannel(name)}>
            {name === 'validation'
              ? trans.__('Train without validation data')
              : trans.__('Leave out %1', name)}
          </Button>
        </div>
      )}
    </div>
  );
}

/**
 * Whether a preview shows columns that are none: sentences with commas in them look like a table,
 * and whoever reads no tables has no use for it.
 */
function isGuessed(
  preview: Preview,
  source: Source | null,
  readsTable: boolean
): preview is Extract<Preview, { state: 'ready' }> {
  return (
    preview.state === 'ready' &&
    preview.data.Format === 'csv' &&
    !readsTable &&
    !/\.(csv|tsv|lst)$/.test(source ? sourceLabel(source) : '')
  );
}

/** What is in the data, where that can be one thing or another. */
function ContentType(
  props: IStepProps & { name: string; label: string }
): JSX.Element {
  const { model, draft, catalog, name, trans } = props;
  const algorithm = algorithmOf(draft, catalog);
  const id = useId();
  const choices = contentTypeChoices(draft, algorithm, name);
  const source = draft.sources[name];
  if (choices.length === 0 || !source || source.kind === 'kept') {
    return <></>;
  }
  const { contentType = '', ...rest } = source;
  return (
    <div
      className="jp-BottegaTraining-contentType"
      data-field={`${channelField(name)}.ContentType`}
    >
      <label htmlFor={id}>{trans.__('Content type')}</label>
      <select
        id={id}
        className="jp-BottegaInput"
        aria-label={trans.__('%1: content type', props.label)}
        value={choices.includes(contentType) ? contentType : ''}
        onChange={({ target }) =>
          model.setSource(
            name,
            target.value ? { ...rest, contentType: target.value } : rest
          )
        }
      >
        <option value="">{trans.__('By the file’s name')}</option>
        {choices.map(type => (
          <option key={type} value={type}>
            {type}
          </option>
        ))}
      </select>
    </div>
  );
}
