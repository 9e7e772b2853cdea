import { useId } from 'react';

import { byUse } from './channels';
import { algorithmOf, newScript } from './draft';
import { FIELDS } from './findings';
import { HyperparameterFields } from './hyperparameterFields';
import { NameValues } from './nameValues';
import { ScriptFields } from './scriptFields';
import type { IStepProps } from './step';

/** Step 2: what trains, and with which hyperparameters. */
export function AlgorithmStep(props: IStepProps): JSX.Element {
  const { model, draft, catalog, trans } = props;
  const algorithm = algorithmOf(draft, catalog);
  const group = useId();
  const { trainer } = draft;
  return (
    <section aria-labelledby="bottega-train-algorithm">
      <h2 id="bottega-train-algorithm">{trans.__('2 · Algorithm')}</h2>
      <div
        role="radiogroup"
        aria-label={trans.__('Algorithm')}
        className="jp-BottegaTraining-cards"
        data-field={FIELDS.image}
      >
        {byUse(catalog).map(item => (
          <Card
            key={item.TrainingImage}
            group={group}
            label={item.DisplayName}
            description={item.Description}
            missing={item.Missing}
            checked={item === algorithm}
            onChoose={() =>
              model.setTrainer({ kind: 'builtin', image: item.TrainingImage })
            }
          />
        ))}
        <Card
          group={group}
          label={trans.__('Your own script')}
          description={trans.__(
            'A Python file that trains as you like, in the environment of a framework.'
          )}
          checked={trainer.kind === 'script'}
          onChoose={() => model.setTrainer(newScript(catalog))}
        />
      </div>
      {trainer.kind === 'script' && (
        <ScriptFields {...props} trainer={trainer} />
      )}
      <label className="jp-BottegaTraining-check">
        <input
          type="checkbox"
          checked={draft.search !== null}
          onChange={event => model.setSearch(event.target.checked)}
        />
        {trans.__(
          'Tune this: train it many times to find the best hyperparameters'
        )}
      </label>
      <h3>
        {draft.search
          ? trans.__('Hyperparameters that stay as they are')
          : trans.__('Hyperparameters')}
      </h3>
      {algorithm ? (
        <HyperparameterFields {...props} algorithm={algorithm} />
      ) : (
        <>
          <p className="jp-BottegaTraining-hint">
            {trans.__('The script gets each one as an argument: --name value.')}
          </p>
          <NameValues
            values={draft.hyperparameters}
            noun={trans.__('hyperparameter')}
            trans={trans}
            onChange={hyperparameters => model.edit({ hyperparameters })}
          />
        </>
      )}
    </section>
  );
}

function Card(props: {
  group: string;
  label: string;
  description: string;
  /** What has to be installed before it can run; absent where nothing has. */
  missing?: string | undefined;
  checked: boolean;
  onChoose: () => void;
}): JSX.Element {
  const description = useId();
  return (
    <label
      className={`jp-BottegaTraining-card${props.missing ? ' jp-mod-missing' : ''}`}
    >
      <input
        type="radio"
        disabled={props.missing !== undefined}
        name={props.group}
        checked={props.checked}
        aria-label={props.label}
        aria-describedby={description}
        onChange={props.onChoose}
      />
      <strong>{props.label}</strong>
      <span id={description}>
        {props.description}
        {props.missing && <em>{props.missing}</em>}
      </span>
    </label>
  );
}
