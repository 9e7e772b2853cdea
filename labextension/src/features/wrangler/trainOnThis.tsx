import { Signal } from '@lumino/signaling';
import { useEffect, useState } from 'react';

import type { IRunFlowResponse } from '../../api/types/wrangler';
import { Button } from '../../shared/components/controls';
import { useLive } from '../../shared/hooks/useLive';
import { asError } from '../../shared/asError';
import type { IPanelProps } from './model/types';

/** The header is only drawn while the tab is there; a job ends whether it is looked at or not. */
const FRAME = {
  isVisible: true,
  visibilityChanged: new Signal<object, boolean>({})
};

/** The one file that the job writes: as a table it has columns, of which one is the label. */
const RESULT = 'part-00000.csv';

/** Runs the flow over the whole data, then opens the training form with what came out. */
export function TrainOnThis(props: IPanelProps): JSX.Element {
  const { model, client, trans } = props;
  const [run, setRun] = useState<IRunFlowResponse | null>(null);
  const [isStarting, setStarting] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const { selected } = model;
  const start = async (): Promise<void> => {
    if (!selected) {
      return;
    }
    setStarting(true);
    setProblem(null);
    try {
      setRun(
        await client.call('bottega:RunFlow', {
          ...model.request(),
          NodeId: selected.nodeId,
          OutputName: selected.outputName,
          ContentType: 'text/csv'
        })
      );
    } catch (error) {
      setProblem(asError(error).message);
    }
    setStarting(false);
  };
  return (
    <>
      {problem && (
        <span className="jp-BottegaWrangler-unsaved" role="alert">
          {problem}
        </span>
      )}
      {run ? (
        <Running
          {...props}
          run={run}
          onEnd={failure => {
            setRun(null);
            setProblem(failure);
          }}
        />
      ) : (
        <Button
          kind="primary"
          disabled={!selected || isStarting}
          title={trans.__(
            'Runs the flow over the whole data, and opens the training form with the result'
          )}
          onClick={() => void start()}
        >
          {trans.__('Train on this')}
        </Button>
      )}
    </>
  );
}

/** Waits for the end of the job that prepares the data. */
function Running(
  props: IPanelProps & {
    run: IRunFlowResponse;
    onEnd: (failure: string | null) => void;
  }
): JSX.Element {
  const { client, studio, run, onEnd, trans } = props;
  const name = run.ProcessingJobName;
  const live = useLive(
    { client, frame: FRAME },
    signal =>
      client.call(
        'sagemaker:DescribeProcessingJob',
        { ProcessingJobName: name },
        signal
      ),
    [name],
    {
      concerns: event => event.Kind === 'ProcessingJob' && event.Name === name
    }
  );
  const status = live.state === 'ready' ? live.value.ProcessingJobStatus : null;
  const reason = live.state === 'ready' ? live.value.FailureReason : undefined;
  const unread = live.state === 'error' ? live.error.message : null;
  useEffect(() => {
    if (status === 'Completed') {
      onEnd(null);
      const folder = run.OutputS3Uri.replace(/\/+$/, '');
      void studio.execute('bottega:train', { uri: `${folder}/${RESULT}` });
    } else if (status === 'Failed' || status === 'Stopped') {
      onEnd(reason ?? trans.__('The job %1 was stopped.', name));
    } else if (unread !== null) {
      onEnd(unread);
    }
    // The end of a job comes once, whatever the parent draws anew.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [status, reason, unread]);
  return (
    <>
      <span className="jp-BottegaHeader-facts" role="status">
        {trans.__('preparing the data: %1', name)}
      </span>
      <Button
        kind="danger"
        onClick={() =>
          void client
            .call('sagemaker:StopProcessingJob', { ProcessingJobName: name })
            .catch((error: unknown) => onEnd(asError(error).message))
        }
      >
        {trans.__('Stop')}
      </Button>
    </>
  );
}
