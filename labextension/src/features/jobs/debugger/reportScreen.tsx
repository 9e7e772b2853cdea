import { useEffect } from 'react';

import { Empty, Loadable } from '../../../shared/components/states';
import { useLive } from '../../../shared/hooks/useLive';
import type { IScreenProps } from '../../../tokens';
import type { IReport } from './facts';
import { concernsJob, confined, reportsOf } from './facts';

/** The reports of a job's rules, one at a time, in a frame without scripts. */
export function ReportScreen(props: IScreenProps): JSX.Element {
  const { client, frame, name, parameters, studio, trans } = props;
  const live = useLive(
    props,
    async signal => {
      const found = await client.call(
        'bottega:DescribeTrainingJobDebugger',
        { TrainingJobName: name },
        signal
      );
      return reportsOf(found.Rules);
    },
    [name],
    { concerns: concernsJob(name) }
  );
  useEffect(
    () => frame.setTitle(trans.__('Reports: %1', name)),
    [frame, name, trans]
  );
  return (
    <>
      <header className="jp-BottegaHeader" data-state={live.state}>
        <h1>{trans.__('Reports of %1', name)}</h1>
        <button
          type="button"
          className="jp-BottegaLink"
          onClick={() =>
            studio.open(`jobs/${encodeURIComponent(name)}?tab=debugger`)
          }
        >
          {trans.__('Open the job')}
        </button>
      </header>
      <Loadable
        live={live}
        trans={trans}
        what={trans.__('The reports cannot be listed.')}
      >
        {reports => {
          const chosen =
            reports.find(report => report.id === parameters['report']) ??
            reports[0];
          return chosen ? (
            <>
              {reports.length > 1 && (
                <select
                  className="jp-BottegaInput jp-BottegaReport-choice"
                  aria-label={trans.__('Report')}
                  value={chosen.id}
                  onChange={event =>
                    frame.setParameters({ report: event.target.value })
                  }
                >
                  {reports.map(report => (
                    <option key={report.id} value={report.id}>
                      {report.rule}
                    </option>
                  ))}
                </select>
              )}
              <ReportFrame key={chosen.id} {...props} report={chosen} />
            </>
          ) : (
            <Empty
              sentence={trans.__(
                'No rule of this job has written a report yet.'
              )}
            />
          );
        }}
      </Loadable>
    </>
  );
}

function ReportFrame(props: IScreenProps & { report: IReport }): JSX.Element {
  const { client, name, report, trans } = props;
  const live = useLive(props, () => client.readObject(report.uri), [], {
    // A report may be written anew while the job runs.
    concerns: concernsJob(name)
  });
  return (
    <Loadable
      live={live}
      trans={trans}
      what={trans.__('The report cannot be read.')}
    >
      {html =>
        html === null ? (
          <Empty
            sentence={trans.__(
              'The report is gone: there is no %1.',
              report.uri
            )}
          />
        ) : (
          <iframe
            className="jp-BottegaReport"
            title={trans.__('Report of %1', report.rule)}
            sandbox=""
            srcDoc={confined(html)}
          />
        )
      }
    </Loadable>
  );
}
