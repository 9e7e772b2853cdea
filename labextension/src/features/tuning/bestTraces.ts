import type { TranslationBundle } from '@jupyterlab/translation';

import type { ITuningBestCourse } from '../../api/types/tuning';
import type { IChartTheme } from '../../shared/charts/theme';
import { seriesColour } from '../../shared/charts/theme';

/**
 * A point for each trial that has ended, and the best so far as steps.
 *
 * @param options.begin when the tuning job was created, in seconds.
 */
export function bestTraces(
  course: ITuningBestCourse,
  options: {
    axis: 'trials' | 'time';
    begin: number;
    theme: IChartTheme;
    trans: TranslationBundle;
  }
): object[] {
  const { axis, begin, theme, trans } = options;
  const x =
    axis === 'time'
      ? course.Times.map(time => Math.max(0, time - begin))
      : course.Numbers.map((_, index) => index + 1);
  return [
    {
      type: 'scatter',
      mode: 'markers',
      name: trans.__('Trial'),
      x,
      y: course.Values,
      text: course.Numbers.map(number => trans.__('trial %1', number)),
      hovertemplate: '%{text}: %{y}<extra></extra>',
      marker: { size: 7, color: seriesColour(theme, 1), opacity: 0.7 }
    },
    {
      type: 'scatter',
      // A line of one point would not be seen.
      mode: course.Best.length === 1 ? 'markers' : 'lines',
      name: trans.__('Best so far'),
      x,
      y: course.Best,
      hovertemplate: `${trans.__('best so far')}: %{y}<extra></extra>`,
      line: { shape: 'hv', width: 2, color: seriesColour(theme, 0) },
      marker: { color: seriesColour(theme, 0) }
    }
  ];
}
