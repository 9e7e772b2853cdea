import type { TranslationBundle } from '@jupyterlab/translation';

import type {
  ICapturedData,
  ICapturedRecord,
  IListCapturedRecordsResponse
} from '../../api/types/capture';
import type { IDescribeEndpointOutput } from '../../api/types/hosting';
import { Button, Facts } from '../../shared/components/controls';
import { Empty, Loadable } from '../../shared/components/states';
import { ago, bytes, moment } from '../../shared/format';
import { useLive } from '../../shared/hooks/useLive';
import { useNow } from '../../shared/hooks/useNow';
import type { IScreenProps } from '../../tokens';

/** Objects come every few seconds, and nothing tells of them. */
const CAPTURE_MS = 5000;
const MOST_RECORDS = 50;

/** A request to begin a test with. */
export interface ISample {
  contentType: string;
  body: string;
}

/** Captured requests and answers, newest first. */
export function CaptureTab(
  props: IScreenProps & {
    endpoint: IDescribeEndpointOutput;
    onUse: (sample: ISample) => void;
  }
): JSX.Element {
  const { client, name, trans } = props;
  const capture = useLive(
    props,
    signal =>
      client.call(
        'bottega:ListCapturedRecords',
        { EndpointName: name, MaxRecords: MOST_RECORDS },
        signal
      ),
    [name],
    { every: CAPTURE_MS }
  );
  return (
    <Loadable
      live={capture}
      trans={trans}
      what={trans.__('The captured records cannot be read.')}
    >
      {value =>
        value.DestinationS3Uri === undefined && value.Records.length === 0 ? (
          <Empty
            sentence={trans.__(
              'This endpoint captures nothing. A configuration with DataCaptureConfig keeps a sample of its requests and answers.'
            )}
          />
        ) : (
          <>
            <Summary capture={value} trans={trans} />
            <Records {...props} records={value.Records} />
          </>
        )
      }
    </Loadable>
  );
}

function Summary(props: {
  capture: IListCapturedRecordsResponse;
  trans: TranslationBundle;
}): JSX.Element {
  const { capture, trans } = props;
  const more = capture.MoreObjects ? '+' : '';
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Capture')}</h2>
      <Facts
        facts={[
          [trans.__('Destination'), capture.DestinationS3Uri ?? '—'],
          [
            trans.__('Sample'),
            capture.SamplingPercentage === undefined
              ? trans.__('stopped')
              : trans.__('%1 % of the requests', capture.SamplingPercentage)
          ],
          [
            trans.__('Objects'),
            `${capture.ObjectCount}${more} · ${bytes(capture.ByteCount)}${more}`
          ],
          [trans.__('To be written'), String(capture.RecordsWaiting)],
          [trans.__('Dropped'), String(capture.RecordsDropped)]
        ]}
      />
    </section>
  );
}

function Records(
  props: IScreenProps & {
    records: ICapturedRecord[];
    onUse: (sample: ISample) => void;
  }
): JSX.Element {
  const { frame, records, trans, onUse } = props;
  const now = useNow(frame, true);
  return (
    <section className="jp-BottegaCard">
      <h2>{trans.__('Newest records')}</h2>
      {records.length === 0 ? (
        <p>
          {trans.__('Nothing is written yet; records follow within seconds.')}
        </p>
      ) : (
        <table className="jp-BottegaVariants">
          <thead>
            <tr>
              <th scope="col">{trans.__('Time')}</th>
              <th scope="col">{trans.__('Variant')}</th>
              <th scope="col">{trans.__('Request')}</th>
              <th scope="col">{trans.__('Answer')}</th>
              <td />
            </tr>
          </thead>
          <tbody>
            {records.map(record => {
              const sample = sampleOf(record.Input);
              return (
                <tr key={record.EventId}>
                  <td
                    className="jp-mod-name"
                    title={moment(record.InferenceTime)}
                  >
                    {ago(record.InferenceTime, now, trans)}
                  </td>
                  <td className="jp-mod-name">{record.VariantName}</td>
                  <td>
                    <Body data={record.Input} trans={trans} />
                  </td>
                  <td>
                    <Body data={record.Output} trans={trans} />
                  </td>
                  <td>
                    {sample && (
                      <Button onClick={() => onUse(sample)}>
                        {trans.__('Use in test')}
                      </Button>
                    )}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Body(props: {
  data: ICapturedData | undefined;
  trans: TranslationBundle;
}): JSX.Element {
  const { data, trans } = props;
  if (!data) {
    return <>—</>;
  }
  return (
    <code className="jp-BottegaCapture-body" title={data.ContentType}>
      {data.Encoding === 'BASE64' ? trans.__('base64: ') : ''}
      {data.Data}
      {data.Truncated ? '…' : ''}
    </code>
  );
}

/** The request of a record as text to be sent again; null where it is not text or not whole. */
export function sampleOf(data: ICapturedData | undefined): ISample | null {
  if (!data || data.Truncated || data.Encoding === 'BASE64') {
    return null;
  }
  return { contentType: data.ContentType, body: data.Data };
}
