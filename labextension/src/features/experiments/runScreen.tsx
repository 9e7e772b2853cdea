import { useEffect } from 'react';

import type { IDescribeRunResponse } from '../../api/types/experiments';
import { Button, CopyButton, Tabs } from '../../shared/components/controls';
import { Loadable } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { ago, moment } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import { deployRun, registerRun, suggestedName } from './acts';
import { RunDuration } from './columns';
import { Link } from './link';
import { runCode } from './model/code';
import { followRuns } from './model/runs';
import { Artifacts, DataAndEnvironment, Values } from './runFacts';
import { RunMetrics } from './runMetrics';

/** Everything about one run. */
export function RunScreen(props: IScreenProps): JSX.Element {
  const { client, frame, name, trans } = props;
  const live = useLive(
    props,
    signal => client.call('bottega:DescribeRun', { RunId: name }, signal),
    [name],
    // Which experiment it is in is known only afterwards.
    followRuns()
  );
  const run = live.state === 'ready' ? live.value.Run : null;
  useEffect(
    () => frame.setTitle(run?.RunName ?? name, run?.Status ?? ''),
    [frame, name, run]
  );
  return (
    <Loadable
      live={live}
      trans={trans}
      rows={12}
      what={trans.__('The run cannot be read.')}
    >
      {described => <Described {...props} described={described} />}
    </Loadable>
  );
}

function Described(
  props: IScreenProps & { described: IDescribeRunResponse }
): JSX.Element {
  const { described, frame, parameters, studio, trans } = props;
  const { Run: run, ExperimentName: experiment } = described;
  const open = (path: string): void => studio.open(path);
  const code = (): string => runCode(run.RunId, described.LoggedModels);
  return (
    <>
      <div className="jp-BottegaHeader">
        <h1>{run.RunName}</h1>
        <StatusChip status={run.Status} />
        <span className="jp-BottegaHeader-facts">
          <Link path={`experiments/${run.ExperimentId}`} open={open}>
            {experiment}
          </Link>
          {run.TrainingJobName && (
            <>
              {' · '}
              <Link
                path={`jobs/${encodeURIComponent(run.TrainingJobName)}`}
                open={open}
              >
                {run.TrainingJobName}
              </Link>
            </>
          )}
          {run.StartTime !== undefined && (
            <span title={moment(run.StartTime)}>
              {' · '}
              {trans.__(
                'started %1',
                ago(run.StartTime, Date.now() / 1000, trans)
              )}
            </span>
          )}
          {' · '}
          <RunDuration run={run} frame={frame} />
        </span>
        <div className="jp-BottegaExperiment-acts">
          <CopyButton
            text={code}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
          <Button
            onClick={() => void studio.openInNotebook(code(), run.RunName)}
          >
            {trans.__('Open in notebook')}
          </Button>
          <Button
            onClick={() =>
              void registerRun(props, run, suggestedName(experiment))
            }
          >
            {trans.__('Register…')}
          </Button>
          <Button kind="primary" onClick={() => void deployRun(props, run)}>
            {trans.__('Deploy…')}
          </Button>
        </div>
      </div>
      <Tabs
        label={trans.__('Run')}
        chosen={parameters['tab'] ?? 'metrics'}
        onChoose={tab => frame.setParameters({ tab })}
        tabs={[
          {
            id: 'metrics',
            label: trans.__('Metrics'),
            render: () => <RunMetrics {...props} run={run} />
          },
          {
            id: 'parameters',
            label: trans.__('Parameters'),
            render: () => (
              <Values
                values={run.Params}
                label={trans.__('Parameters')}
                empty={trans.__('The run has no parameters.')}
                trans={trans}
              />
            )
          },
          {
            id: 'artifacts',
            label: trans.__('Artifacts'),
            render: () => <Artifacts {...props} />
          },
          {
            id: 'data',
            label: trans.__('Data and environment'),
            render: () => <DataAndEnvironment {...props} />
          },
          {
            id: 'tags',
            label: trans.__('Tags'),
            render: () => (
              <Values
                values={run.Tags}
                label={trans.__('Tags')}
                empty={trans.__('The run has no tags.')}
                trans={trans}
              />
            )
          }
        ]}
      />
    </>
  );
}
