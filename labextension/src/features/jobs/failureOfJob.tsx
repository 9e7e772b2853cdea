import { Button } from '../../shared/components/controls';
import { FailureCard } from '../../shared/failures/failureCard';
import { logParameters } from '../../shared/failures/logPlace';
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
