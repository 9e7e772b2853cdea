import { useMemo, useState } from 'react';

import type { IMetricCourse } from '../../api/types/training';
import { Tabs } from '../../shared/components/controls';
import { logPlace } from '../../shared/failures/logPlace';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import { LogViewer } from '../../shared/logs/logViewer';
import type { IScreenProps } from '../../tokens';
import { ArtifactsTab } from './artifactsTab';
import { ConfigurationTab } from './configurationTab';
import { DataTab } from './dataTab';
import { DebuggerTab } from './debugger/debuggerTab';
import { rulesThatFired } from './debugger/facts';
import type { IJob } from './facts';
import { isRunning, LOG_GROUP } from './facts';
import { JobFailure } from './failureOfJob';
import { JobHeader } from './jobHeader';
import { MetricControls } from './metrics/metricControls';
import { MetricsTab } from './metrics/metricsTab';
import { ProfilerTab } from './profiler/profilerTab';
import { progressOf } from './progress';
import { SystemTab } from './systemTab';
import { timeline } from './timeline';
import { TimelineBar } from './timelineBar';

const NO_COURSES: IMetricCourse[] = [];

/** What the parts of a job's screen are given. */
export interface IJobViewProps extends IScreenProps {
  job: IJob;
}

/** A job that is known: header, timeline, what went wrong, and the tabs. */
export function JobView(props: IJobViewProps): JSX.Element {
  const { client, frame, job, parameters, studio, trans } = props;
  const name = job.TrainingJobName;
  const running = isRunning(job.TrainingJobStatus);
  const now = useNow(frame, running);
  const metrics = useLive(
    props,
    signal =>
      client.call(
        'bottega:GetTrainingJobMetrics',
        { TrainingJobName: name },
        signal
      ),
    [name],
    { concerns: event => event.Kind === 'TrainingJob' && event.Name === name }
  );
  const tags = useLive(
    props,
    async signal =>
      (
        await client.call(
          'sagemaker:ListTags',
          { ResourceArn: job.TrainingJobArn, MaxResults: 100 },
          signal
        )
      ).Tags ?? [],
    [job.TrainingJobArn]
  );
  const [smoothing, setSmoothing] = useState(studio.settings.smoothing);
  const courses =
    metrics.state === 'ready' ? metrics.value.Metrics : NO_COURSES;
  const transitions = job.SecondaryStatusTransitions;
  const steps = useMemo(
    () => timeline(transitions ?? [], running, now),
    [transitions, running, now]
  );
  const fired = rulesThatFired(job);
  const tab = parameters['tab'] ?? 'metrics';
  const compare = parameters['compare'] ?? '';
  const show = (id: string): void => frame.setParameters({ tab: id });
  return (
    <>
      <JobHeader
        {...props}
        now={now}
        tags={tags.state === 'ready' ? tags.value : []}
      />
      <TimelineBar
        steps={steps}
        progress={running ? progressOf(job, courses, now) : null}
        trans={trans}
      />
      <JobFailure {...props} />
      <Tabs
        label={trans.__('Parts of the job')}
        chosen={tab}
        onChoose={show}
        aside={
          tab === 'metrics' && (
            <MetricControls
              {...props}
              smoothing={smoothing}
              onSmoothing={setSmoothing}
              compare={compare}
              onCompare={other => frame.setParameters({ compare: other })}
            />
          )
        }
        tabs={[
          {
            id: 'metrics',
            label: trans.__('Metrics'),
            render: () => (
              <MetricsTab
                {...props}
                metrics={metrics}
                smoothing={smoothing}
                compare={compare}
                onLogs={() => show('logs')}
              />
            )
          },
          {
            id: 'logs',
            label: trans.__('Logs'),
            render: () => (
              <LogViewer
                client={client}
                frame={frame}
                trans={trans}
                group={LOG_GROUP}
                prefix={`${name}/`}
                growing={running}
                place={logPlace(parameters)}
              />
            )
          },
          {
            id: 'configuration',
            label: trans.__('Configuration'),
            render: () => <ConfigurationTab {...props} tags={tags} />
          },
          {
            id: 'data',
            label: trans.__('Data'),
            render: () => <DataTab {...props} />
          },
          {
            id: 'system',
            label: trans.__('System'),
            render: () => <SystemTab {...props} />
          },
          {
            id: 'debugger',
            label: trans.__('Debugger'),
            ...(fired > 0 ? { badge: String(fired) } : {}),
            render: () => <DebuggerTab {...props} />
          },
          {
            id: 'profiler',
            label: trans.__('Profiler'),
            render: () => <ProfilerTab {...props} />
          },
          {
            id: 'artifacts',
            label: trans.__('Artifacts'),
            render: () => <ArtifactsTab {...props} />
          }
        ]}
      />
    </>
  );
}
