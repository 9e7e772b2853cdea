import type { TranslationBundle } from '@jupyterlab/translation';

import type { IRunOverview } from '../../api/types/experiments';
import { StatusChip } from '../../shared/components/status';
import { ago, duration, measured, moment } from '../../shared/format';
import { useNow } from '../../shared/hooks/useNow';
import type { IColumn } from '../../shared/table/table';
import type { IScreenFrame } from '../../tokens';
import { Link } from './link';
import type { IColumnLayout } from './model/layout';
import { parseColumn } from './model/names';
import { runSeconds, runValue } from './model/runs';

/** What the cells of the grid need besides the run. */
export interface ICellContext {
  trans: TranslationBundle;
  frame: Pick<IScreenFrame, 'isVisible'>;
  open: (path: string) => void;
  /** The id of the best run. */
  best: string | null;
}

const SORT_KEYS: Readonly<Record<string, string>> = {
  'attributes.job': 'tags.bottega.job',
  'attributes.user': 'attributes.user_id',
  'attributes.source': 'tags.mlflow.source.name'
};

const WIDTHS: Readonly<Record<string, number>> = {
  'attributes.status': 110,
  'attributes.run_name': 190,
  'attributes.start_time': 104,
  'attributes.duration': 100,
  'attributes.job': 170,
  'attributes.user': 100,
  'attributes.source': 160
};
const NARROW = 90;
const BROAD = 180;
const LETTER = 8;

/** What stands over a column. */
export function columnLabel(id: string, trans: TranslationBundle): string {
  const { kind, name } = parseColumn(id);
  if (kind !== 'attributes') {
    return name;
  }
  const labels: Record<string, string> = {
    status: trans.__('Status'),
    run_name: trans.__('Run'),
    start_time: trans.__('Started'),
    duration: trans.__('Duration'),
    job: trans.__('Job'),
    user: trans.__('User'),
    source: trans.__('Source')
  };
  return labels[name] ?? name;
}

/** What kind of fact a column shows, in one word. */
export function kindLabel(id: string, trans: TranslationBundle): string {
  return {
    attributes: trans.__('run'),
    metrics: trans.__('metric'),
    params: trans.__('parameter'),
    tags: trans.__('tag')
  }[parseColumn(id).kind];
}

/** The columns of the grid; of two with the same name the heading says what they are. */
export function gridColumns(
  layout: IColumnLayout,
  context: ICellContext
): Array<IColumn<IRunOverview>> {
  const { trans } = context;
  const labels = layout.shown.map(id => columnLabel(id, trans));
  return layout.shown.map((id, index) => {
    const label = labels[index] ?? id;
    const isDouble = labels.some(
      (other, place) => place !== index && other === label
    );
    const heading = isDouble ? `${label} (${kindLabel(id, trans)})` : label;
    const isNumber =
      parseColumn(id).kind === 'metrics' || id === 'attributes.duration';
    return {
      id,
      label: heading,
      width:
        WIDTHS[id] ??
        Math.max(NARROW, Math.min(BROAD, heading.length * LETTER + 24)),
      align: isNumber ? 'end' : 'start',
      sortKey: SORT_KEYS[id] ?? id,
      render: run => <Cell run={run} id={id} {...context} />
    };
  });
}

function Cell(
  props: ICellContext & { run: IRunOverview; id: string }
): JSX.Element {
  const { run, id, trans } = props;
  switch (id) {
    case 'attributes.status':
      return <StatusChip status={run.Status} />;
    case 'attributes.run_name':
      return (
        <>
          <strong title={run.RunId}>{run.RunName}</strong>
          {props.best === run.RunId && (
            <span className="jp-BottegaExperiment-best" data-best={run.RunId}>
              <span aria-hidden="true">★</span> {trans.__('best')}
            </span>
          )}
        </>
      );
    case 'attributes.start_time':
      return run.StartTime === undefined ? (
        <></>
      ) : (
        <span title={moment(run.StartTime)}>
          {ago(run.StartTime, Date.now() / 1000, trans)}
        </span>
      );
    case 'attributes.duration':
      return <RunDuration run={run} frame={props.frame} />;
    case 'attributes.job':
      return run.TrainingJobName ? (
        <Link
          path={`jobs/${encodeURIComponent(run.TrainingJobName)}`}
          open={props.open}
        >
          {run.TrainingJobName}
        </Link>
      ) : (
        <></>
      );
    default: {
      const value = runValue(run, id);
      return (
        <span title={value === null ? undefined : String(value)}>
          {typeof value === 'number' ? measured(value) : value}
        </span>
      );
    }
  }
}

/** How long a run took; of one that runs it grows. */
export function RunDuration(props: {
  run: IRunOverview;
  frame: Pick<IScreenFrame, 'isVisible'>;
}): JSX.Element {
  const now = useNow(props.frame, props.run.Status === 'RUNNING');
  const seconds = runSeconds(props.run, now);
  return <span>{seconds === null ? '' : duration(seconds)}</span>;
}
