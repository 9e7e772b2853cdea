import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useId, useState } from 'react';

import type { MetricType } from '../../api/types/autoscaling';
import type { IProductionVariantSummary } from '../../api/types/hosting';
import { CopyButton } from '../../shared/components/controls';
import { NumberField } from './numberField';
import type { IScaled, IScalingDraft, IScheduleDraft } from './scaling';
import { isServerless, metricName, metricsOf, scalingPython } from './scaling';

const MOST_CAPACITY = 100;

interface IForm<T> {
  initial: T;
  trans: TranslationBundle;
  onChange: (draft: T) => void;
}

/** Bounds of a variant, and the target that it is scaled by. */
export function ScalingForm(
  props: IForm<IScalingDraft> & {
    variant: IProductionVariantSummary;
    scaled: IScaled;
    /** 0 for asynchronous endpoints. */
    least: number;
    /** Whether the policy is there already: its name stays. */
    named: boolean;
  }
): JSX.Element {
  const { variant, trans, onChange } = props;
  const base = useId();
  const [draft, setDraft] = useState(props.initial);
  useEffect(() => {
    onChange(draft);
  }, [draft, onChange]);
  const change = (part: Partial<IScalingDraft>): void =>
    setDraft(present => ({ ...present, ...part }));
  return (
    <div className="jp-BottegaDialog">
      <label htmlFor={`${base}-name`}>{trans.__('Policy name')}</label>
      <input
        id={`${base}-name`}
        className="jp-BottegaInput"
        required
        pattern="[^\s/:|]+"
        readOnly={props.named}
        value={draft.name}
        onChange={event => change({ name: event.target.value })}
      />
      <NumberField
        label={
          isServerless(variant)
            ? trans.__('Provisioned concurrency, at least')
            : trans.__('Instances, at least')
        }
        least={props.least}
        most={Number.isNaN(draft.most) ? MOST_CAPACITY : draft.most}
        value={draft.least}
        onChange={least => change({ least })}
      />
      <NumberField
        label={trans.__('At most')}
        least={Math.max(1, Number.isNaN(draft.least) ? 1 : draft.least)}
        most={MOST_CAPACITY}
        value={draft.most}
        onChange={most => change({ most })}
      />
      <label htmlFor={`${base}-metric`}>{trans.__('Metric')}</label>
      <select
        id={`${base}-metric`}
        className="jp-BottegaInput"
        value={draft.metric}
        onChange={event => change({ metric: event.target.value as MetricType })}
      >
        {metricsOf(variant).map(metric => (
          <option key={metric} value={metric}>
            {metricName(metric, trans)}
          </option>
        ))}
      </select>
      <NumberField
        label={trans.__('Its target')}
        least={0.0001}
        step="any"
        value={draft.target}
        onChange={target => change({ target })}
      />
      <NumberField
        label={trans.__('Cooldown after scaling out, seconds')}
        least={0}
        value={draft.outCooldown}
        onChange={outCooldown => change({ outCooldown })}
      />
      <NumberField
        label={trans.__('Cooldown after scaling in, seconds')}
        least={0}
        value={draft.inCooldown}
        onChange={inCooldown => change({ inCooldown })}
      />
      <label>
        <input
          type="checkbox"
          checked={draft.outOnly}
          onChange={event => change({ outOnly: event.target.checked })}
        />{' '}
        {trans.__('Never scale in')}
      </label>
      <p className="jp-BottegaDialog-note">
        {trans.__(
          'Capacity follows the load so that the metric stays near its target.'
        )}
      </p>
      <div>
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={() => scalingPython(props.scaled, draft)}
        />
      </div>
    </div>
  );
}

/** When the bounds of a variant change, and to what. */
export function ScheduleForm(
  props: IForm<IScheduleDraft> & { least: number }
): JSX.Element {
  const { trans, onChange } = props;
  const base = useId();
  const [draft, setDraft] = useState(props.initial);
  useEffect(() => {
    onChange(draft);
  }, [draft, onChange]);
  const change = (part: Partial<IScheduleDraft>): void =>
    setDraft(present => ({ ...present, ...part }));
  return (
    <div className="jp-BottegaDialog">
      <label htmlFor={`${base}-name`}>{trans.__('Name')}</label>
      <input
        id={`${base}-name`}
        className="jp-BottegaInput"
        required
        pattern="[^\s/:|]+"
        value={draft.name}
        onChange={event => change({ name: event.target.value })}
      />
      <label htmlFor={`${base}-when`}>{trans.__('Schedule')}</label>
      <input
        id={`${base}-when`}
        className="jp-BottegaInput"
        required
        aria-describedby={`${base}-note`}
        pattern="(at|rate|cron)\(.+\)"
        value={draft.schedule}
        onChange={event => change({ schedule: event.target.value })}
      />
      <p id={`${base}-note`} className="jp-BottegaDialog-note">
        {trans.__(
          'at(2027-03-01T08:00:00), rate(1 day) or cron(0 8 ? * MON-FRI *), in UTC.'
        )}
      </p>
      <NumberField
        label={trans.__('At least')}
        least={props.least}
        most={Number.isNaN(draft.most) ? MOST_CAPACITY : draft.most}
        value={draft.least}
        onChange={least => change({ least })}
      />
      <NumberField
        label={trans.__('At most')}
        least={Math.max(1, Number.isNaN(draft.least) ? 1 : draft.least)}
        most={MOST_CAPACITY}
        value={draft.most}
        onChange={most => change({ most })}
      />
    </div>
  );
}
