import type { TranslationBundle } from '@jupyterlab/translation';
import { useState } from 'react';

import type { IFlowAnalysis, IFlowColumn } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import { FormField } from './form/field';
import { ParameterFields } from './form/parameterForm';
import type { IProblem } from './form/values';
import { firstProblem, toSend } from './form/values';
import type { Values } from './json';

/** What an analysis is to look at. */
export interface IAnalysisWish {
  operator: string;
  /** The operation. */
  name: string;
  values: Record<string, unknown>;
}

/** The form of an analysis: which one, and its parameters. */
export function AnalysisForm(props: {
  analyses: readonly IFlowAnalysis[];
  columns: readonly IFlowColumn[];
  /** What the form starts with; its analysis cannot be changed then. */
  start: IAnalysisWish | null;
  /** The refusal of what was sent last. */
  problem: string | null;
  busy: boolean;
  trans: TranslationBundle;
  /** Show it, without keeping it. */
  onPreview: (wish: IAnalysisWish) => void;
  onSave: (wish: IAnalysisWish) => void;
  onCancel: () => void;
}): JSX.Element {
  const { analyses, start, trans } = props;
  const [chosen, setChosen] = useState(
    start ? start.operator : (analyses[0]?.Operator ?? '')
  );
  const [values, setValues] = useState<Values>(start?.values ?? {});
  const [problem, setProblem] = useState<IProblem | null>(null);
  const analysis = analyses.find(item => item.Operator === chosen);
  const send = (take: (wish: IAnalysisWish) => void): void => {
    if (!analysis) {
      return;
    }
    const found = firstProblem(analysis.Parameters, values, trans);
    setProblem(found);
    if (!found) {
      take({
        operator: analysis.Operator,
        name: analysis.Name,
        values: toSend(analysis.Parameters, values, start?.values)
      });
    }
  };
  return (
    <form
      className="jp-BottegaStepForm"
      aria-label={start ? trans.__('Edit the chart') : trans.__('Add a chart')}
      onSubmit={event => event.preventDefault()}
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.defaultPrevented) {
          props.onCancel();
        }
      }}
    >
      <FormField
        name="analysis"
        label={trans.__('Analysis')}
        sentence={analysis?.Sentence}
        problem={
          analysis ? null : trans.__('There is no analysis “%1”.', chosen)
        }
      >
        {attributes => (
          <select
            {...attributes}
            className="jp-BottegaInput"
            value={chosen}
            disabled={start !== null}
            onChange={event => {
              setChosen(event.target.value);
              setValues({});
              setProblem(null);
            }}
          >
            {!analysis && <option value={chosen}>{chosen}</option>}
            {analyses.map(item => (
              <option key={item.Operator} value={item.Operator}>
                {item.Name}
              </option>
            ))}
          </select>
        )}
      </FormField>
      {analysis && (
        <ParameterFields
          parameters={analysis.Parameters}
          columns={props.columns}
          values={values}
          problem={problem}
          trans={trans}
          onChange={next => {
            setValues(next);
            setProblem(null);
          }}
        />
      )}
      {props.problem && (
        <p role="alert" className="jp-BottegaPanel-problem">
          {props.problem}
        </p>
      )}
      <div className="jp-BottegaStepForm-actions">
        <Button disabled={props.busy} onClick={() => send(props.onPreview)}>
          {trans.__('Preview')}
        </Button>
        <Button
          kind="primary"
          disabled={props.busy}
          onClick={() => send(props.onSave)}
        >
          {start ? trans.__('Save') : trans.__('Add to the flow')}
        </Button>
        <Button onClick={props.onCancel}>{trans.__('Cancel')}</Button>
      </div>
    </form>
  );
}
