import { showErrorMessage } from '@jupyterlab/apputils';
import type { ComponentType } from 'react';
import { useEffect, useState } from 'react';

import type {
  IListRunColumnsResponse,
  ITrackedExperiment
} from '../../api/types/experiments';
import { Empty, Loadable } from '../../shared/components/states';
import { useLive } from '../../shared/hooks/useLive';
import type { IScreenProps } from '../../tokens';
import { ExperimentView } from './experimentView';
import type { IColumnLayout } from './model/layout';
import { defaultLayout } from './model/layout';
import type { ILayoutMemory } from './model/memory';
import { followRuns } from './model/runs';

const EXPERIMENTS_A_CALL = 500;

/** What is known of an experiment. */
interface IKnown {
  experiment: ITrackedExperiment;
  columns: IListRunColumnsResponse;
  kept: IColumnLayout | null;
}

/** The screen of one experiment, with a memory for its columns. */
export function experimentScreen(
  memory: ILayoutMemory
): ComponentType<IScreenProps> {
  return function ExperimentScreen(props: IScreenProps): JSX.Element {
    const { client, frame, name, studio, trans } = props;
    const live = useLive<IKnown | null>(
      props,
      async signal => {
        const [experiment, columns, kept] = await Promise.all([
          findExperiment(client, name, signal),
          client.call(
            'bottega:ListRunColumns',
            { ExperimentIds: [name] },
            signal
          ),
          memory.read(name)
        ]);
        return experiment && { experiment, columns, kept };
      },
      [name],
      followRuns(name)
    );
    const title =
      live.state === 'ready' && live.value ? live.value.experiment.Name : name;
    useEffect(() => frame.setTitle(title), [frame, title]);
    return (
      <Loadable
        live={live}
        trans={trans}
        rows={12}
        what={trans.__('The experiment cannot be read.')}
      >
        {known =>
          known ? (
            <WithLayout {...props} {...known} memory={memory} />
          ) : (
            <Empty
              sentence={trans.__('There is no experiment %1.', name)}
              action={{
                label: trans.__('Show all experiments'),
                run: () => studio.open('experiments')
              }}
            />
          )
        }
      </Loadable>
    );
  };
}

/** The columns: as they were kept, or as they are until something is chosen. */
function WithLayout(
  props: IScreenProps & IKnown & { memory: ILayoutMemory }
): JSX.Element {
  const { columns, kept, memory, name, trans } = props;
  const [chosen, setChosen] = useState(kept);
  const change = (layout: IColumnLayout | null): void => {
    setChosen(layout);
    memory
      .keep(name, layout)
      .catch((error: unknown) =>
        showErrorMessage(trans.__('The columns cannot be kept'), error as Error)
      );
  };
  return (
    <ExperimentView
      {...props}
      layout={chosen ?? defaultLayout(columns)}
      onLayout={change}
    />
  );
}

/** The experiment with an id; null when there is none. */
async function findExperiment(
  client: IScreenProps['client'],
  id: string,
  signal: AbortSignal
): Promise<ITrackedExperiment | null> {
  for (let offset = 0; ; offset += EXPERIMENTS_A_CALL) {
    const { Experiments, Total } = await client.call(
      'bottega:ListTrackedExperiments',
      { Offset: offset, MaxResults: EXPERIMENTS_A_CALL },
      signal
    );
    const found = Experiments.find(item => item.ExperimentId === id);
    if (found || offset + EXPERIMENTS_A_CALL >= Total) {
      return found ?? null;
    }
  }
}
