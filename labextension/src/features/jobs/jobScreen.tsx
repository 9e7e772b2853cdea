import { useEffect } from 'react';

import { BottegaError } from '../../api/request';
import { Empty, Failure, Skeleton } from '../../shared/components/states';
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

  if (live.state === 'loading') {
    return <Skeleton trans={trans} rows={10} />;
  }
  const problem = live.state === 'error' ? live.error : live.problem;
  if (isMissing(problem)) {
    return (
      <Empty
        sentence={
          live.state === 'ready'
            ? trans.__('The job %1 was deleted.', name)
            : trans.__('There is no job %1.', name)
        }
        action={{
          label: trans.__('Open all jobs'),
          run: () => studio.open('jobs')
        }}
      />
    );
  }
  if (live.state === 'error') {
    return (
      <Failure
        error={live.error}
        trans={trans}
        what={trans.__('The job cannot be read.')}
        retry={live.retry}
      />
    );
  }
  return (
    <>
      {problem && (
        <p className="jp-BottegaStale" role="status">
          {trans.__('Not up to date: %1', problem.message)}
        </p>
      )}
      <JobView {...props} job={live.value} />
    </>
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
