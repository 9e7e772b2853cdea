import type { TranslationBundle } from '@jupyterlab/translation';

import type { IAlgorithmDescription, IFinding } from '../../api/types/training';
import type { IDraft } from './draft';
import { error, FIELDS } from './findings';
import type { IRange, ISearch } from './search';
import { choicesOf } from './search';

/** The field of a range. */
export function rangeField(name: string): string {
  return `ParameterRanges.${name}`;
}

/**
 * What is wrong with a search, as far as the form can see.
 *
 * @param algorithm the built-in algorithm that is tuned; null for scripts.
 * @param sources the data by channel.
 */
export function searchFindings(
  search: ISearch,
  algorithm: IAlgorithmDescription | null,
  sources: IDraft['sources'],
  trans: TranslationBundle
): IFinding[] {
  const found = search.ranges.flatMap(range =>
    rangeProblems(range, search, trans).map(problem =>
      error(rangeField(range.name), problem)
    )
  );
  if (search.ranges.length === 0) {
    found.push(
      error(
        FIELDS.ranges,
        trans.__('Choose at least one hyperparameter to search for.')
      )
    );
  }
  if (search.metric.trim() === '') {
    found.push(error(FIELDS.metric, trans.__('Choose the metric to go by.')));
  }
  const [channel = ''] = search.metric.split(':', 1);
  if (
    channel !== 'train' &&
    algorithm?.Channels.some(item => item.Name === channel) &&
    !sources[channel]
  ) {
    found.push(
      error(
        FIELDS.metric,
        trans.__(
          '%1 is reported only with data in the channel %2. Add them under Data, or choose a metric of the training data.',
          search.metric,
          channel
        )
      )
    );
  }
  if (search.strategy !== 'Grid' && !isCount(search.trials)) {
    found.push(
      error(
        FIELDS.trials,
        trans.__('The number of trials must be a whole number from 1 on.')
      )
    );
  }
  if (!isCount(search.parallel)) {
    found.push(
      error(
        FIELDS.parallel,
        trans.__('At least one trial runs at a time: give a whole number.')
      )
    );
  }
  if (
    search.strategy === 'Hyperband' &&
    ![search.leastEpochs, search.mostEpochs].every(
      value => isNaN(value) || isCount(value)
    )
  ) {
    found.push(
      error(
        FIELDS.epochs,
        trans.__('Epochs are whole numbers from 1 on, or left out.')
      )
    );
  }
  return found;
}

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 1;
}

function rangeProblems(
  range: IRange,
  search: ISearch,
  trans: TranslationBundle
): string[] {
  const { name } = range;
  if (range.kind === 'Categorical') {
    return choicesOf(range).length === 0
      ? [trans.__('%1 needs values to choose from, with commas.', name)]
      : [];
  }
  if (search.strategy === 'Grid') {
    return [
      trans.__(
        'Grid tries every combination of categories; %1 is a range of numbers. Search it with another strategy.',
        name
      )
    ];
  }
  const ends = [range.low, range.high].map(text =>
    text.trim() === '' ? NaN : Number(text)
  );
  const [low = NaN, high = NaN] = ends;
  if (!ends.every(Number.isFinite)) {
    return [trans.__('%1 needs a lowest and a highest number.', name)];
  }
  if (range.kind === 'Integer' && !ends.every(Number.isInteger)) {
    return [trans.__('%1 takes whole numbers.', name)];
  }
  if (low >= high) {
    return [
      trans.__(
        'The lowest value of %1, %2, must be less than the highest, %3.',
        name,
        range.low,
        range.high
      )
    ];
  }
  if (range.scaling === 'Logarithmic' && low <= 0) {
    return [trans.__('%1 can be scaled by logarithms only above zero.', name)];
  }
  if (range.scaling === 'ReverseLogarithmic') {
    return range.kind === 'Integer'
      ? [trans.__('%1: whole numbers have no reverse logarithms.', name)]
      : low < 0 || high >= 1
        ? [
            trans.__(
              '%1 can be scaled by reverse logarithms only from 0 to less than 1.',
              name
            )
          ]
        : [];
  }
  return [];
}
