import { useState } from 'react';

import type {
  IAnalyzeFlowResponse,
  IFlowAnalysis
} from '../../../api/types/wrangler';
import { Button } from '../../../shared/components/controls';
import { Empty, Skeleton } from '../../../shared/components/states';
import { useSignal } from '../../../shared/hooks/useSignal';
import type { IFlowNode, IPanelProps } from '../model/types';
import type { IAnalysisWish } from './analysisForm';
import { AnalysisForm } from './analysisForm';
import { AnalysisResult } from './analysisResult';
import { isReport } from './report';
import { useLoaded } from './useLoaded';
import { WithCatalogue } from './withCatalogue';

/** What is on the right of the list. */
type Shown =
  | { kind: 'chart'; nodeId: string }
  | { kind: 'form'; node: IFlowNode | null }
  | { kind: 'none' };

/** The analyses that are kept in the flow, and the form of a new one. */
export function ChartsTab(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  useSignal(model.changed);
  return (
    <WithCatalogue model={model} trans={trans}>
      {catalogue => (
        <Charts
          {...props}
          analyses={catalogue.Analyses.filter(item => !isReport(item))}
        />
      )}
    </WithCatalogue>
  );
}

function Charts(
  props: IPanelProps & { analyses: readonly IFlowAnalysis[] }
): JSX.Element {
  const { model, trans } = props;
  const [shown, setShown] = useState<Shown>({ kind: 'none' });
  const [problem, setProblem] = useState<string | null>(null);
  const charts = model.nodes.filter(node => node.Type === 'VISUALIZATION');
  const present =
    shown.kind === 'chart'
      ? charts.find(node => node.NodeId === shown.nodeId)
      : undefined;
  const first = shown.kind === 'form' ? undefined : (present ?? charts[0]);
  const readOnly = model.store.readOnly;
  const canAdd =
    model.selected !== null && !readOnly && props.analyses.length > 0;
  const remove = async (node: IFlowNode): Promise<void> => {
    setProblem(null);
    try {
      await model.edit({ Kind: 'remove', NodeId: node.NodeId });
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  if (charts.length === 0 && shown.kind !== 'form') {
    return canAdd ? (
      <Empty
        sentence={trans.__('There is no chart in this flow yet.')}
        action={{
          label: trans.__('Add a chart'),
          run: () => setShown({ kind: 'form', node: null })
        }}
      />
    ) : (
      <Empty
        sentence={trans.__('There is no chart in this flow. Add data first.')}
      />
    );
  }
  return (
    <div className="jp-BottegaFlowCharts">
      <nav
        className="jp-BottegaFlowCharts-list"
        aria-label={trans.__('Charts')}
      >
        <Button
          disabled={!canAdd}
          onClick={() => setShown({ kind: 'form', node: null })}
        >
          {trans.__('Add a chart')}
        </Button>
        <ul>
          {charts.map(node => (
            <li key={node.NodeId}>
              <button
                type="button"
                className="jp-BottegaFlowCharts-item"
                aria-current={node === first}
                onClick={() => setShown({ kind: 'chart', nodeId: node.NodeId })}
              >
                <span>{node.State?.Title ?? node.Operator}</span>
                <span className="jp-BottegaPanel-hint">
                  {node.State?.Error ?? node.State?.Summary ?? ''}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <div className="jp-BottegaFlowCharts-content">
        {problem && (
          <p role="alert" className="jp-BottegaPanel-problem">
            {problem}
          </p>
        )}
        {shown.kind === 'form' && (
          <ChartForm
            key={shown.node?.NodeId ?? ''}
            {...props}
            node={shown.node}
            onDone={nodeId =>
              setShown(nodeId ? { kind: 'chart', nodeId } : { kind: 'none' })
            }
          />
        )}
        {first && (
          <>
            <div className="jp-BottegaFlowCharts-actions">
              <Button
                disabled={readOnly}
                onClick={() => setShown({ kind: 'form', node: first })}
              >
                {trans.__('Edit')}
              </Button>
              <Button
                kind="danger"
                disabled={readOnly}
                title={trans.__('Undo brings it back')}
                onClick={() => void remove(first)}
              >
                {trans.__('Remove')}
              </Button>
            </div>
            <Chart key={first.NodeId} {...props} node={first} />
          </>
        )}
      </div>
    </div>
  );
}

/** The result of an analysis of the flow. */
function Chart(props: IPanelProps & { node: IFlowNode }): JSX.Element {
  const { model, client, node, trans } = props;
  const result = useLoaded(
    signal =>
      client.call(
        'bottega:AnalyzeFlow',
        { ...model.request(), NodeId: node.NodeId },
        signal
      ),
    [client, model, node.NodeId, model.text, model.trust]
  );
  return (
    <AnalysisResult
      result={result}
      what={trans.__('The chart cannot be drawn.')}
      trans={trans}
    />
  );
}

function ChartForm(
  props: IPanelProps & {
    analyses: readonly IFlowAnalysis[];
    /** The chart that is edited; null for a new one. */
    node: IFlowNode | null;
    onDone: (nodeId: string | null) => void;
  }
): JSX.Element {
  const { model, client, node, trans } = props;
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [preview, setPreview] = useState<IAnalyzeFlowResponse | null>(null);
  const input = node?.Inputs[0] ?? model.selected;
  const columns =
    (input && model.node(input.nodeId)?.State?.Columns) ?? model.columns ?? [];
  const attempt = async (task: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await task();
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  const look = (wish: IAnalysisWish): void =>
    void attempt(async () => {
      if (input) {
        setPreview(
          await client.call('bottega:AnalyzeFlow', {
            ...model.request(),
            NodeId: input.nodeId,
            OutputName: input.outputName,
            Operator: wish.operator,
            Values: wish.values
          })
        );
      }
    });
  const save = (wish: IAnalysisWish): void =>
    void attempt(async () => {
      if (node) {
        props.onDone(
          await model.edit({
            Kind: 'change_analysis',
            NodeId: node.NodeId,
            Operator: wish.operator,
            Values: wish.values
          })
        );
      } else if (input) {
        props.onDone(
          await model.edit({
            Kind: 'add_analysis',
            NodeId: input.nodeId,
            OutputName: input.outputName,
            Operator: wish.operator,
            Values: wish.values
          })
        );
      }
    });
  return (
    <>
      <AnalysisForm
        analyses={props.analyses}
        columns={columns}
        start={
          node
            ? {
                operator: node.Operator,
                name: node.State?.Name ?? '',
                values: node.State?.Values ?? {}
              }
            : null
        }
        problem={problem}
        busy={busy}
        trans={trans}
        onPreview={look}
        onSave={save}
        onCancel={() => props.onDone(node?.NodeId ?? null)}
      />
      {busy && !preview && <Skeleton trans={trans} rows={4} />}
      {preview && (
        <AnalysisResult
          result={{
            state: 'ready',
            value: preview,
            problem: null,
            retry: () => undefined,
            pending: busy
          }}
          what=""
          trans={trans}
        />
      )}
    </>
  );
}
