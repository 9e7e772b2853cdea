import type { TranslationBundle } from '@jupyterlab/translation';

import type { IAnalyzeFlowResponse } from '../../../api/types/wrangler';
import { Loadable } from '../../../shared/components/states';
import type { Live } from '../../../shared/hooks/useLive';
import { AnalysisSections } from './analysisSections';

/** What an analysis found, and from how much of the data. */
export function AnalysisResult(props: {
  result: Live<IAnalyzeFlowResponse> & { pending: boolean };
  /** What could not be done. */
  what: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { result, trans } = props;
  return (
    <div
      className="jp-BottegaAnalysis"
      aria-busy={result.pending}
      data-state={result.state}
    >
      <Loadable live={result} trans={trans} what={props.what}>
        {analysis => <Analysis analysis={analysis} trans={trans} />}
      </Loadable>
    </div>
  );
}

/** A result that is there. */
export function Analysis(props: {
  analysis: IAnalyzeFlowResponse;
  trans: TranslationBundle;
}): JSX.Element {
  const { analysis, trans } = props;
  const rows = analysis.Rows.toLocaleString();
  return (
    <>
      <h2>{analysis.Title}</h2>
      <p className="jp-BottegaPanel-hint">
        {analysis.Scope === 'whole'
          ? trans.__('From %1 rows of the whole data.', rows)
          : trans.__('From a sample: %1 rows.', rows)}
      </p>
      <AnalysisSections sections={analysis.Sections} trans={trans} />
    </>
  );
}
