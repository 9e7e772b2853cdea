import { useState } from 'react';

import type { IFlowAnalysis } from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import { Empty, Failure, Skeleton } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import { Analysis } from './analysisResult';
import { saveFile } from '../../../shared/logs/download';
import { ParameterFields } from './form/parameterForm';
import type { IProblem } from './form/values';
import { firstProblem, toSend } from './form/values';
import type { IPanelProps } from '../model/types';
import { isReport, reportOf } from './report';
import { WithCatalogue } from './withCatalogue';

/** The Data Quality and Insights report of the selected table. */
export function InsightsTab(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  return (
    <WithCatalogue model={model} trans={trans}>
      {catalogue => {
        const analysis = catalogue.Analyses.find(isReport);
        if (!analysis) {
          return (
            <Empty sentence={trans.__('This studio has no insights report.')} />
          );
        }
        return model.selected ? (
          <Report {...props} analysis={analysis} />
        ) : (
          <Empty
            sentence={trans.__(
              'Add data first: the report is about a table of the flow.'
            )}
          />
        );
      }}
    </WithCatalogue>
  );
}

function Report(props: IPanelProps & { analysis: IFlowAnalysis }): JSX.Element {
  const { model, client, analysis, trans } = props;
  const store = reportOf(model);
  useSignal(store.changed);
  const [values, setValues] = useState(store.values);
  const [problem, setProblem] = useState<IProblem | null>(null);
  const { report } = store;
  const run = (): void => {
    const found = firstProblem(analysis.Parameters, values, trans);
    setProblem(found);
    if (!found) {
      void store.run(
        model,
        client,
        analysis.Operator,
        toSend(analysis.Parameters, values)
      );
    }
  };
  return (
    <div className="jp-BottegaInsights">
      <form
        className="jp-BottegaInsights-form"
        aria-label={trans.__('Insights report')}
        onSubmit={event => event.preventDefault()}
      >
        <ParameterFields
          // The title is the report's own.
          parameters={analysis.Parameters.filter(item => item.Name !== 'name')}
          columns={model.columns ?? []}
          values={values}
          problem={problem}
          trans={trans}
          onChange={next => {
            store.values = next;
            setValues(next);
            setProblem(null);
          }}
        />
        <div className="jp-BottegaStepForm-actions">
          <Button kind="primary" disabled={store.running} onClick={run}>
            {report ? trans.__('Run again') : trans.__('Run the report')}
          </Button>
          {store.running && (
            <Button onClick={() => store.cancel()}>{trans.__('Cancel')}</Button>
          )}
          {report && (
            <>
              {report.response.Html !== undefined && (
                <Button
                  onClick={() =>
                    saveFile(
                      `${model.store.name}-insights.html`,
                      new Blob([report.response.Html ?? ''], {
                        type: 'text/html'
                      })
                    )
                  }
                >
                  {trans.__('Download HTML')}
                </Button>
              )}
              <Button
                onClick={() => {
                  saveFile(
                    `${model.store.name}-insights.json`,
                    new Blob(
                      [
                        JSON.stringify(
                          { ...report.response, Html: undefined },
                          null,
                          2
                        )
                      ],
                      {
                        type: 'application/json'
                      }
                    )
                  );
                }}
              >
                {trans.__('Download JSON')}
              </Button>
            </>
          )}
        </div>
      </form>
      {store.problem && (
        <Failure
          error={store.problem}
          trans={trans}
          what={trans.__('The report cannot be made.')}
          retry={run}
        />
      )}
      <div role="status">
        {store.running && (
          <>
            <p className="jp-BottegaPanel-hint">
              {trans.__('Looking at every column, and training a quick model…')}
            </p>
            {!report && <Skeleton trans={trans} rows={8} />}
          </>
        )}
        {report && !store.running && !store.isCurrent(model) && (
          <p className="jp-BottegaPanel-note">
            {trans.__(
              'The flow or the selected table has changed since this report.'
            )}
          </p>
        )}
      </div>
      {report && <Analysis analysis={report.response} trans={trans} />}
    </div>
  );
}
