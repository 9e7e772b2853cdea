import { useEffect } from 'react';

import { BottegaError } from '../../api/request';
import { Card } from '../../shared/components/card';
import {
  Button,
  CopyButton,
  Facts,
  Tabs
} from '../../shared/components/controls';
import { LivePage } from '../../shared/components/livePage';
import { Failure } from '../../shared/components/states';
import { StatusChip } from '../../shared/components/status';
import { FailureCard } from '../../shared/failures/failureCard';
import { logParameters, logPlace } from '../../shared/failures/logPlace';
import { ago, duration, moment } from '../../shared/format';
import { useDeeds } from '../../shared/hooks/useDeeds';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import { LogViewer } from '../../shared/logs/logViewer';
import type { IScreenProps } from '../../tokens';
import { confirmDeleteOther, confirmStopOther } from './acts';
import { isRunning, runtime } from './facts';
import { resourceKind } from './kinds';
import type { IOtherJob, IPlace, OtherKind } from './otherJob';
import { readOtherJob } from './otherJob';

/** One processing job, live. */
export function ProcessingJobScreen(props: IScreenProps): JSX.Element {
  return <OtherJobScreen {...props} kind="Processing" />;
}

/** One transform job, live. */
export function TransformJobScreen(props: IScreenProps): JSX.Element {
  return <OtherJobScreen {...props} kind="Transform" />;
}

function OtherJobScreen(
  props: IScreenProps & { kind: OtherKind }
): JSX.Element {
  const { client, frame, kind, name, studio, trans } = props;
  const live = useLive<IOtherJob>(
    props,
    signal => readOtherJob(client, kind, name, trans, signal),
    [kind, name],
    {
      concerns: event =>
        event.Type === 'ResourceChanged' &&
        event.Kind === resourceKind(kind) &&
        event.Name === name
    }
  );
  const status = live.state === 'ready' ? live.value.status : '';
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
      {job => <OtherJobView {...props} job={job} />}
    </LivePage>
  );
}

/** SageMaker says with a ValidationException that there is no such job. */
function isMissing(error: Error | null): boolean {
  return (
    error instanceof BottegaError &&
    error.code === 'ValidationException' &&
    error.message.startsWith('Could not find')
  );
}

interface IOtherJobProps extends IScreenProps {
  job: IOtherJob;
}

/** A job that is known: header, what it said, and the tabs. */
function OtherJobView(props: IOtherJobProps): JSX.Element {
  const { client, frame, job, parameters, trans } = props;
  const running = isRunning(job.status);
  const show = (id: string): void => frame.setParameters({ tab: id });
  return (
    <>
      <OtherJobHeader {...props} />
      {job.failure && (
        <FailureCard
          {...props}
          kind={job.kind}
          job={job.name}
          reason={job.failure}
          onLog={place => frame.setParameters(logParameters(place))}
        />
      )}
      {job.message && (
        <p className="jp-BottegaHeader-facts">
          {trans.__('Exit message: %1', job.message)}
        </p>
      )}
      <Tabs
        label={trans.__('Parts of the job')}
        chosen={parameters['tab'] ?? 'logs'}
        onChoose={show}
        tabs={[
          {
            id: 'logs',
            label: trans.__('Logs'),
            render: () => (
              <LogViewer
                client={client}
                frame={frame}
                trans={trans}
                group={job.logGroup}
                prefix={`${job.name}/`}
                growing={running}
                place={logPlace(parameters)}
              />
            )
          },
          {
            id: 'data',
            label: trans.__('Data'),
            render: () => <Places {...props} />
          },
          {
            id: 'configuration',
            label: trans.__('Configuration'),
            render: () => <Configuration {...props} />
          }
        ]}
      />
    </>
  );
}

/** The job's name and status, what it is, and what can be done with it. */
function OtherJobHeader(props: IOtherJobProps): JSX.Element {
  const { client, frame, job, studio, trans } = props;
  const running = isRunning(job.status);
  const now = useNow(frame, running);
  const { problem, act } = useDeeds();
  const code = (): string => job.python(new Date());
  const seconds = runtime({ started: job.started, ended: job.ended }, now);

  const remove = async (): Promise<void> => {
    if (await confirmDeleteOther(client, job, trans)) {
      studio.open('jobs');
      frame.close();
    }
  };
  return (
    <>
      <header className="jp-BottegaHeader" data-state="ready">
        <h1>{job.name}</h1>
        <StatusChip status={job.status} />
        <span className="jp-BottegaHeader-facts">
          {job.kind === 'Processing'
            ? trans.__('processing job')
            : trans.__('transform job of %1', job.program)}
          {' · '}
          {job.instances}
          {' · '}
          <span title={moment(job.created)}>
            {trans.__('started %1', ago(job.created, now, trans))}
          </span>
          {seconds !== null && ` · ${duration(seconds)}`}
        </span>
        <div className="jp-BottegaHeader-actions">
          <CopyButton
            text={code}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
          <Button onClick={act(() => studio.openInNotebook(code(), job.name))}>
            {trans.__('Open in notebook')}
          </Button>
          {running && (
            <Button
              kind="danger"
              disabled={job.status === 'Stopping'}
              onClick={act(() => confirmStopOther(client, job, trans))}
            >
              {trans.__('Stop')}
            </Button>
          )}
          {!running && job.kind === 'Processing' && (
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

/** Where the job reads and where it writes. */
function Places({ job, trans }: IOtherJobProps): JSX.Element {
  return (
    <div className="jp-BottegaGrid jp-BottegaConfiguration">
      <Card title={trans.__('Inputs')}>
        <PlaceTable
          places={job.inputs}
          none={trans.__('The job was given no inputs.')}
          trans={trans}
        />
      </Card>
      <Card title={trans.__('Outputs')}>
        <PlaceTable
          places={job.outputs}
          none={trans.__('The job has no outputs.')}
          trans={trans}
        />
      </Card>
    </div>
  );
}

function PlaceTable(props: {
  places: readonly IPlace[];
  none: string;
  trans: IScreenProps['trans'];
}): JSX.Element {
  const { places, trans } = props;
  if (places.length === 0) {
    return <p>{props.none}</p>;
  }
  return (
    <table className="jp-BottegaPlainTable">
      <thead>
        <tr>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col">{trans.__('URI')}</th>
          <th scope="col">{trans.__('Details')}</th>
        </tr>
      </thead>
      <tbody>
        {places.map(place => (
          <tr key={place.name}>
            <th scope="row">{place.name}</th>
            <td>{place.uri}</td>
            <td>{place.detail}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** What the job was asked to do. */
function Configuration({ job, trans }: IOtherJobProps): JSX.Element {
  return (
    <div className="jp-BottegaGrid jp-BottegaConfiguration">
      <Card title={trans.__('Job')}>
        <Facts facts={job.facts} />
      </Card>
      <Card title={trans.__('Environment')}>
        {job.environment.length > 0 ? (
          <Facts facts={job.environment} />
        ) : (
          <p>{trans.__('No variables were set.')}</p>
        )}
      </Card>
    </div>
  );
}
