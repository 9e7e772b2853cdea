import { showErrorMessage } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { useEffect, useState } from 'react';

import { BottegaError } from '../../api/request';
import type { IStudioEvent } from '../../api/types/studio';
import type {
  IDescribeEndpointOutput,
  IGetEndpointMetricsResponse
} from '../../api/types/hosting';
import {
  Button,
  CopyButton,
  Sparkline,
  Tabs
} from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { StatusChip, statusKind } from '../../shared/components/status';
import { ago, latency, moment, percent } from '../../shared/format';
import type { Live } from '../../shared/hooks/useLive';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';
import { AlarmsTab } from './alarmsTab';
import type { ISample } from './captureTab';
import { CaptureTab } from './captureTab';
import { DELETE_COMMAND } from './commands';
import { ConfigurationTab } from './configuration';
import { DeploymentsTab } from './deploymentsTab';
import { hasComponents } from './components';
import { kindName, kindOf } from './kinds';
import { LogsTab } from './logsTab';
import { OverviewTab } from './overview';
import { RolloutBanner } from './rolloutBanner';
import { ScalingTab } from './scalingTab';
import { TestTab } from './test';
import { errors, recent } from './traffic';

/** Traffic has no events: it is looked at so often while it can be seen. */
const TRAFFIC_MS = 2000;
const WINDOW_SECONDS = 900;
const PERIOD_SECONDS = 5;

/** One endpoint. */
export function EndpointScreen(props: IScreenProps): JSX.Element {
  const { client, studio, trans, name, frame } = props;
  const endpoint = useLive(
    props,
    signal =>
      client.call('sagemaker:DescribeEndpoint', { EndpointName: name }, signal),
    [name],
    { concerns: event => concerns(event, name) }
  );
  const status =
    endpoint.state === 'ready' ? endpoint.value.EndpointStatus : '';
  useEffect(() => frame.setTitle(name, status), [frame, name, status]);
  if (isMissing(endpoint)) {
    return (
      <Empty
        sentence={
          endpoint.state === 'ready'
            ? trans.__('The endpoint %1 was deleted.', name)
            : trans.__('There is no endpoint %1.', name)
        }
        action={{
          label: trans.__('Show all endpoints'),
          run: () => studio.open('endpoints')
        }}
      />
    );
  }
  return (
    <Loadable
      live={endpoint}
      trans={trans}
      what={trans.__('The endpoint cannot be read.')}
    >
      {value => <Content {...props} endpoint={value} />}
    </Loadable>
  );
}

function concerns(event: IStudioEvent, name: string): boolean {
  return event.Kind === 'Endpoint' && event.Name === name;
}

/** SageMaker says with a ValidationException that there is no such endpoint. */
function isMissing(live: Live<unknown>): boolean {
  if (live.state === 'loading') {
    return false;
  }
  const error = live.state === 'error' ? live.error : live.problem;
  return (
    error instanceof BottegaError &&
    error.status === 400 &&
    /could not find|not found/i.test(error.message)
  );
}

function Content(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, trans, frame, name, endpoint, parameters } = props;
  const [sample, setSample] = useState<ISample | null>(null);
  const settledAgain = endpoint.EndpointStatus === 'InService';
  const metrics = useLive(
    props,
    signal =>
      client.call(
        'bottega:GetEndpointMetrics',
        {
          EndpointName: name,
          Seconds: WINDOW_SECONDS,
          PeriodSeconds: PERIOD_SECONDS
        },
        signal
      ),
    [name],
    { every: TRAFFIC_MS }
  );
  return (
    <>
      <Header {...props} />
      {endpoint.FailureReason && (
        <div className="jp-BottegaFailure" role="alert">
          <p className="jp-BottegaFailure-what">
            {settledAgain
              ? trans.__('The last change was undone.')
              : trans.__('The last change failed.')}
          </p>
          <p className="jp-BottegaFailure-message">{endpoint.FailureReason}</p>
        </div>
      )}
      <RolloutBanner {...props} />
      <Figures metrics={metrics} trans={trans} />
      <Tabs
        label={trans.__('Parts of the endpoint')}
        chosen={parameters['tab'] ?? 'overview'}
        onChoose={tab => frame.setParameters({ tab })}
        tabs={[
          {
            id: 'overview',
            label: trans.__('Overview'),
            render: () => <OverviewTab {...props} metrics={metrics} />
          },
          {
            id: 'test',
            label: trans.__('Test'),
            render: () => <TestTab {...props} sample={sample} />
          },
          {
            id: 'deployments',
            label: trans.__('Deployments'),
            render: () => <DeploymentsTab {...props} />
          },
          // Its variants are neither scaled nor measured: its components are.
          ...(hasComponents(endpoint)
            ? []
            : [
                {
                  id: 'scaling',
                  label: trans.__('Scaling'),
                  render: () => <ScalingTab {...props} />
                },
                {
                  id: 'alarms',
                  label: trans.__('Alarms'),
                  render: () => <AlarmsTab {...props} />
                }
              ]),
          {
            id: 'capture',
            label: trans.__('Capture'),
            render: () => (
              <CaptureTab
                {...props}
                onUse={used => {
                  setSample(used);
                  frame.setParameters({ tab: 'test' });
                }}
              />
            )
          },
          {
            id: 'configuration',
            label: trans.__('Configuration'),
            render: () => <ConfigurationTab {...props} />
          },
          {
            id: 'logs',
            label: trans.__('Logs'),
            render: () => <LogsTab {...props} />
          }
        ]}
      />
    </>
  );
}

