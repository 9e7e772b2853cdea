import { Button, CopyButton } from '../../shared/components/controls';
import { Failure } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, duration, moment } from '../../shared/format';
import { useDeeds } from '../../shared/hooks/useDeeds';
import { useLive } from '../../shared/hooks/useLive';
import { confirmDelete, confirmStop } from './acts';
import { directionText, isRunning, objectiveOf, runtime } from './facts';
import type { ITuningJob } from './python';
import { trialsPython, tuningPython } from './python';
import type { ITuningViewProps } from './tuningView';

/** The tuning job's name and status, what it searches, and what can be done with it. */
export function TuningHeader(
  props: ITuningViewProps & { now: number; job: ITuningJob | null }
): JSX.Element {
  const { client, frame, job, name, progress, studio, trans } = props;
  const { problem, act } = useDeeds();
  const { BestTrial: best, Status: status } = progress;
  const arn = job?.HyperParameterTuningJobArn ?? '';
  const tags = useLive(
    props,
    async signal =>
      arn
        ? ((
            await client.call(
              'sagemaker:ListTags',
              { ResourceArn: arn, MaxResults: 100 },
              signal
            )
          ).Tags ?? [])
        : [],
    [arn]
  );
  const code = (): string =>
    job
      ? tuningPython(job, tags.state === 'ready' ? tags.value : [], new Date())
      : '';

  const remove = async (): Promise<void> => {
    if (await confirmDelete(client, name, trans)) {
      studio.open('tuning');
      frame.close();
    }
  };
  return (
    <>
      <header className="jp-BottegaHeader" data-state="ready">
        <h1>{name}</h1>
        <StatusChip status={status} />
        <TuningFacts {...props} />
        <div className="jp-BottegaHeader-actions">
          {job && (
            <CopyButton
              text={code}
              label={trans.__('Copy as Python')}
              trans={trans}
            />
          )}
          <Button
            title={trans.__('The trials as a table, and the best of them')}
            onClick={act(() => studio.openInNotebook(trialsPython(name), name))}
          >
            {trans.__('Open in notebook')}
          </Button>
          {best?.Status === 'Completed' && !best.Deleted && (
            <Button
              title={trans.__(
                'Put the model of %1 behind an endpoint',
                best.TrainingJobName
              )}
              onClick={act(() =>
                studio.execute('bottega:deploy', { job: best.TrainingJobName })
              )}
            >
              {trans.__('Deploy best')}
            </Button>
          )}
          {isRunning(status) ? (
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

/** In one line: what is searched for, how, since when, and for how long. */
function TuningFacts(props: ITuningViewProps & { now: number }): JSX.Element {
  const { now, progress, trans } = props;
  const objective = objectiveOf(progress);
  const facts = [
    progress.Strategy,
    objective.Algorithm,
    `${objective.MetricName}, ${directionText(objective.Type, trans)}`
  ].filter(Boolean);
  return (
    <span className="jp-BottegaHeader-facts">
      {facts.join(' · ')}
      {' · '}
      <span title={moment(progress.CreationTime)}>
        {trans.__('started %1', ago(progress.CreationTime, now, trans))}
      </span>
      {` · ${duration(runtime(progress, now))}`}
    </span>
  );
}
