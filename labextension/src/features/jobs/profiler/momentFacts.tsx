import type {
  IGetTrainingJobTimelineResponse,
  ITimelineLane,
  TimelineUnit
} from '../../../api/types/debugger';
import { Stroke } from '../../../shared/charts/stroke';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour } from '../../../shared/charts/theme';
import {
  bytes,
  clock,
  measured,
  span as lengthOf
} from '../../../shared/format';
import type { IJobViewProps } from '../jobView';
import type { IRow } from './figure';
import { laneLabel } from './lanes';
import { MomentLog } from './momentLog';
import { lastAtOrBefore } from './view';

/** So many hosts' logs are shown beside each other. */
const MOST_LOGS = 4;

interface IMomentFactsProps extends IJobViewProps {
  timeline: IGetTrainingJobTimelineResponse;
  rows: readonly IRow[];
  theme: IChartTheme;
  /** In seconds since the epoch; null while nobody points at one. */
  moment: number | null;
  /** The moment that is 0 on the axis. */
  begin: number;
}

/** What was at one moment: values, phases, findings, and the line of the log. */
export function MomentFacts(props: IMomentFactsProps): JSX.Element {
  const { begin, moment, rows, theme, timeline, trans } = props;
  if (moment === null) {
    return (
      <p className="jp-BottegaMoment">
        {trans.__('Point at a moment to see what was then.')}
      </p>
    );
  }
  const phases = timeline.Lanes.flatMap(lane => {
    const phase = phaseAt(lane, moment);
    return phase ? [{ label: laneLabel(lane, timeline.Lanes), phase }] : [];
  });
  const findings = timeline.Findings.filter(
    finding => finding.Begin <= moment && moment <= finding.End
  );
  return (
    <section
      className="jp-BottegaMoment"
      aria-label={trans.__('At the moment')}
    >
      <h3>
        {trans.__('%1 s', (moment - begin).toFixed(3))} · {clock(moment)}
      </h3>
      <div className="jp-BottegaMoment-columns">
        <ul aria-label={trans.__('Use of the machine')}>
          {rows.flatMap(row =>
            row.curves.map((curve, place) => (
              <li key={`${row.id} ${curve.host} ${curve.series.Name}`}>
                <Stroke colour={seriesColour(theme, place)} />
                {curve.name === row.title
                  ? row.title
                  : `${row.title} ${curve.name}`}{' '}
                {valueAt(curve.series, moment)}
              </li>
            ))
          )}
        </ul>
        <ul aria-label={trans.__('Phases')}>
          {phases.map(({ label, phase }) => (
            <li key={label}>
              <strong>{label}</strong>{' '}
              {phase.count > 1
                ? trans.__(
                    '%1 phases in %2, busy for %3 % of it',
                    phase.count.toLocaleString(),
                    lengthOfPhase(phase.seconds),
                    Math.round(phase.busy * 100)
                  )
                : lengthOfPhase(phase.seconds)}
              {phase.step >= 0 &&
                ` · ${trans.__('step %1', phase.step.toLocaleString())}`}
            </li>
          ))}
          {phases.length === 0 && timeline.Lanes.length > 0 && (
            <li>{trans.__('No phase is going on.')}</li>
          )}
        </ul>
        {findings.length > 0 && (
          <ul aria-label={trans.__('Findings at the moment')}>
            {findings.map((finding, index) => (
              <li key={index}>
                <strong>{finding.RuleConfigurationName}</strong>{' '}
                {finding.Message}
              </li>
            ))}
          </ul>
        )}
      </div>
      {timeline.Hosts.slice(0, MOST_LOGS).map(host => (
        <MomentLog
          key={host.HostName}
          {...props}
          host={host}
          isAlone={timeline.Hosts.length === 1}
          moment={moment}
        />
      ))}
    </section>
  );
}

/** A phase, or a bundle of them, that was going on at a moment. */
export interface IPhase {
  seconds: number;
  step: number;
  count: number;
  busy: number;
}

/** What a lane has at a moment; null where it has nothing. */
export function phaseAt(lane: ITimelineLane, moment: number): IPhase | null {
  const index = lastAtOrBefore(lane.Begins, moment);
  const from = lane.Begins[index];
  const to = lane.Ends[index];
  return from === undefined || to === undefined || to < moment
    ? null
    : {
        seconds: to - from,
        step: lane.Steps[index] ?? -1,
        count: lane.Counts[index] ?? 1,
        busy: lane.Busy[index] ?? 1
      };
}

/** The last value that was measured by a moment, in its unit. */
export function valueAt(
  series: {
    Times: readonly number[];
    Values: readonly number[];
    Unit: TimelineUnit;
  },
  moment: number
): string {
  const value = series.Values[lastAtOrBefore(series.Times, moment)];
  if (value === undefined) {
    return '–';
  }
  switch (series.Unit) {
    case 'Percent':
    case 'PercentOfOneCore':
      return `${measured(value)} %`;
    case 'Bytes':
      return bytes(value);
    case 'BytesPerSecond':
      return `${bytes(value)}/s`;
    case 'PerSecond':
      return `${measured(value)}/s`;
  }
}

function lengthOfPhase(seconds: number): string {
  return seconds < 1 ? `${measured(seconds * 1000)} ms` : lengthOf(seconds);
}
