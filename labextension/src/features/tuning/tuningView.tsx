import { Tabs } from '../../shared/components/controls';
import { span } from '../../shared/format';
import type { ILogPlace } from '../../shared/failures/failureAdvice';
import { FailureCard } from '../../shared/failures/failureCard';
import { logParameters } from '../../shared/failures/logPlace';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { ConfigurationTab } from './configurationTab';
import type { IProgress } from './facts';
import { countsText, doneText, endedCount, isRunning } from './facts';
import { OverviewTab } from './overviewTab';
import { ParallelTab } from './parallelTab';
import type { ITuningJob } from './python';
import { TrialsTab } from './trialsTab';
import { TuningHeader } from './tuningHeader';

/** What the parts of a tuning job's screen are given. */
export interface ITuningViewProps extends IScreenProps {
  progress: IProgress;
}

/** A tuning job that is known: header, how far it is, why it ended, and the tabs. */
export function TuningView(props: ITuningViewProps): JSX.Element {
  const { client, frame, name, parameters, progress, trans } = props;
  const running = isRunning(progress.Status);
  const now = useNow(frame, running);
  // What was asked for does not change; another job of the same name has another creation.
  const job = useLive<ITuningJob>(
    props,
    signal =>
      client.call(
        'sagemaker:DescribeHyperParameterTuningJob',
        { HyperParameterTuningJobName: name },
        signal
      ),
    [name, progress.CreationTime]
  );
  return (
    <>
      <TuningHeader
        {...props}
        now={now}
        job={job.state === 'ready' ? job.value : null}
      />
      <ProgressLine {...props} />
      <Reason {...props} />
      <Tabs
        label={trans.__('Parts of the tuning job')}
        chosen={parameters['tab'] ?? 'overview'}
        onChoose={tab => frame.setParameters({ tab })}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => <OverviewTab {...props} />
          },
          {
            id: 'trials',
            label: trans.__('Trials'),
            badge: progress.Trials.Total.toLocaleString(),
            render: () => <TrialsTab {...props} now={now} />
          },
          {
            id: 'parallel',
            label: trans.__('Parallel coordinates'),
            render: () => <ParallelTab {...props} />
          },
          {
            id: 'configuration',
            label: trans.__('Configuration'),
            render: () => <ConfigurationTab {...props} job={job} />
          }
        ]}
      />
    </>
  );
}

/** How many trials have ended, of how many, and what became of them. */
function ProgressLine(props: ITuningViewProps): JSX.Element {
  const { progress, trans } = props;
  const { Trials: counts, StoppedEarly: early = 0 } = progress;
  const ended = doneText(counts);
  const details = [
    countsText(counts, early, trans),
    progress.Waiting
      ? trans.__('%1 wait for a free slot', progress.Waiting)
      : '',
    progress.SecondsLeft === undefined
      ? ''
      : trans.__('%1 left at most', span(progress.SecondsLeft))
  ].filter(Boolean);
  return (
    <div className="jp-BottegaTuning-progress">
      {counts.Limit !== undefined && isRunning(progress.Status) && (
        <progress
          max={counts.Limit}
          value={endedCount(counts)}
          aria-label={trans.__('Trials that have ended')}
        />
      )}
      <span>
        {trans.__('%1 trials ended', ended)}
        {details.length > 0 && ` · ${details.join(' · ')}`}
      </span>
    </div>
  );
}

/** The path of the screen of a training job, at a line of its log, or at the log's end. */
function logPath(place: ILogPlace | null, job: string): string {
  const parameters = new URLSearchParams(logParameters(place));
  return `jobs/${encodeURIComponent(job)}?${parameters.toString()}`;
}

/** Why it failed, or else why no more trials are started. */
function Reason(props: ITuningViewProps): JSX.Element {
  const { name, progress, studio } = props;
  if (progress.Status === 'Failed') {
    return (
      <FailureCard
        {...props}
        kind="HyperParameterTuning"
        job={name}
        reason={progress.FailureReason ?? ''}
        onLog={(place, job) => studio.open(logPath(place, job))}
      />
    );
  }
  return progress.EndReason ? (
    <p className="jp-BottegaTuning-reason">{progress.EndReason}</p>
  ) : (
    <></>
  );
}
