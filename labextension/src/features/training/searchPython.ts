import { pythonLiteral, pythonString } from '../../shared/python';
import type { IRange, ISearch } from './search';
import { choicesOf, endText } from './search';

/** The arguments of the SDK's `tune` that say how to search: names and Python source. */
export function searchOptions(
  search: ISearch,
  isBuiltIn: boolean
): Array<[string, string]> {
  const { leastEpochs: least, mostEpochs: most } = search;
  const ranges = search.ranges
    .map(
      range => `        ${pythonString(range.name)}: ${rangeSource(range)},\n`
    )
    .join('');
  const options: Array<[string, string] | false> = [
    ['objective_metric', pythonString(search.metric)],
    !isBuiltIn && ['objective_type', pythonString(search.direction)],
    ['ranges', `{\n${ranges}    }`],
    ['strategy', pythonString(search.strategy)],
    search.strategy !== 'Grid' && ['max_jobs', String(search.trials)],
    ['max_parallel_jobs', String(search.parallel)],
    search.earlyStopping &&
      search.strategy !== 'Hyperband' && ['early_stopping', 'True'],
    search.strategy === 'Hyperband' &&
      !(isNaN(least) && isNaN(most)) && [
        'resources',
        `(${[least, most].map(end => (isNaN(end) ? 'None' : end)).join(', ')})`
      ]
  ];
  return options.filter(option => option !== false);
}

function rangeSource(range: IRange): string {
  if (range.kind === 'Categorical') {
    return `[${choicesOf(range).map(pythonString).join(', ')}]`;
  }
  const scaling =
    range.scaling === 'Auto' ? '' : `, ${pythonLiteral(range.scaling)}`;
  return `(${number(range.low, range)}, ${number(range.high, range)}${scaling})`;
}

/** A number as Python has it; one of a continuous range is no whole number there. */
function number(text: string, range: IRange): string {
  const value = endText(text, range.kind);
  return range.kind === 'Continuous' && /^[-+]?\d+$/.test(value)
    ? `${value}.0`
    : value;
}
