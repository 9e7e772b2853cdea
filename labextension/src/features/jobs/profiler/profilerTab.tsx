import { useState } from 'react';

import type { IGetTrainingJobTimelineResponse } from '../../../api/types/debugger';
import { Empty, Loadable } from '../../../shared/components/states';
import { useKept } from '../../../shared/hooks/useKept';
import { useLive } from '../../../shared/hooks/useLive';
import { useSettled } from '../../../shared/hooks/useSettled';
import { concernsJob, POLL_MS } from '../debugger/facts';
import { isRunning } from '../facts';
import type { IJobViewProps } from '../jobView';
import { ProfilingSwitch } from './profilingSwitch';
import { TimelineChart } from './timelineChart';
import type { Span } from './view';

const MAX_POINTS = 600;
const MAX_EVENTS = 3000;
/** What is looked at is read when it has stood still for so long, in milliseconds. */
const SETTLED_MS = 150;

/** What the job used of its machines and in which phase it was, on one axis of time. */
export function ProfilerTab(props: IJobViewProps): JSX.Element {
  const { client, job, trans } = props;
  const name = job.TrainingJobName;
  const running = isRunning(job.TrainingJobStatus);
  const [span, setSpan] = useState<Span | null>(null);
  const window = useSettled(span, SETTLED_MS);
  const read = useLive(
    props,
    signal =>
      client.call(
        'bottega:GetTrainingJobTimeline',
        {
          TrainingJobName: name,
          MaxPoints: MAX_POINTS,
          MaxEvents: MAX_EVENTS,
          ...(window ? { From: window[0], To: window[1] } : {})
        },
        signal
      ),
    [name, running, window?.[0], window?.[1]],
    { concerns: concernsJob(name), every: running ? POLL_MS : null }
  );
  // What was read of another window is drawn until this one's is there.
  const live = useKept(read);
  const draw = (timeline: IGetTrainingJobTimelineResponse): JSX.Element =>
    isEmpty(timeline) && span === null ? (
      <Empty
        sentence={
          running
            ? trans.__('Nothing has been measured yet.')
            : trans.__('Nothing was measured while the job ran.')
        }
      />
    ) : (
      <TimelineChart
        {...props}
        timeline={timeline}
        span={span}
        onSpan={setSpan}
      />
    );
  return (
    <>
      <ProfilingSwitch {...props} />
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The timeline cannot be read.')}
      >
        {draw}
      </Loadable>
    </>
  );
}

function isEmpty(timeline: IGetTrainingJobTimelineResponse): boolean {
  return (
    timeline.Begin === undefined ||
    (timeline.Lanes.length === 0 &&
      timeline.Hosts.every(host => host.Series.length === 0))
  );
}
