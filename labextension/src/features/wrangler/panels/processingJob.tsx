import { Signal } from '@lumino/signaling';
import { useState } from 'react';

import type {
  IRunFlowRequest,
  IRunFlowResponse
} from '../../../api/types/wrangler';
import { Button, CopyButton, Facts } from '../../../shared/components/controls';
import { Loadable } from '../../../shared/components/states';
import { StatusChip } from '../../../shared/components/status';
import { duration } from '../../../shared/format';
import { useLive } from '../../../shared/hooks/useLive';
import { boto3Call } from '../../../shared/python';
import type { IPanelProps, ITableRef } from '../model/types';
import { FormField } from './form/field';
import { useLoaded } from './useLoaded';

/** The tab is only drawn while it can be seen. */
const FRAME = {
  isVisible: true,
  visibilityChanged: new Signal<object, boolean>({})
};

/** The form of a processing job over the whole data, and the jobs that were started from it. */
export function ProcessingJob(
  props: IPanelProps & { table: ITableRef }
): JSX.Element {
  const { model, client, studio, table, trans } = props;
  const [started, setStarted] = useState<readonly IRunFlowResponse[]>([]);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [output, setOutput] = useState('');
  const [contentType, setContentType] = useState('text/csv');
  const [header, setHeader] = useState(true);
  const [label, setLabel] = useState('');
  const [instanceType, setInstanceType] = useState(
    studio.settings.instanceType
  );
  const machines = useLoaded(
    () => client.call('bottega:ListAlgorithms', {}),
    [client]
  );
  const sizes = machines.state === 'ready' ? machines.value.InstanceTypes : [];
  const size = sizes.find(item => item.InstanceType === instanceType);
  const request = (): IRunFlowRequest => ({
    ...model.request(),
    NodeId: table.nodeId,
    OutputName: table.outputName,
    ContentType: contentType,
    ...(contentType === 'text/csv' ? { Header: header } : {}),
    ...(output.trim() ? { OutputS3Uri: output.trim() } : {}),
    ...(label ? { Label: label } : {}),
    ...(instanceType ? { InstanceType: instanceType } : {})
  });
  const isUri =
    output.trim() === '' || /^s3:\/\/[^/]+(\/|$)/.test(output.trim());
  const start = async (): Promise<void> => {
    if (!isUri) {
      return;
    }
    setBusy(true);
    setProblem(null);
    try {
      const answer = await client.call('bottega:RunFlow', request());
      setStarted(jobs => [answer, ...jobs]);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
    setBusy(false);
  };
  return (
    <section className="jp-BottegaCard" aria-label={trans.__('Processing job')}>
      <h3>{trans.__('Processing job')}</h3>
      <p className="jp-BottegaPanel-hint">
        {trans.__(
          'Runs the flow over the whole data, writes the table to S3, and beside it the flow with what it has learnt.'
        )}
      </p>
      <form
        className="jp-BottegaExport-form"
        aria-label={trans.__('Processing job')}
        onSubmit={event => event.preventDefault()}
      >
        <FormField
          name="OutputS3Uri"
          label={trans.__('Output S3 URI')}
          sentence={trans.__(
            'The prefix of the results; in the default bucket when empty.'
          )}
          problem={
            isUri
              ? null
              : trans.__(
                  '“%1” is no S3 URI: it begins with s3://bucket/.',
                  output
                )
          }
        >
          {attributes => (
            <input
              {...attributes}
              className="jp-BottegaInput"
              value={output}
              placeholder={trans.__('s3://bucket/prefix/')}
              spellCheck={false}
              onChange={event => setOutput(event.target.value)}
            />
          )}
        </FormField>
        <FormField name="ContentType" label={trans.__('Format')}>
          {attributes => (
            <select
              {...attributes}
              className="jp-BottegaInput"
              value={contentType}
              onChange={event => setContentType(event.target.value)}
            >
              <option value="text/csv">{trans.__('CSV')}</option>
              <option value="application/x-parquet">
                {trans.__('Parquet')}
              </option>
            </select>
          )}
        </FormField>
        {contentType === 'text/csv' && (
          <FormField
            name="Header"
            label={trans.__('Header row')}
            sentence={trans.__(
              'Whether the file begins with the names of the columns.'
            )}
          >
            {attributes => (
              <input
                {...attributes}
                type="checkbox"
                checked={header}
                onChange={event => setHeader(event.target.checked)}
              />
            )}
          </FormField>
        )}
        <FormField
          name="Label"
          label={trans.__('Label column')}
          sentence={trans.__(
            'It comes first, as the built-in algorithms want it.'
          )}
        >
          {attributes => (
            <select
              {...attributes}
              className="jp-BottegaInput"
              value={label}
              onChange={event => setLabel(event.target.value)}
            >
              <option value="">{trans.__('None')}</option>
              {(model.columns ?? []).map(column => (
                <option key={column.Name} value={column.Name}>
                  {column.Name}
                </option>
              ))}
            </select>
          )}
        </FormField>
        <FormField
          name="InstanceType"
          label={trans.__('Machine size')}
          sentence={
            machines.state === 'error'
              ? trans.__(
                  'The sizes cannot be listed: %1',
                  machines.error.message
                )
              : size?.Description
          }
        >
          {attributes => (
            <select
              {...attributes}
              className="jp-BottegaInput"
              value={instanceType}
              onChange={event => setInstanceType(event.target.value)}
            >
              {!size && <option value={instanceType}>{instanceType}</option>}
              {sizes.map(item => (
                <option key={item.InstanceType} value={item.InstanceType}>
                  {item.InstanceType}
                </option>
              ))}
            </select>
          )}
        </FormField>
        {problem && (
          <p role="alert" className="jp-BottegaPanel-problem">
            {problem}
          </p>
        )}
        <div className="jp-BottegaStepForm-actions">
          <Button
            kind="primary"
            disabled={busy || !isUri}
            onClick={() => void start()}
          >
            {trans.__('Start the job')}
          </Button>
          <CopyButton
            text={() => boto3Call('bottega', 'run_flow', request())}
            label={trans.__('Copy as Python')}
            trans={trans}
          />
        </div>
      </form>
      {started.map(job => (
        <StartedJob key={job.ProcessingJobName} {...props} job={job} />
      ))}
    </section>
  );
}

/** How a job that was started here is doing. */
function StartedJob(
  props: IPanelProps & { job: IRunFlowResponse }
): JSX.Element {
  const { client, studio, job, trans } = props;
  const { ProcessingJobName: name } = job;
  const live = useLive(
    { client, frame: FRAME },
    signal =>
      client.call(
        'sagemaker:DescribeProcessingJob',
        { ProcessingJobName: name },
        signal
      ),
    [name],
    { concerns: event => event.Kind === 'ProcessingJob' && event.Name === name }
  );
  const [problem, setProblem] = useState<string | null>(null);
  const stop = (): void => {
    client
      .call('sagemaker:StopProcessingJob', { ProcessingJobName: name })
      .catch((error: unknown) =>
        setProblem(error instanceof Error ? error.message : String(error))
      );
  };
  return (
    <div className="jp-BottegaExport-job" data-job={name}>
      <Loadable
        live={live}
        trans={trans}
        rows={2}
        what={trans.__('The job %1 cannot be read.', name)}
      >
        {found => (
          <>
            <div className="jp-BottegaStepForm-actions">
              <strong>{name}</strong>
              <StatusChip status={found.ProcessingJobStatus} />
              {found.ProcessingJobStatus === 'InProgress' && (
                <Button kind="danger" onClick={stop}>
                  {trans.__('Stop')}
                </Button>
              )}
              {found.ProcessingJobStatus === 'Completed' && (
                <Button
                  onClick={() =>
                    void studio.execute('bottega:train', {
                      uri: job.OutputS3Uri
                    })
                  }
                >
                  {trans.__('Train on this')}
                </Button>
              )}
            </div>
            {(found.FailureReason || problem) && (
              <p role="alert" className="jp-BottegaPanel-problem">
                {problem ?? found.FailureReason}
              </p>
            )}
            <Facts
              facts={[
                [
                  trans.__('Output'),
                  <code key="output">{job.OutputS3Uri}</code>
                ],
                [
                  trans.__('Fitted flow'),
                  <code key="flow">{job.FittedFlowS3Uri}</code>
                ],
                ...(found.ProcessingStartTime && found.ProcessingEndTime
                  ? [
                      [
                        trans.__('Duration'),
                        duration(
                          found.ProcessingEndTime - found.ProcessingStartTime
                        )
                      ] as const
                    ]
                  : [])
              ]}
            />
          </>
        )}
      </Loadable>
    </div>
  );
}
