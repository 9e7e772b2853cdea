import { useEffect } from 'react';

import { BottegaError } from '../../api/request';
import { LivePage } from '../../shared/components/livePage';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import type { IJob } from './facts';
import { JobView } from './jobView';

/** One job, live from its creation to what is left of it. */
export function JobScreen(props: IScreenProps): JSX.Element {
  const { client, frame, name, studio, trans } = props;
  const live = useLive<IJob>(
    props,
    signal =>
      client.call(
        'sagemaker:DescribeTrainingJob',
        { TrainingJobName: name },
        signal
      ),
    [name],
    {
      concerns: event =>
        event.Type === 'ResourceChanged' &&
        event.Kind === 'TrainingJob' &&
        event.Name === name
    }
  );
  const status = live.state === 'ready' ? live.value.TrainingJobStatus : '';
  useEffect(() => frame.setTitle(name, status), [frame, name, status]);

  return (
    <LivePage
      live={live}
      trans={trans}
      isMissing={isMissing}
      deleted={trans.__('The job %1 was deleted.', name)}
      missing={trans.__('There is no job %1.', name)}
      all={{
        label: trans.__('Open all jobs'),
        run: () => studio.open('jobs')
      }}
      what={trans.__('The job cannot be read.')}
    >
      {job => <JobView {...props} job={job} />}
    </LivePage>
  );
}

/** SageMaker says with a ValidationException that there is no such job. */
function isMissing(error: Error | null): boolean {
  return (
    error instanceof BottegaError &&
    (error.code === 'ResourceNotFound' ||
      (error.code === 'ValidationException' &&
        error.message.includes('not found')))
  );
}
