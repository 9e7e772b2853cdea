import { useEffect } from 'react';

import { Empty, Failure, Skeleton } from '../../shared/components/states';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import type { IProgress } from './facts';
import { concernsTuning, isMissing } from './facts';
import { TuningView } from './tuningView';

/** One tuning job, live from its creation to why it ended. */
export function TuningScreen(props: IScreenProps): JSX.Element {
  const { client, frame, name, studio, trans } = props;
  const live = useLive<IProgress>(
    props,
    signal =>
      client.call(
        'bottega:DescribeTuningProgress',
        { TuningJobName: name },
        signal
      ),
    [name],
    { concerns: event => concernsTuning(event, name) }
  );
  const status = live.state === 'ready' ? live.value.Status : '';
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
            ? trans.__('The tuning job %1 was deleted.', name)
            : trans.__('There is no tuning job %1.', name)
        }
        action={{
          label: trans.__('Open all tuning jobs'),
          run: () => studio.open('tuning')
        }}
      />
    );
  }
  if (live.state === 'error') {
    return (
      <Failure
        error={live.error}
        trans={trans}
        what={trans.__('The tuning job cannot be read.')}
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
      <TuningView {...props} progress={live.value} />
    </>
  );
}
