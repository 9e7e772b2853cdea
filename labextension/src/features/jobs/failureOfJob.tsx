import { Button } from '../../shared/components/controls';
import type { ILogPlace } from '../../shared/failures/failureAdvice';
import { FailureCard } from '../../shared/failures/failureCard';
import type { IJobViewProps } from './jobView';

const MAX_RUNTIME = 'MaxRuntimeExceeded';

/** Why a training job failed, or was stopped by its own limit; nothing for one that was not. */
export function JobFailure(props: IJobViewProps): JSX.Element | null {
  const { frame, job, studio, trans } = props;
  const name = job.TrainingJobName;
  const failed = job.TrainingJobStatus === 'Failed';
  if (!failed && job.SecondaryStatus !== MAX_RUNTIME) {
    return null;
  }
  return (
    <FailureCard
      {...props}
      kind="Training"
      job={name}
      reason={job.FailureReason ?? ''}
      onLog={place => frame.setParameters(logParameters(place))}
    >
      <Button
        title={trans.__('Fill the form with what this job was asked to do')}
        onClick={() => void studio.execute('bottega:train', { clone: name })}
      >
        {trans.__('Clone and change')}
      </Button>
    </FailureCard>
  );
}

/** The parameters of a screen that shows a line of its log, or the log's end. */
export function logParameters(place: ILogPlace | null): Record<string, string> {
  return {
    tab: 'logs',
    stream: place?.stream ?? '',
    line: place ? String(place.line) : '',
    // Whoever asks for the same line again wants to be led there again.
    asked: place ? String(Date.now()) : ''
  };
}

/** The line of a log that the screen's parameters name; null for none. */
export function logPlace(
  parameters: Readonly<Record<string, string>>
): (ILogPlace & { asked: string }) | null {
  const line = Number(parameters['line'] || NaN);
  const stream = parameters['stream'] ?? '';
  return stream && Number.isInteger(line) && line >= 0
    ? { stream, line, asked: parameters['asked'] ?? '' }
    : null;
}
