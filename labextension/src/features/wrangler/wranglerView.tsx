import type { KeyboardEvent, ReactNode } from 'react';
import { lazy, Suspense } from 'react';

import type { ITab } from '../../shared/components/controls';
import { Button, Tabs } from '../../shared/components/controls';
import { Failure, Skeleton } from '../../shared/components/states';
import { useSignal } from '../../shared/hooks/useSignal';
import { ColumnsLayout } from './columnsLayout';
import { Dialogs } from './dialogs';
import { GridPanel } from './grid/gridPanel';
import type {
  IPanelProps,
  IWranglerViewProps,
  WranglerTab
} from './model/types';
import { reportOf } from './panels/report';
import { StepList } from './steps/stepList';
import { TrustBanner } from './trustBanner';
import { WranglerHeader } from './wranglerHeader';

const GraphPanel = lazy(() =>
  import('./graph/graphPanel').then(module => ({ default: module.GraphPanel }))
);
const StepPalette = lazy(() =>
  import('./panels/stepPalette').then(module => ({
    default: module.StepPalette
  }))
);
const ChartsTab = lazy(() =>
  import('./panels/chartsTab').then(module => ({ default: module.ChartsTab }))
);
const InsightsTab = lazy(() =>
  import('./panels/insightsTab').then(module => ({
    default: module.InsightsTab
  }))
);
const CodeTab = lazy(() =>
  import('./panels/codeTab').then(module => ({ default: module.CodeTab }))
);
const ExportTab = lazy(() =>
  import('./panels/exportTab').then(module => ({ default: module.ExportTab }))
);

/** The screen of a flow. */
export function WranglerView(props: IWranglerViewProps): JSX.Element {
  const { compact = false, ...panel } = props;
  const { model, trans } = panel;
  useSignal(model.changed);
  useSignal(reportOf(model).changed);
  const onKeyDown = (event: KeyboardEvent): void => {
    const isUndo = event.key.toLowerCase() === 'z';
    if (!isUndo || !(event.ctrlKey || event.metaKey) || isTyping(event)) {
      return;
    }
    // JupyterLab's own undo is about the text of the file.
    event.preventDefault();
    event.stopPropagation();
    void (event.shiftKey ? model.redo() : model.undo());
  };
  return (
    <div
      className={`jp-BottegaWrangler${compact ? ' jp-mod-compact' : ''}`}
      onKeyDown={onKeyDown}
    >
      <Content {...panel} compact={compact} />
      <Dialogs {...panel} />
      {model.isReady && model.nodes.length === 0 && !model.problem && (
        <span className="jp-Bottega-hidden" role="status">
          {trans.__('The flow has no data yet.')}
        </span>
      )}
    </div>
  );
}

function Content(props: IPanelProps & { compact: boolean }): JSX.Element {
  const { compact, ...panel } = props;
  const { model, trans } = panel;
  if (!model.isReady) {
    return <Skeleton trans={trans} rows={10} />;
  }
  if (model.problem) {
    return (
      <Failure
        error={model.problem}
        trans={trans}
        what={trans.__('%1 cannot be read as a flow.', model.store.title)}
      />
    );
  }
  if (model.nodes.length === 0) {
    return (
      <>
        {!compact && <WranglerHeader {...panel} />}
        <NoData {...panel} />
      </>
    );
  }
  if (compact) {
    return (
      <>
        <TrustBanner {...panel} />
        <Data {...panel} graph={null} />
      </>
    );
  }
  return (
    <>
      <WranglerHeader {...panel} />
      <TrustBanner {...panel} />
      <Tabs
        tabs={tabsOf(panel)}
        chosen={model.tab}
        onChoose={id => model.chooseTab(id as WranglerTab)}
        label={trans.__('Parts of the flow')}
      />
    </>
  );
}

function tabsOf(panel: IPanelProps): ITab[] {
  const { model, trans } = panel;
  const { issues } = reportOf(model);
  const lazily = (content: ReactNode): ReactNode => (
    <Suspense fallback={<Skeleton trans={trans} />}>{content}</Suspense>
  );
  return [
    {
      id: 'data',
      label: trans.__('Data'),
      render: () => (
        <Data {...panel} graph={lazily(<GraphPanel {...panel} />)} />
      )
    },
    {
      id: 'charts',
      label: trans.__('Charts'),
      render: () => lazily(<ChartsTab {...panel} />)
    },
    {
      id: 'insights',
      label: trans.__('Insights'),
      ...(issues !== null && { badge: issues.toLocaleString() }),
      render: () => lazily(<InsightsTab {...panel} />)
    },
    {
      id: 'code',
      label: trans.__('Code'),
      render: () => lazily(<CodeTab {...panel} />)
    },
    {
      id: 'export',
      label: trans.__('Export'),
      render: () => lazily(<ExportTab {...panel} />)
    }
  ];
}

/** Graph, table and steps. */
function Data(props: IPanelProps & { graph: ReactNode | null }): JSX.Element {
  const { graph, ...panel } = props;
  const { model, trans } = panel;
  return (
    <ColumnsLayout
      left={graph}
      centre={
        <>
          {model.checkProblem && (
            <Failure
              error={model.checkProblem}
              trans={trans}
              what={trans.__('The flow cannot be checked.')}
              retry={() => void model.recheck()}
            />
          )}
          <GridPanel {...panel} />
        </>
      }
      right={
        <div className="jp-BottegaWrangler-steps">
          <h2 className="jp-Bottega-hidden">{trans.__('Steps')}</h2>
          <StepList {...panel} />
          <Suspense fallback={<Skeleton trans={trans} rows={3} />}>
            <StepPalette {...panel} />
          </Suspense>
        </div>
      }
      trans={trans}
    />
  );
}

/** A flow without data: where they come from is the first question. */
function NoData(props: IPanelProps): JSX.Element {
  const { model, trans } = props;
  return (
    <div className="jp-BottegaEmpty">
      <p>{trans.__('Add data to prepare.')}</p>
      <div className="jp-BottegaWrangler-origins">
        <Button
          kind="primary"
          onClick={() =>
            model.requestDialog({ kind: 'source', origin: 'file' })
          }
        >
          {trans.__('A file')}
        </Button>
        <Button
          onClick={() => model.requestDialog({ kind: 'source', origin: 's3' })}
        >
          {trans.__('S3')}
        </Button>
        <Button
          onClick={() => model.requestDialog({ kind: 'source', origin: 'sql' })}
        >
          {trans.__('A database')}
        </Button>
      </div>
    </div>
  );
}

/** Whether the keys go into a text, which has an undo of its own. */
function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return (
    target.isContentEditable ||
    target.closest('.cm-editor') !== null ||
    ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
  );
}
