import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITuningOverview } from '../../api/types/tuning';
import { measured } from '../../shared/format';
import type { IBottegaClient, ISection, ISectionItem } from '../../tokens';
import { TUNE_COMMAND } from './commands';
import { concernsTunings, doneText, isRunning, tuningPath } from './facts';

const NEWEST = 5;

/** The sidebar's section: how many run, and the newest. */
export function tuningSection(
  client: IBottegaClient,
  trans: TranslationBundle
): ISection {
  return {
    id: 'tuning',
    label: trans.__('Tuning'),
    rank: 40,
    path: 'tuning',
    empty: trans.__('No model has been tuned here yet.'),
    create: { label: trans.__('Tune a model'), command: TUNE_COMMAND },
    concerns: concernsTunings,
    load: async () => {
      const [page, activity] = await Promise.all([
        client.call('bottega:ListTuningOverviews', { MaxResults: NEWEST }),
        client.call('bottega:DescribeActivity', {})
      ]);
      const statuses =
        activity.Kinds.find(kind => kind.Kind === 'HyperParameterTuningJob')
          ?.Statuses ?? {};
      const running =
        (statuses['InProgress'] ?? 0) + (statuses['Stopping'] ?? 0);
      return {
        count:
          running > 0
            ? trans.__('%1 running', running)
            : page.Total > 0
              ? page.Total.toLocaleString()
              : '',
        items: page.Tunings.map(item)
      };
    }
  };
}

function item(tuning: ITuningOverview): ISectionItem {
  return {
    label: tuning.TuningJobName,
    path: tuningPath(tuning.TuningJobName),
    status: tuning.Status,
    note:
      isRunning(tuning.Status) || tuning.BestValue === undefined
        ? doneText(tuning.Trials)
        : measured(tuning.BestValue)
  };
}
