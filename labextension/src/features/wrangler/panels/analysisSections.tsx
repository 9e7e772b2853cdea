import type { TranslationBundle } from '@jupyterlab/translation';
import { useMemo } from 'react';

import type {
  FlowSeverity,
  IFlowIssue,
  IFlowSection
} from '../../../api/types/wrangler';
import { Plot } from '../../../shared/charts/plot';
import type { IChartTheme } from '../../../shared/charts/theme';
import { seriesColour, useChartTheme } from '../../../shared/charts/theme';
import { DataTable } from './dataTable';

const HEIGHT = 320;

/** The sections of an analysis or of a report: text, figure, table, issues. */
export function AnalysisSections(props: {
  sections: readonly IFlowSection[];
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  return (
    <div className="jp-BottegaSections">
      {props.sections.map((section, index) => (
        <section
          key={index}
          className="jp-BottegaCard"
          aria-label={section.Title}
        >
          <h3>{section.Title}</h3>
          {section.Text && (
            <p className="jp-BottegaSections-text">{section.Text}</p>
          )}
          {section.Issues && <Issues issues={section.Issues} trans={trans} />}
          {section.Figure && (
            <Figure
              figure={section.Figure}
              label={section.Title}
              trans={trans}
            />
          )}
          {section.Table && (
            <DataTable
              label={section.Title}
              heads={section.Table.Columns}
              rows={section.Table.Rows}
              trans={trans}
            />
          )}
        </section>
      ))}
    </div>
  );
}

/** How many issues the sections name. */
export function issueCount(sections: readonly IFlowSection[]): number {
  return sections.reduce(
    (sum, section) => sum + (section.Issues?.length ?? 0),
    0
  );
}

/** What is wrong with the data, the worst first, with a sign beside the colour. */
export function Issues(props: {
  issues: readonly IFlowIssue[];
  trans: TranslationBundle;
}): JSX.Element {
  const { trans } = props;
  const names: Record<FlowSeverity, string> = {
    high: trans.__('High severity'),
    medium: trans.__('Medium severity'),
    low: trans.__('Low severity')
  };
  const signs: Record<FlowSeverity, string> = {
    high: '▲',
    medium: '◆',
    low: '●'
  };
  const order: FlowSeverity[] = ['high', 'medium', 'low'];
  const issues = [...props.issues].sort(
    (one, other) => order.indexOf(one.Severity) - order.indexOf(other.Severity)
  );
  return (
    <ul className="jp-BottegaIssues">
      {issues.map((issue, index) => (
        <li
          key={index}
          className={`jp-mod-${issue.Severity}`}
          data-severity={issue.Severity}
        >
          <span
            role="img"
            aria-label={names[issue.Severity]}
            title={names[issue.Severity]}
          >
            {signs[issue.Severity]}
          </span>{' '}
          {issue.Sentence}
        </li>
      ))}
    </ul>
  );
}

function Figure(props: {
  figure: Record<string, unknown>;
  label: string;
  trans: TranslationBundle;
}): JSX.Element {
  const { data, layout } = props.figure as {
    data?: object[];
    layout?: { height?: number };
  };
  const theme = useChartTheme();
  const coloured = useMemo(
    () => (data ?? NOTHING).map(trace => inTheme(trace, theme)),
    [data, theme]
  );
  return (
    <Plot
      data={coloured}
      {...(layout ? { layout } : {})}
      height={layout?.height ?? HEIGHT}
      label={props.label}
      trans={props.trans}
    />
  );
}

const NOTHING: object[] = [];

/** A matrix goes from the ground to the theme's first colour; about zero, from one to another. */
export function inTheme(
  trace: { type?: string; zmin?: number; colorscale?: unknown },
  theme: IChartTheme
): object {
  if (trace.type !== 'heatmap' || trace.colorscale) {
    return trace;
  }
  const above = seriesColour(theme, 0);
  const below = seriesColour(theme, 1);
  const isSigned = trace.zmin !== undefined && trace.zmin < 0;
  return {
    ...trace,
    // Nothing has the colour of the ground.
    ...(trace.zmin === undefined && { zmin: 0 }),
    colorscale: isSigned
      ? [
          [0, below],
          [0.5, theme.background],
          [1, above]
        ]
      : [
          [0, theme.background],
          [1, above]
        ]
  };
}
