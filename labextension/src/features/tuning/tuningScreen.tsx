import { useEffect } from 'react';

import { LivePage } from '../../shared/components/livePage';
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

  return (
    <LivePage
      live={live}
      trans={trans}
      isMissing={isMissing}
      deleted={trans.__('The tuning job %1 was deleted.', name)}
      missing={trans.__('There is no tuning job %1.', name)}
      all={{
        label: trans.__('Open all tuning jobs'),
        run: () => studio.open('tuning')
      }}
      what={trans.__('The tuning job cannot be read.')}
    >
      {progress => <TuningView {...props} progress={progress} />}
    </LivePage>
  );
}
