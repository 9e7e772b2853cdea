import type { TranslationBundle } from '@jupyterlab/translation';

import { duration, span } from '../../shared/format';
import type { IProgress } from './progress';
import type { ITimelineStep } from './timeline';

const SIGNS = { done: '✓', present: '●', ahead: '', bad: '✕' };

/** The job's life from left to right: what is behind it, where it is, what is ahead. */
export function TimelineBar(props: {
  steps: readonly ITimelineStep[];
  progress: IProgress | null;
  trans: TranslationBundle;
}): JSX.Element {
  const { progress, trans } = props;
  const states = {
    done: trans.__('done'),
    present: trans.__('now'),
    ahead: trans.__('ahead'),
    bad: trans.__('failed')
  };
  return (
    <ol className="jp-BottegaTimeline" aria-label={trans.__('Status timeline')}>
      {props.steps.map((step, index) => {
        const inTraining = step.state === 'present' ? progress : null;
        return (
          <li
            key={index}
            className={`jp-BottegaTimeline-step jp-mod-${step.state}`}
            style={{ flexGrow: Math.round(step.share * 1000) }}
            data-step={step.status}
            data-state={step.state}
            aria-current={step.state === 'present' ? 'step' : undefined}
            title={step.message}
          >
            {inTraining && (
              <span
                className="jp-BottegaTimeline-fill"
                style={{
                  width: `${(100 * inTraining.done) / inTraining.total}%`
                }}
              />
            )}
            <span className="jp-BottegaTimeline-text">
              {SIGNS[step.state] && (
                <span role="img" aria-label={states[step.state]}>
                  {SIGNS[step.state]}
                </span>
              )}{' '}
              {step.status}
              {step.seconds !== null && ` ${stepTime(step.seconds)}`}
              {inTraining && ` · ${progressText(inTraining, trans)}`}
            </span>
          </li>
        );
      })}
    </ol>
  );
}

/** Tenths count in short steps, seconds in long ones. */
function stepTime(seconds: number): string {
  return seconds < 60 ? span(seconds) : duration(seconds);
}

function progressText(progress: IProgress, trans: TranslationBundle): string {
  const { done, total, left, kind } = progress;
  const count =
    kind === 'round'
      ? trans.__('round %1 of %2', done, total)
      : trans.__('cell %1 of %2', done, total);
  return left === null
    ? count
    : `${count} · ${trans.__('%1 left', duration(Math.max(1, left)))}`;
}
