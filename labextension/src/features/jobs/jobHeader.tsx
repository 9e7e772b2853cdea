import type { ITag } from '../../api/types/training';
import { Button, CopyButton } from '../../shared/components/controls';
import { Failure } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, duration, moment } from '../../shared/format';
import { useDeeds } from '../../shared/hooks/useDeeds';
import { confirmDelete, confirmStop } from './acts';
import { algorithmOf, isRunning, notebookOf, runtime } from './facts';
import type { IJobViewProps } from './jobView';
import { jobPython } from './python';
import { RegisteredVersions } from './registeredVersions';

/** The job's name and status, what it is, and what can be done with it. */
export function JobHeader(
  props: IJobViewProps & { now: number; tags: readonly ITag[] }
): JSX.Element {
  const { client, frame, job, now, studio, trans } = props;
  const { problem, act } = useDeeds();
  const name = job.TrainingJobName;
  const status = job.TrainingJobStatus;
  const running = isRunning(status);
  const hasModel = status === 'Completed' && !notebookOf(job);
  const code = (): string => jobPython(job, props.tags, new Date());

  const remove = async (): Promise<void> => {
    if (await confirmDelete(client, name, trans)) {
      studio.open('jobs');
      frame.close();
    }
  };
  return (
    <>
      <header className="jp-BottegaHeader" data-state="ready">
        <h1>{name}</h1>
        <StatusChip status={status} detail={job.SecondaryStatus} />
        <JobFacts {...props} now={now} />
        <div className="jp-BottegaHeader-actions">
          <CopyButton
            text={code}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
          <Button onClick={act(() => studio.openInNotebook(code(), name))}>
            {trans.__('Open in notebook')}
          </Button>
          <Button
            onClick={act(() =>
              studio.execute('bottega:train', { clone: name })
            )}
          >
            {trans.__('Clone')}
          </Button>
          {!notebookOf(job) && (
            <Button
              title={trans.__('Search for better hyperparameters')}
              onClick={act(() =>
                studio.execute('bottega:tune', { clone: name })
              )}
            >
              {trans.__('Tune')}
            </Button>
          )}
          {hasModel && (
            <>
              <Button
                title={trans.__('Put the model into the registry')}
                onClick={act(() =>
                  studio.execute('bottega:register-model', { job: name })
                )}
              >
                {trans.__('Register')}
              </Button>
              <Button
                onClick={act(() =>
                  studio.execute('bottega:deploy', { job: name })
                )}
              >
                {trans.__('Deploy')}
              </Button>
            </>
          )}
          {running ? (
            <Button
              kind="danger"
              disabled={status === 'Stopping'}
              onClick={act(() => confirmStop(client, name, trans))}
            >
              {trans.__('Stop')}
            </Button>
          ) : (
            <Button kind="danger" onClick={act(remove)}>
              {trans.__('Delete')}
            </Button>
          )}
        </div>
      </header>
      {hasModel && <RegisteredVersions {...props} />}
      {problem && (
        <Failure
          error={problem}
          trans={trans}
          what={trans.__('That could not be done.')}
        />
      )}
    </>
  );
}

/** In one line: what trains, on what, since when, for how long, and its run. */
function JobFacts(props: IJobViewProps & { now: number }): JSX.Element {
  const { job, now, studio, trans } = props;
  const resources = job.ResourceConfig;
  const count = resources?.InstanceCount ?? 1;
  const type = resources?.InstanceType ?? '';
  const run = job.MlflowDetails?.MlflowRunId;
  const tuning = job.TuningJobArn?.split('/').pop();
  const experiment = job.ExperimentConfig?.ExperimentName;
  const seconds = runtime(
    { started: job.TrainingStartTime, ended: job.TrainingEndTime },
    now
  );
  return (
    <span className="jp-BottegaHeader-facts">
      {algorithmOf(job)}
      {' · '}
      {count > 1 ? `${count} × ${type}` : type}
      {' · '}
      <span title={moment(job.CreationTime)}>
        {trans.__('started %1', ago(job.CreationTime, now, trans))}
      </span>
      {seconds !== null && ` · ${duration(seconds)}`}
      {run && (
        <>
          {' · '}
          <button
            type="button"
            className="jp-BottegaLink"
            onClick={() => studio.open(`runs/${encodeURIComponent(run)}`)}
          >
            {experiment
              ? trans.__('run in %1', experiment)
              : trans.__('run %1', run.slice(0, 8))}
          </button>
        </>
      )}
      {tuning && (
        <>
          {' · '}
          <button
            type="button"
            className="jp-BottegaLink"
            onClick={() => studio.open(`tuning/${encodeURIComponent(tuning)}`)}
          >
            {trans.__('trial of %1', tuning)}
          </button>
        </>
      )}
    </span>
  );
}
