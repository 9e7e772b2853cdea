import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import { CopyButton } from '../../shared/components/controls';
import { span } from '../../shared/format';
import { boto3Call } from '../../shared/python';
import type { IAlarmDraft, Watched } from './alarms';
import { alarmOf, PERIODS, WATCHED, watchedName } from './alarms';
import { NumberField } from './numberField';

/** What rings a simple alarm of an endpoint. */
export function AlarmForm(props: {
  initial: IAlarmDraft;
  endpoint: string;
  variants: string[];
  trans: TranslationBundle;
  onChange: (draft: IAlarmDraft) => void;
}): JSX.Element {
  const { trans, variants, onChange } = props;
  const base = useId();
  const [draft, setDraft] = useState(props.initial);
  useEffect(() => {
    onChange(draft);
  }, [draft, onChange]);
  const change = (part: Partial<IAlarmDraft>): void =>
    setDraft(present => ({ ...present, ...part }));
  return (
    <div className="jp-BottegaDialog">
      <label htmlFor={`${base}-name`}>{trans.__('Alarm name')}</label>
      <input
        id={`${base}-name`}
        className="jp-BottegaInput"
        required
        maxLength={255}
        value={draft.name}
        onChange={event => change({ name: event.target.value })}
      />
      {variants.length > 1 && (
        <>
          <label htmlFor={`${base}-variant`}>{trans.__('Variant')}</label>
          <select
            id={`${base}-variant`}
            className="jp-BottegaInput"
            value={draft.variant}
            onChange={event => change({ variant: event.target.value })}
          >
            {variants.map(variant => (
              <option key={variant}>{variant}</option>
            ))}
          </select>
        </>
      )}
      <label htmlFor={`${base}-watched`}>{trans.__('Watches')}</label>
      <select
        id={`${base}-watched`}
        className="jp-BottegaInput"
        value={draft.watched}
        onChange={event => {
          const watched = event.target.value as Watched;
          change({ watched, threshold: WATCHED[watched].threshold });
        }}
      >
        {(Object.keys(WATCHED) as Watched[]).map(watched => (
          <option key={watched} value={watched}>
            {watchedName(watched, trans)}
          </option>
        ))}
      </select>
      <label htmlFor={`${base}-side`}>{trans.__('Rings when it is')}</label>
      <select
        id={`${base}-side`}
        className="jp-BottegaInput"
        value={draft.above ? 'above' : 'below'}
        onChange={event => change({ above: event.target.value === 'above' })}
      >
        <option value="above">{trans.__('above')}</option>
        <option value="below">{trans.__('below')}</option>
      </select>
      <NumberField
        label={trans.__('Threshold')}
        least={0}
        step="any"
        value={draft.threshold}
        onChange={threshold => change({ threshold })}
      />
      <label htmlFor={`${base}-period`}>{trans.__('Period')}</label>
      <select
        id={`${base}-period`}
        className="jp-BottegaInput"
        value={draft.period}
        onChange={event => change({ period: Number(event.target.value) })}
      >
        {PERIODS.map(period => (
          <option key={period} value={period}>
            {span(period)}
          </option>
        ))}
      </select>
      <NumberField
        label={trans.__('Periods in a row')}
        least={1}
        most={100}
        value={draft.periods}
        onChange={periods => change({ periods })}
      />
      <p className="jp-BottegaDialog-note">
        {trans.__(
          'An update that names it is rolled back when it rings. A period without requests rings nothing.'
        )}
      </p>
      <div>
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={() =>
            boto3Call(
              'cloudwatch',
              'put_metric_alarm',
              alarmOf(props.endpoint, draft)
            )
          }
        />
      </div>
    </div>
  );
}
