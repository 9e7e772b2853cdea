import { Button } from '../../../shared/components/controls';
import { Failure } from '../../../shared/components/states';
import { useDeeds } from '../../../shared/hooks/useDeeds';
import { isRunning } from '../facts';
import type { IJobViewProps } from '../jobView';

/** Says whether the job is profiled, and while it runs switches that on and off. */
export function ProfilingSwitch(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const { problem, busy, act } = useDeeds();
  const isOn = job.ProfilingStatus === 'Enabled';
  const turn = (): Promise<unknown> =>
    client.call('sagemaker:UpdateTrainingJob', {
      TrainingJobName: job.TrainingJobName,
      ProfilerConfig: isOn
        ? { DisableProfiler: true }
        : {
            DisableProfiler: false,
            S3OutputPath:
              job.ProfilerConfig?.S3OutputPath ??
              job.OutputDataConfig?.S3OutputPath ??
              ''
          }
    });
  return (
    <>
      <div className="jp-BottegaProfiler-switch">
        <span>
          {isOn ? trans.__('Profiling is on') : trans.__('Profiling is off')}
          {job.ProfilerConfig?.ProfilingIntervalInMilliseconds !== undefined &&
            isOn &&
            ` · ${trans.__(
              'every %1 ms',
              job.ProfilerConfig.ProfilingIntervalInMilliseconds
            )}`}
        </span>
        {isRunning(job.TrainingJobStatus) && (
          <Button
            disabled={busy || job.TrainingJobStatus !== 'InProgress'}
            title={trans.__('UpdateTrainingJob changes it while the job runs')}
            onClick={act(turn)}
          >
            {isOn
              ? trans.__('Switch profiling off')
              : trans.__('Switch profiling on')}
          </Button>
        )}
      </div>
      {problem && (
        <Failure
          error={problem}
          trans={trans}
          what={trans.__('Profiling could not be switched.')}
        />
      )}
    </>
  );
}
