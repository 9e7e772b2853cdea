import { algorithmOf } from './draft';
import { Field } from './fields';
import { FIELDS } from './findings';
import { NumberInput } from './resourcesStep';
import type { ISearchProps } from './rangeFields';
import { Ranges } from './rangeFields';
import type { ISearch } from './search';
import { directionOf, STRATEGIES } from './search';
import type { IStepProps } from './step';
import { problemOf } from './step';

/** What is searched, by what it is judged, and how long. */
export function SearchStep(
  props: IStepProps & { search: ISearch }
): JSX.Element {
  const { model, draft, catalog, search, trans } = props;
  const algorithm = algorithmOf(draft, catalog);
  const change = (part: Partial<ISearch>): void =>
    model.edit({ search: { ...search, ...part } });
  const step = { ...props, algorithm, change };
  return (
    <section aria-labelledby="bottega-train-search">
      <h2 id="bottega-train-search">{trans.__('3 · Search')}</h2>
      <h3>{trans.__('Ranges')}</h3>
      <Ranges {...step} />
      <h3>{trans.__('Objective and limits')}</h3>
      <div className="jp-BottegaTraining-grid">
        <Metric {...step} />
        <Strategy {...step} />
        {search.strategy !== 'Grid' && (
          <Field
            label={trans.__('Trials')}
            field={FIELDS.trials}
            hint={trans.__('How many models are trained.')}
            problem={problemOf(props.findings, FIELDS.trials)}
          >
            {attributes => (
              <NumberInput
                attributes={attributes}
                value={search.trials}
                step={1}
                onChange={trials => change({ trials })}
              />
            )}
          </Field>
        )}
        <Field
          label={trans.__('At a time')}
          field={FIELDS.parallel}
          hint={trans.__('Fewer at a time learn more from those before.')}
          problem={problemOf(props.findings, FIELDS.parallel)}
        >
          {attributes => (
            <NumberInput
              attributes={attributes}
              value={search.parallel}
              step={1}
              onChange={parallel => change({ parallel })}
            />
          )}
        </Field>
        {search.strategy === 'Hyperband' && <Epochs {...step} />}
      </div>
      {search.strategy !== 'Hyperband' && (
        <label className="jp-BottegaTraining-check">
          <input
            type="checkbox"
            checked={search.earlyStopping}
            onChange={event => change({ earlyStopping: event.target.checked })}
          />
          {trans.__(
            'Stop trials early that are worse than the median of those before'
          )}
        </label>
      )}
    </section>
  );
}

function Metric(props: ISearchProps): JSX.Element {
  const { algorithm, change, draft, findings, search, trans } = props;
  const names = algorithm
    ? algorithm.Metrics.map(item => item.Name)
    : draft.trainer.kind === 'script'
      ? Object.keys(draft.trainer.metrics)
      : [];
  const told = directionOf(algorithm, search.metric);
  return (
    <>
      <Field
        label={trans.__('Objective metric')}
        field={FIELDS.metric}
        hint={
          algorithm
            ? trans.__('The algorithm has to report it with these data.')
            : trans.__('One of the metrics in the log of the script.')
        }
        problem={problemOf(findings, FIELDS.metric)}
      >
        {attributes => (
          <select
            {...attributes}
            className="jp-BottegaInput"
            value={search.metric}
            onChange={event =>
              change({
                metric: event.target.value,
                direction:
                  directionOf(algorithm, event.target.value) ?? search.direction
              })
            }
          >
            {!names.includes(search.metric) && (
              <option value={search.metric}>{search.metric}</option>
            )}
            {names.map(metric => (
              <option key={metric} value={metric}>
                {metric}
              </option>
            ))}
          </select>
        )}
      </Field>
      <Field label={trans.__('Better is')} field={FIELDS.direction}>
        {attributes => (
          <select
            {...attributes}
            className="jp-BottegaInput"
            disabled={told !== null}
            value={search.direction}
            onChange={event =>
              change({
                direction:
                  event.target.value === 'Maximize' ? 'Maximize' : 'Minimize'
              })
            }
          >
            <option value="Minimize">{trans.__('lower')}</option>
            <option value="Maximize">{trans.__('higher')}</option>
          </select>
        )}
      </Field>
    </>
  );
}

function Strategy(props: ISearchProps): JSX.Element {
  const { change, search, trans } = props;
  const hints: Record<ISearch['strategy'], string> = {
    Bayesian: trans.__('Learns from the trials before where to look.'),
    Random: trans.__('Draws each trial by itself.'),
    Hyperband: trans.__(
      'Begins many trials and goes on with the best; needs a metric for each epoch.'
    ),
    Grid: trans.__('Tries every combination of categories.')
  };
  return (
    <Field
      label={trans.__('Strategy')}
      field={FIELDS.strategy}
      hint={hints[search.strategy]}
    >
      {attributes => (
        <select
          {...attributes}
          className="jp-BottegaInput"
          value={search.strategy}
          onChange={event =>
            change({
              strategy:
                STRATEGIES.find(item => item === event.target.value) ??
                'Bayesian'
            })
          }
        >
          {STRATEGIES.map(strategy => (
            <option key={strategy} value={strategy}>
              {strategy}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Epochs(props: ISearchProps): JSX.Element {
  const { change, findings, search, trans } = props;
  return (
    <>
      <Field
        label={trans.__('Fewest epochs')}
        field={FIELDS.epochs}
        hint={trans.__('May be left out.')}
        problem={problemOf(findings, FIELDS.epochs)}
      >
        {attributes => (
          <NumberInput
            attributes={attributes}
            value={search.leastEpochs}
            step={1}
            onChange={leastEpochs => change({ leastEpochs })}
          />
        )}
      </Field>
      <Field
        label={trans.__('Most epochs')}
        field={`${FIELDS.epochs}.Max`}
        hint={trans.__('May be left out.')}
      >
        {attributes => (
          <NumberInput
            attributes={attributes}
            value={search.mostEpochs}
            step={1}
            onChange={mostEpochs => change({ mostEpochs })}
          />
        )}
      </Field>
    </>
  );
}