function Header(
  props: IScreenProps & { endpoint: IDescribeEndpointOutput }
): JSX.Element {
  const { client, studio, trans, frame, name, endpoint } = props;
  const now = useNow(frame, true);
  const variants = endpoint.ProductionVariants ?? [];
  const servers = variants.reduce(
    (sum, variant) => sum + (variant.CurrentInstanceCount ?? 0),
    0
  );
  const kind = kindOf(endpoint);
  const settled = endpoint.EndpointStatus === 'InService';
  const components = hasComponents(endpoint);
  // What has failed, also in being changed, can still be deleted.
  const busy = !settled && statusKind(endpoint.EndpointStatus) !== 'bad';
  const update = async (): Promise<void> => {
    const { updateEndpoint } = await import('./updateDialog');
    try {
      await updateEndpoint(client, endpoint, trans);
    } catch (error) {
      if (!(error instanceof BottegaError)) {
        throw error;
      }
      await showErrorMessage(
        trans.__('The endpoint is not updated'),
        error.message
      );
    }
  };
  return (
    <header className="jp-BottegaHeader">
      <h1>{name}</h1>
      <StatusChip status={endpoint.EndpointStatus} />
      <span className="jp-BottegaHeader-facts">
        {kind !== 'RealTime' && `${kindName(kind, trans)} · `}
        {trans._n('%1 variant', '%1 variants', variants.length)}
        {' · '}
        {trans._n('%1 instance', '%1 instances', servers)}
        {' · '}
        <span title={moment(endpoint.LastModifiedTime)}>
          {trans.__('changed %1', ago(endpoint.LastModifiedTime, now, trans))}
        </span>
      </span>
      <span className="jp-BottegaHeader-actions">
        <CopyButton
          label={trans.__('Copy as Python')}
          trans={trans}
          text={() => asPython(endpoint)}
        />
        <Button
          onClick={() => void studio.openInNotebook(asPython(endpoint), name)}
        >
          {trans.__('Open in notebook')}
        </Button>
        <Button
          disabled={!settled || components}
          title={
            components
              ? trans.__('Its inference components are changed one by one')
              : settled
                ? trans.__('Change models, instances or traffic')
                : trans.__('Only an endpoint in service can be updated')
          }
          onClick={() => void update()}
        >
          {trans.__('Update')}
        </Button>
        <Button
          kind="danger"
          disabled={busy}
          onClick={() => void studio.execute(DELETE_COMMAND, { name })}
        >
          {trans.__('Delete')}
        </Button>
      </span>
    </header>
  );
}

/** The boto3 calls that lead to the same endpoint. */
function asPython(endpoint: IDescribeEndpointOutput): string {
  return `import boto3

sagemaker = boto3.client("sagemaker")
sagemaker.create_endpoint(
    EndpointName="${endpoint.EndpointName}",
    EndpointConfigName="${endpoint.EndpointConfigName ?? ''}",
)
sagemaker.get_waiter("endpoint_in_service").wait(
    EndpointName="${endpoint.EndpointName}", WaiterConfig={"Delay": 1}
)
`;
}

/** The figures of the last minute, each with its course. */
function Figures(props: {
  metrics: Live<IGetEndpointMetricsResponse>;
  trans: TranslationBundle;
}): JSX.Element {
  const { metrics, trans } = props;
  if (metrics.state !== 'ready') {
    return <div className="jp-BottegaFigures" />;
  }
  const { Traffic: traffic, Total: total } = metrics.value;
  const none = '—';
  const figures: Array<[string, string, string, number[]]> = [
    [
      'requests',
      trans.__('Requests a second'),
      traffic.RequestsPerSecond.toFixed(1),
      recent(total.Requests)
    ],
    [
      'p50',
      trans.__('p50 latency'),
      typeof traffic.LatencyP50 === 'number'
        ? latency(traffic.LatencyP50)
        : none,
      recent(total.LatencyP50)
    ],
    [
      'p99',
      trans.__('p99 latency'),
      typeof traffic.LatencyP99 === 'number'
        ? latency(traffic.LatencyP99)
        : none,
      recent(total.LatencyP99)
    ],
    [
      'errors',
      trans.__('Errors'),
      traffic.Requests > 0 ? percent(traffic.Errors / traffic.Requests) : none,
      recent(errors(total))
    ]
  ];
  return (
    <dl
      className="jp-BottegaFigures"
      aria-label={trans.__('Traffic of the last minute')}
    >
      {figures.map(([id, label, value, course]) => (
        <div key={id} className="jp-BottegaCard jp-BottegaFigures-one">
          <dt>{label}</dt>
          <dd data-figure={id}>{value}</dd>
          <dd className="jp-BottegaFigures-course">
            <Sparkline
              values={course}
              kind="running"
              label={trans.__('%1 over the last five minutes', label)}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}
