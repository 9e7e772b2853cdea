import { useId } from 'react';

import { useLive } from '../../../shared/hooks/useLive';
import { comparableFilter } from '../facts';
import type { IJobViewProps } from '../jobView';

const OFFERED = 50;

/** How curves are drawn, and which other job's are drawn beside them. */
export function MetricControls(
  props: IJobViewProps & {
    smoothing: number;
    onSmoothing: (weight: number) => void;
    compare: string;
    onCompare: (job: string) => void;
  }
): JSX.Element {
  const { client, job, smoothing, compare, trans } = props;
  const slider = useId();
  const filter = comparableFilter(job);
  const others = useLive(
    props,
    async signal => {
      const found = await client.call(
        'bottega:ListJobs',
        { Filter: `kind:Training ${filter}`.trim(), MaxResults: OFFERED },
        signal
      );
      return found.Jobs.map(other => other.JobName);
    },
    [filter]
  );
  const names = others.state === 'ready' ? others.value : [];
  const offered = names.filter(name => name !== job.TrainingJobName);
  if (compare && !offered.includes(compare)) {
    offered.unshift(compare);
  }
  return (
    <>
      <label htmlFor={slider}>{trans.__('Smoothing')}</label>
      <input
        id={slider}
        className="jp-BottegaSlider"
        type="range"
        min={0}
        max={0.99}
        step={0.01}
        value={smoothing}
        onChange={event => props.onSmoothing(Number(event.target.value))}
      />
      <output htmlFor={slider} className="jp-BottegaSlider-value">
        {smoothing.toFixed(2)}
      </output>
      <select
        className="jp-BottegaInput jp-BottegaCompare"
        aria-label={trans.__('Compare with another job')}
        value={compare}
        onChange={event => props.onCompare(event.target.value)}
      >
        <option value="">{trans.__('Compare with…')}</option>
        {offered.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
    </>
  );
}
