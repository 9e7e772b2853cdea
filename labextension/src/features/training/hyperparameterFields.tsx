import { useEffect, useMemo, useState } from 'react';

import type {
  IAlgorithmDescription,
  IHyperParameterDescription
} from '../../api/types/training';
import { SchemaForm } from '../../shared/forms/schemaForm';
import { HYPERPARAMETER_PREFIX } from './focusField';
import {
  formValues,
  hyperparameterForm,
  hyperparameterProblems,
  shownParameters,
  takeFormValues,
  undescribed
} from './hyperparameters';
import { NameValues } from './nameValues';
import type { IStepProps } from './step';
import { problemOf } from './step';

type IProps = IStepProps & { algorithm: IAlgorithmDescription };

/** The hyperparameters of an algorithm: the few that most people set, and the rest folded. */
export function HyperparameterFields(props: IProps): JSX.Element {
  const { model, draft, algorithm, trans } = props;
  const [open, setOpen] = useState(false);
  const values = draft.hyperparameters;
  const rest = fixedParameters(props, false);
  const wantsRest = rest.some(
    item => props.wanted === `HyperParameters.${item.Name}`
  );
  // At once, so that the field is there when the focus goes to it.
  const shown = open || wantsRest;
  useEffect(() => {
    if (wantsRest) {
      setOpen(true);
    }
  }, [wantsRest]);
  const set = rest.filter(item => values[item.Name] !== undefined).length;
  const foreign = undescribed(algorithm, values);
  const foreignValues = Object.fromEntries(
    foreign.map(name => [name, values[name] ?? ''])
  );
  return (
    <>
      <Part {...props} essential />
      {rest.length > 0 && (
        <details
          className="jp-BottegaTraining-more"
          open={shown}
          onToggle={event => setOpen(event.currentTarget.open)}
        >
          <summary>
            {set > 0
              ? trans.__('All hyperparameters (%1 set)', set)
              : trans.__('All hyperparameters')}
          </summary>
          {shown && <Part {...props} essential={false} />}
        </details>
      )}
      {foreign.length > 0 && (
        <>
          <h3>{trans.__('Further hyperparameters')}</h3>
          <NameValues
            values={foreignValues}
            noun={trans.__('hyperparameter')}
            trans={trans}
            onChange={changed =>
              model.edit({
                hyperparameters: {
                  ...Object.fromEntries(
                    Object.entries(values).filter(
                      ([name]) => !foreign.includes(name)
                    )
                  ),
                  ...changed
                }
              })
            }
          />
        </>
      )}
    </>
  );
}

/** The hyperparameters that have a value of their own: not those that are searched. */
function fixedParameters(
  props: Pick<IProps, 'draft' | 'algorithm'>,
  essential: boolean
): IHyperParameterDescription[] {
  const { draft, algorithm } = props;
  const searched = new Set(draft.search?.ranges.map(range => range.name));
  return shownParameters(algorithm, draft.hyperparameters, essential).filter(
    item => !searched.has(item.Name)
  );
}

function Part(props: IProps & { essential: boolean }): JSX.Element {
  const { model, draft, algorithm, essential, findings, trans } = props;
  const values = draft.hyperparameters;
  const shown = useMemo(
    () => fixedParameters({ draft, algorithm }, essential),
    [algorithm, draft, essential]
  );
  const form = useMemo(
    () => hyperparameterForm(shown, algorithm, values, trans),
    [shown, algorithm, values, trans]
  );
  // What breaks the schema the form says itself; of words in place of numbers the schema knows
  // nothing, and of what has to be given there is more to say.
  const own = hyperparameterProblems(algorithm, values, trans);
  const problems = Object.fromEntries(
    shown.flatMap(({ Name: name, AlsoAccepts: words = [] }) => {
      const found = problemOf(findings, `HyperParameters.${name}`);
      const isSaid = own[name] && values[name] && words.length === 0;
      return found && !isSaid ? [[name, found] as const] : [];
    })
  );
  return (
    <SchemaForm
      schema={form.schema}
      uiSchema={form.uiSchema}
      values={formValues(shown, values)}
      onChange={changed =>
        model.edit({ hyperparameters: takeFormValues(shown, values, changed) })
      }
      extraErrors={problems}
      idPrefix={HYPERPARAMETER_PREFIX}
      translator={props.translator}
    />
  );
}
